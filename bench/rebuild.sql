-- A big shop in the middle of its day: every order waits for payment, with its claim.
BEGIN;
INSERT INTO books (sku, slug, title, authors, price_minor)
SELECT 'r' || n, 'r' || n, 'Book ' || n, '{An Author}', 10000 FROM generate_series(1, 100000) n;
INSERT INTO stock (book_id, on_hand) SELECT id, 20 FROM books;
INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, operation_id, at)
SELECT id, 'receipt', 20, 20, 0, 'first', now() FROM books;
CREATE TEMP TABLE new AS SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS guest FROM generate_series(0, 9999) n;
INSERT INTO orders (id, number, owner, guest_id, idempotency_key, fingerprint, status, claim_no, email, address, currency,
    subtotal_minor, delivery_minor, total_minor, placed_at, expires_at)
SELECT id, 'BB-0000-' || lpad(n::text, 4, '0'), 'g:' || guest, guest, 'k', 'f', 'PAYMENT_PENDING', 1, 'asha@example.org',
    '{"name":"Asha Rao","line1":"12 MG Road","line2":null,"city":"Bengaluru","state":"Karnataka","postcode":"560001","country":"IN","phone":"+919845012345"}',
    'INR', 30000, 4900, 34900, date_trunc('milliseconds', now()), date_trunc('milliseconds', now()) + interval '1 day' FROM new;
INSERT INTO order_items (order_id, line_no, book_id, title, slug, quantity, unit_price_minor, line_total_minor)
SELECT new.id, k, b.id, b.title, b.slug, 1, 10000, 10000
FROM new CROSS JOIN generate_series(1, 3) k JOIN books b ON b.sku = 'r' || (n * 3 + k);
INSERT INTO order_history (order_id, version, status, cause, at) SELECT id, 1, 'PAYMENT_PENDING', 'persisted', now() FROM new;
INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
SELECT book_id, 'reserve', 1, 0, 1, order_id, 1, now() FROM order_items;
UPDATE stock SET reserved = 1 WHERE book_id IN (SELECT book_id FROM order_items);
COMMIT;
ANALYZE;
