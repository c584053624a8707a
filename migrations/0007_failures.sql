-- When work failed first: goes into its dead letter.
ALTER TABLE outbox ADD COLUMN first_failed_at timestamptz;
ALTER TABLE gate_ops ADD COLUMN first_failed_at timestamptz;
ALTER TABLE sandbox.events ADD COLUMN first_failed_at timestamptz;
