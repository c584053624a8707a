-- The desk of the people of the shop: lists of all orders by whatever they ask for, their notes, and what was told to whom.

-- A list reads its page from an index, in either direction.
DROP INDEX orders_placed_idx;
CREATE INDEX orders_placed_idx ON orders (placed_at, id);
CREATE INDEX orders_status_idx ON orders (status, placed_at, id);
CREATE INDEX orders_total_idx ON orders (total_minor, id);
-- One customer's orders, also of who never logged in.
DROP INDEX orders_guest_email_idx;
CREATE INDEX orders_email_idx ON orders (email, placed_at);
CREATE INDEX order_items_book_idx ON order_items (book_id, order_id);
-- Most payments are captured or closed; looking for the others must not go through all orders.
CREATE INDEX payments_unusual_idx ON payments (status, order_id)
    WHERE status IN ('late', 'declined', 'closing', 'refunding', 'refunded');

-- By what an order is found: number, e-mail and name in lower case. A table of its own, because each step of an order
-- writes its row anew into all indexes of its table.
CREATE TABLE order_words (
    order_id uuid PRIMARY KEY REFERENCES orders (id),
    words    text NOT NULL
);
INSERT INTO order_words SELECT id, lower(number || ' ' || email || ' ' || coalesce(address ->> 'name', '')) FROM orders;
CREATE INDEX order_words_idx ON order_words USING gin (words gin_trgm_ops);

-- What the people of the shop said about an order, and did with it besides its steps; never changed.
CREATE TABLE order_notes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id   uuid NOT NULL REFERENCES orders (id),
    account_id bigint NOT NULL REFERENCES accounts (id),
    kind       text NOT NULL CHECK (kind IN ('note', 'address', 'message')),
    text       text NOT NULL CHECK (text <> ''),
    at         timestamptz NOT NULL
);
CREATE INDEX order_notes_order_idx ON order_notes (order_id, id);

-- What has left the shop for an order's shopper; `about` is the key of the work that sent it.
CREATE TABLE order_messages (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id),
    channel  text NOT NULL,
    kind     text NOT NULL,
    about    text NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX order_messages_order_idx ON order_messages (order_id, id);
