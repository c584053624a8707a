-- The ledger of the shop. Conventions: *_minor are amounts in minor units (paise); times are timestamptz;
-- `owner` is 'a:<account id>' or 'g:<guest uuid>', the text form of domain::Owner, which is also the id of a cart.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE accounts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text NOT NULL CONSTRAINT accounts_email_key UNIQUE CHECK (email = lower(email)),
    name          text NOT NULL,
    password_hash text NOT NULL,
    role          text NOT NULL DEFAULT 'shopper' CHECK (role IN ('shopper', 'admin')),
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE categories (
    slug     text PRIMARY KEY,
    name     text NOT NULL,
    position integer NOT NULL DEFAULT 0
);

-- array_to_string is only STABLE because some element types print by locale; text does not.
CREATE FUNCTION bazar_join(text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT array_to_string($1, ', ') $$;

CREATE TABLE books (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku           text NOT NULL CONSTRAINT books_sku_key UNIQUE,
    isbn13        text CONSTRAINT books_isbn13_key UNIQUE,
    slug          text NOT NULL CONSTRAINT books_slug_key UNIQUE,
    title         text NOT NULL CHECK (title <> ''),
    subtitle      text,
    authors       text[] NOT NULL,
    year          integer,
    language      text NOT NULL DEFAULT 'en',
    pages         integer CHECK (pages > 0),
    description   text NOT NULL DEFAULT '',
    price_minor   bigint NOT NULL CHECK (price_minor > 0),
    currency      text NOT NULL DEFAULT 'INR' CHECK (length(currency) = 3),
    -- How well known it is: breaks ties in lists.
    popularity    bigint NOT NULL DEFAULT 0,
    retired_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    authors_text  text NOT NULL GENERATED ALWAYS AS (bazar_join(authors)) STORED,
    search_text   text NOT NULL GENERATED ALWAYS AS (lower(title || ' ' || bazar_join(authors))) STORED,
    search        tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', title), 'A')
        || setweight(to_tsvector('simple', bazar_join(authors)), 'B')
        || setweight(to_tsvector('simple', coalesce(subtitle, '') || ' ' || coalesce(isbn13, '')), 'C')
        || setweight(to_tsvector('english', description), 'D')) STORED
);
CREATE INDEX books_search_idx ON books USING gin (search);
CREATE INDEX books_trgm_idx ON books USING gin (search_text gin_trgm_ops);
CREATE INDEX books_popularity_idx ON books (popularity DESC, id) WHERE retired_at IS NULL;
CREATE INDEX books_title_idx ON books (title, id) WHERE retired_at IS NULL;
CREATE INDEX books_price_idx ON books (price_minor, id) WHERE retired_at IS NULL;

CREATE TABLE book_categories (
    book_id  bigint NOT NULL REFERENCES books (id) ON DELETE CASCADE,
    category text NOT NULL REFERENCES categories (slug),
    position integer NOT NULL DEFAULT 0,
    PRIMARY KEY (book_id, category)
);
CREATE INDEX book_categories_category_idx ON book_categories (category, book_id);

-- Promise 1: on_hand = available + reserved, all at least 0.
CREATE TABLE stock (
    book_id   bigint PRIMARY KEY REFERENCES books (id),
    on_hand   integer NOT NULL DEFAULT 0 CONSTRAINT stock_on_hand_check CHECK (on_hand >= 0),
    reserved  integer NOT NULL DEFAULT 0 CONSTRAINT stock_reserved_check CHECK (reserved >= 0),
    available integer GENERATED ALWAYS AS (on_hand - reserved) STORED
        CONSTRAINT stock_available_check CHECK (available >= 0)
);

-- Backup and index of the carts in Redis.
CREATE TABLE carts (
    owner      text PRIMARY KEY,
    account_id bigint REFERENCES accounts (id),
    guest_id   uuid,
    v          bigint NOT NULL,
    t          bigint NOT NULL,
    -- Set when this guest's cart went into an account's: nothing may revive it.
    merged_into text,
    -- What it did once and must not do again: fields `taken:<order>` and `merged:<guest>` as Redis has them.
    marks      jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(account_id, guest_id) = 1)
);
CREATE TABLE cart_lines (
    owner    text NOT NULL REFERENCES carts (owner) ON DELETE CASCADE,
    book_id  bigint NOT NULL REFERENCES books (id),
    quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 10),
    PRIMARY KEY (owner, book_id)
);
CREATE INDEX cart_lines_book_idx ON cart_lines (book_id);

