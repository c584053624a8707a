-- Money that does not fit the ledger is told of until somebody has seen to it.
ALTER TABLE webhook_inbox ADD COLUMN brings_money boolean NOT NULL DEFAULT false;
CREATE INDEX webhook_inbox_apart_idx ON webhook_inbox (order_id) WHERE outcome = 'quarantined';
