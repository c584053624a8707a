-- Each lane of the outbox finds its own work, however many mails wait for a server that is away.
CREATE INDEX outbox_topic_idx ON outbox (topic, due_at, id);
DROP INDEX outbox_due_idx;

-- The sandbox provider shows what can go wrong: how a webhook is sent badly, and every time one was sent with the
-- shop's answer (a status of HTTP; none: nobody answered).
ALTER TABLE sandbox.events ADD COLUMN trick text CHECK (trick IN ('twice', 'never', 'forged'));
CREATE INDEX events_payment_idx ON sandbox.events (payment_id);
CREATE TABLE sandbox.deliveries (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL REFERENCES sandbox.events (id),
    at       timestamptz NOT NULL,
    status   integer,
    error    text
);
CREATE INDEX deliveries_event_idx ON sandbox.deliveries (event_id);