CREATE TABLE orders (
    id              uuid PRIMARY KEY,
    number          text NOT NULL CONSTRAINT orders_number_key UNIQUE,
    owner           text NOT NULL,
    account_id      bigint REFERENCES accounts (id),
    guest_id        uuid,
    idempotency_key text NOT NULL,
    -- Hash of the request, so that a key is never reused for another one.
    fingerprint     text NOT NULL,
    status          text NOT NULL CHECK (status IN ('PENDING', 'PAYMENT_PENDING', 'PAID', 'FULFILLING', 'SHIPPED',
                        'DELIVERED', 'FAILED', 'CANCELLED', 'EXPIRED', 'REFUNDED')),
    -- Number of the latest history row: the version of live order messages.
    version         bigint NOT NULL DEFAULT 1,
    -- 0: copies were never claimed; each new claim (late money) counts one up.
    claim_no        integer NOT NULL DEFAULT 0,
    email           text NOT NULL,
    address         jsonb NOT NULL,
    currency        text NOT NULL,
    subtotal_minor  bigint NOT NULL CHECK (subtotal_minor >= 0),
    delivery_minor  bigint NOT NULL CHECK (delivery_minor >= 0),
    total_minor     bigint NOT NULL CHECK (total_minor = subtotal_minor + delivery_minor),
    placed_at       timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT orders_owner_key_key UNIQUE (owner, idempotency_key),
    CHECK (num_nonnulls(account_id, guest_id) = 1)
);
CREATE INDEX orders_owner_idx ON orders (owner, placed_at DESC);
CREATE INDEX orders_placed_idx ON orders (placed_at DESC, id);
CREATE INDEX orders_due_idx ON orders (expires_at) WHERE status = 'PAYMENT_PENDING';

CREATE TABLE order_items (
    order_id         uuid NOT NULL REFERENCES orders (id),
    line_no          integer NOT NULL,
    book_id          bigint NOT NULL REFERENCES books (id),
    title            text NOT NULL,
    slug             text NOT NULL,
    quantity         integer NOT NULL CHECK (quantity > 0),
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor >= 0),
    line_total_minor bigint NOT NULL CHECK (line_total_minor = unit_price_minor * quantity),
    PRIMARY KEY (order_id, line_no)
);

CREATE TABLE order_history (
    order_id uuid NOT NULL REFERENCES orders (id),
    version  bigint NOT NULL,
    status   text NOT NULL,
    cause    text NOT NULL,
    note     text,
    at       timestamptz NOT NULL,
    PRIMARY KEY (order_id, version)
);

-- Append-only ledger: the sum of its deltas is the stock row.
CREATE TABLE stock_movements (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book_id        bigint NOT NULL REFERENCES books (id),
    kind           text NOT NULL CHECK (kind IN ('receipt', 'reserve', 'release', 'sale', 'return', 'adjustment')),
    quantity       integer NOT NULL CHECK (quantity <> 0),
    on_hand_delta  integer NOT NULL,
    reserved_delta integer NOT NULL,
    order_id       uuid REFERENCES orders (id),
    claim_no       integer,
    -- Receipts, returns and adjustments: what makes a repeat the same operation.
    operation_id   text,
    at             timestamptz NOT NULL,
    CONSTRAINT stock_movements_claim_key UNIQUE (order_id, claim_no, kind, book_id),
    CONSTRAINT stock_movements_operation_key UNIQUE (operation_id, book_id),
    CHECK (CASE kind
        WHEN 'reserve' THEN on_hand_delta = 0 AND reserved_delta = quantity
        WHEN 'release' THEN on_hand_delta = 0 AND reserved_delta = -quantity
        WHEN 'sale'    THEN on_hand_delta = -quantity AND reserved_delta = -quantity
        ELSE on_hand_delta = quantity AND reserved_delta = 0 END),
    CHECK ((kind IN ('reserve', 'release', 'sale')) = (order_id IS NOT NULL AND claim_no IS NOT NULL))
);
CREATE INDEX stock_movements_book_idx ON stock_movements (book_id, id);
-- One terminal movement per claim and book.
CREATE UNIQUE INDEX stock_movements_terminal_idx ON stock_movements (order_id, claim_no, book_id)
    WHERE kind IN ('release', 'sale');

