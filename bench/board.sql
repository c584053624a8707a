-- Two years of a shop: 200,000 orders of three lines over 10,000 books; most have arrived, some stand anywhere else.
BEGIN;
INSERT INTO books (sku, slug, title, authors, price_minor, isbn13)
SELECT 'r' || n, 'r' || n, 'Book ' || n, '{An Author}', 10000 + n, '978' || lpad(n::text, 10, '0') FROM generate_series(1, 10000) n;
INSERT INTO accounts (email, name, password_hash) SELECT 'reader' || n || '@example.org', 'Reader ' || n, 'x' FROM generate_series(1, 20000) n;
CREATE TEMP TABLE new AS
SELECT n, gen_random_uuid() AS id, 1 + n % 20000 AS reader,
  (ARRAY['Asha','Ravi','Meera','Imran','Kavya','Joseph','Nandini','Arjun'])[1 + n % 8] || ' ' ||
  (ARRAY['Rao','Sharma','Khan','Iyer','Das','Menon','Gill'])[1 + n % 7] AS name,
  CASE WHEN n % 10000 = 0 THEN 'FAILED' WHEN n % 100 < 78 THEN 'DELIVERED' WHEN n % 100 < 80 THEN 'SHIPPED' WHEN n % 100 < 81 THEN 'FULFILLING'
    WHEN n % 100 < 82 THEN 'PAID' WHEN n % 100 < 94 THEN 'EXPIRED' WHEN n % 100 < 97 THEN 'CANCELLED' ELSE 'REFUNDED' END AS status,
  date_trunc('milliseconds', now() - (200000 - n) * interval '5 minutes') AS at, (20000 + (n * 7919) % 180000)::bigint AS subtotal
FROM generate_series(1, 200000) n;
INSERT INTO orders (id, number, owner, account_id, idempotency_key, fingerprint, status, claim_no, email, address, currency,
    subtotal_minor, delivery_minor, total_minor, placed_at, expires_at)
SELECT new.id, 'BB-' || lpad((n / 10000)::text, 4, '0') || '-' || lpad((n % 10000)::text, 4, '0'), 'a:' || a.id, a.id, 'k' || n, 'f', status, 1, a.email,
    jsonb_build_object('name', new.name, 'line1', '12 MG Road', 'line2', null, 'city', 'Bengaluru', 'state', 'Karnataka', 'postcode', '560001', 'country', 'IN', 'phone', '+919845012345'),
    'INR', subtotal, 4900, subtotal + 4900, at, at + interval '15 minutes' FROM new JOIN accounts a ON a.email = 'reader' || reader || '@example.org';
INSERT INTO order_words SELECT id, lower(number || ' ' || email || ' ' || (address ->> 'name')) FROM orders;
INSERT INTO order_items (order_id, line_no, book_id, title, slug, quantity, unit_price_minor, line_total_minor)
SELECT new.id, k, b.id, b.title, b.slug, 1, 10000, 10000
FROM new CROSS JOIN generate_series(1, 3) k JOIN books b ON b.sku = 'r' || (1 + (n * 3 + k * 37) % 10000);
INSERT INTO order_history (order_id, version, status, cause, at) SELECT id, 1, status, 'persisted', at FROM new;
INSERT INTO payments (id, order_id, provider, provider_ref, status, amount_minor, currency, created_at)
SELECT gen_random_uuid(), id, CASE WHEN n % 50 = 0 THEN 'razorpay' ELSE 'stripe' END, 'p' || n,
  CASE status WHEN 'REFUNDED' THEN 'refunded' WHEN 'EXPIRED' THEN CASE WHEN n % 4000 = 90 THEN 'late' ELSE 'closed' END WHEN 'CANCELLED' THEN 'closed' ELSE 'captured' END,
  subtotal + 4900, 'INR', at FROM new WHERE status <> 'FAILED';
INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, note, received_at, order_id)
SELECT 'stripe', 'evt_' || n, 'checkout.session.completed', '{}', 'quarantined', 'another amount', now(), id FROM new WHERE n % 20000 = 7;
COMMIT;
ANALYZE;
