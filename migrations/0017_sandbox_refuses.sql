-- The sandbox provider can also take a refund up and then not make it.
ALTER TABLE sandbox.payments ADD COLUMN refuses_refund boolean NOT NULL DEFAULT false;
ALTER TABLE sandbox.refunds DROP CONSTRAINT refunds_status_check, ADD CONSTRAINT refunds_status_check
    CHECK (status IN ('pending', 'succeeded', 'failed'));