-- Work for the gate, written with the change that causes it; applied once, by id.
CREATE TABLE gate_ops (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('release', 'settle', 'adjust')),
    -- release, settle: the order whose reservation ends.
    order_id   uuid,
    -- [[book_id, copies], …]: copies to give back (release) or delta (adjust); settle gives nothing back.
    lines      jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at     timestamptz NOT NULL DEFAULT now(),
    attempts   integer NOT NULL DEFAULT 0,
    last_error text,
    applied_at timestamptz
);
CREATE INDEX gate_ops_due_idx ON gate_ops (due_at, id) WHERE applied_at IS NULL;

CREATE TABLE payments (
    id              uuid PRIMARY KEY,
    order_id        uuid NOT NULL REFERENCES orders (id),
    provider        text NOT NULL,
    -- The provider's own id of the session; NULL until it answered.
    provider_ref    text,
    status          text NOT NULL CHECK (status IN ('creating', 'open', 'captured', 'declined', 'closed', 'refunding', 'refunded')),
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    currency        text NOT NULL,
    redirect_url    text,
    created_at      timestamptz NOT NULL,
    captured_at     timestamptz,
    -- Watchdog: when the provider is asked next about an open session.
    ask_at          timestamptz,
    CONSTRAINT payments_ref_key UNIQUE (provider, provider_ref)
);
CREATE INDEX payments_order_idx ON payments (order_id);
CREATE UNIQUE INDEX payments_one_open_idx ON payments (order_id) WHERE status IN ('creating', 'open');
-- Promise 4: exactly one captured payment counts for an order.
CREATE UNIQUE INDEX payments_one_captured_idx ON payments (order_id) WHERE status = 'captured';
CREATE INDEX payments_ask_idx ON payments (ask_at) WHERE status IN ('creating', 'open');

CREATE TABLE refunds (
    id           uuid PRIMARY KEY,
    payment_id   uuid NOT NULL REFERENCES payments (id),
    order_id     uuid NOT NULL REFERENCES orders (id),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency     text NOT NULL,
    reason       text NOT NULL,
    status       text NOT NULL CHECK (status IN ('requested', 'confirmed')),
    provider_ref text,
    created_at   timestamptz NOT NULL,
    confirmed_at timestamptz
);
CREATE INDEX refunds_order_idx ON refunds (order_id);

CREATE TABLE webhook_inbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider    text NOT NULL,
    event_id    text NOT NULL,
    kind        text NOT NULL,
    payload     jsonb NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('applied', 'ignored', 'waiting', 'quarantined')),
    note        text,
    received_at timestamptz NOT NULL,
    due_at      timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    CONSTRAINT webhook_inbox_event_key UNIQUE (provider, event_id)
);
CREATE INDEX webhook_inbox_waiting_idx ON webhook_inbox (due_at) WHERE outcome = 'waiting';

-- Work to do after commit: drained by a worker, deleted when done, moved to dead_letters when it keeps failing.
CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      text NOT NULL,
    -- What it is about: an order id, a refund id.
    key        text NOT NULL,
    payload    jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at     timestamptz NOT NULL DEFAULT now(),
    attempts   integer NOT NULL DEFAULT 0,
    last_error text
);
CREATE INDEX outbox_due_idx ON outbox (due_at, id);

CREATE TABLE dead_letters (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Where it came from: outbox, gate_ops, placed, cart, sandbox_events.
    source    text NOT NULL,
    key       text NOT NULL,
    payload   jsonb NOT NULL,
    error     text NOT NULL,
    attempts  integer NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    state     text NOT NULL DEFAULT 'parked' CHECK (state IN ('parked', 'retried', 'discarded'))
);
CREATE UNIQUE INDEX dead_letters_parked_idx ON dead_letters (source, key) WHERE state = 'parked';
