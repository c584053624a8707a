-- The sandbox provider's own books. The shop never reads these: it talks to the sandbox over HTTP like to any provider.
CREATE SCHEMA sandbox;

CREATE TABLE sandbox.payments (
    id              text PRIMARY KEY,
    -- The shop's own names for it, sent back in every event.
    order_id        text NOT NULL,
    order_number    text NOT NULL,
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    currency        text NOT NULL,
    email           text NOT NULL,
    return_url      text NOT NULL,
    -- Where the page leads back to when the person does not pay.
    cancel_url      text NOT NULL,
    -- Also the shop's reference: it comes back in every event.
    idempotency_key text NOT NULL CONSTRAINT sandbox_payments_key_key UNIQUE,
    status          text NOT NULL CHECK (status IN ('open', 'paid', 'declined', 'closed')),
    created_at      timestamptz NOT NULL,
    -- In the future: "Pay late" was pressed and the money is still under way.
    paid_at         timestamptz
);

CREATE TABLE sandbox.refunds (
    id              text PRIMARY KEY,
    payment_id      text NOT NULL REFERENCES sandbox.payments (id),
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    idempotency_key text NOT NULL CONSTRAINT sandbox_refunds_key_key UNIQUE,
    status          text NOT NULL CHECK (status IN ('pending', 'succeeded')),
    created_at      timestamptz NOT NULL
);

-- Webhooks to deliver: written with the change, sent over HTTP, retried with backoff.
CREATE TABLE sandbox.events (
    id           text PRIMARY KEY,
    payment_id   text NOT NULL REFERENCES sandbox.payments (id),
    kind         text NOT NULL,
    payload      jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    last_error   text,
    delivered_at timestamptz
);
CREATE INDEX events_due_idx ON sandbox.events (due_at) WHERE delivered_at IS NULL;
