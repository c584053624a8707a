-- How often somebody took this up without an outcome: a process that died with it. Any outcome makes it 0 again.
ALTER TABLE outbox ADD COLUMN leases integer NOT NULL DEFAULT 0;
ALTER TABLE gate_ops ADD COLUMN leases integer NOT NULL DEFAULT 0;
ALTER TABLE webhook_inbox ADD COLUMN leases integer NOT NULL DEFAULT 0;

-- Orders that could not be ended when their time was over, and when that is tried again; 'infinity': a dead letter
-- tells of it.
CREATE TABLE expiry_failures (
    order_id        uuid PRIMARY KEY REFERENCES orders (id),
    attempts        integer NOT NULL,
    first_failed_at timestamptz NOT NULL,
    due_at          timestamptz NOT NULL
);

-- The admin who took a step; NULL: the shopper, a provider, or time.
ALTER TABLE order_history ADD COLUMN actor_id bigint REFERENCES accounts (id);
ALTER TABLE shipments ADD COLUMN delivered_at timestamptz;

-- The gate's last epoch: the next one is higher, whatever clock the machine has that rebuilds it.
CREATE TABLE gate_epoch (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    epoch   bigint NOT NULL
);
