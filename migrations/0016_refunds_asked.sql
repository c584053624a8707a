-- The admin who wanted the money back; NULL: the shop by its own rules, or somebody at the provider.
ALTER TABLE refunds ADD COLUMN actor_id bigint REFERENCES accounts (id);

-- The order that an event names, so that admins see beside it what did not fit.
ALTER TABLE webhook_inbox ADD COLUMN order_id uuid;
CREATE INDEX webhook_inbox_quarantined_idx ON webhook_inbox (id DESC) WHERE outcome = 'quarantined';
