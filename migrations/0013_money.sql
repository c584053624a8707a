-- Money that came after its order had ended waits, as 'late', for the decision whether it buys the copies again.
ALTER TABLE payments DROP CONSTRAINT payments_status_check, ADD CONSTRAINT payments_status_check
    CHECK (status IN ('creating', 'open', 'captured', 'late', 'declined', 'closed', 'refunding', 'refunded'));

ALTER TABLE refunds DROP CONSTRAINT refunds_status_check, ADD CONSTRAINT refunds_status_check
    CHECK (status IN ('requested', 'confirmed', 'failed'));
ALTER TABLE refunds
    -- Who wanted it: the shop by its own rules, an admin, or somebody on the provider's own pages.
    ADD COLUMN origin          text NOT NULL DEFAULT 'shop' CHECK (origin IN ('shop', 'admin', 'provider')),
    -- An admin's request, however often it is sent.
    ADD COLUMN idempotency_key text CONSTRAINT refunds_key_key UNIQUE,
    -- The order's copies came back to the shelf with it.
    ADD COLUMN restocks        boolean NOT NULL DEFAULT false,
    -- Why the provider does not make it.
    ADD COLUMN error           text,
    -- Watchdog: when the provider is asked next whether it is made.
    ADD COLUMN ask_at          timestamptz;
CREATE INDEX refunds_payment_idx ON refunds (payment_id);
CREATE INDEX refunds_ask_idx ON refunds (ask_at) WHERE status = 'requested';
CREATE UNIQUE INDEX refunds_ref_idx ON refunds (payment_id, provider_ref) WHERE provider_ref IS NOT NULL;
