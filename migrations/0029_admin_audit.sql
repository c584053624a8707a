-- Who did what behind the counter, written in the transaction of the change; nothing takes it back.
CREATE TABLE admin_audit (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    -- NULL: somebody at the command line.
    account_id   bigint REFERENCES accounts (id),
    -- Which one they had then.
    role         text NOT NULL,
    -- Like order.ship.
    action       text NOT NULL,
    subject_kind text NOT NULL,
    subject_id   text NOT NULL,
    before       jsonb,
    after        jsonb
);
CREATE INDEX admin_audit_subject_idx ON admin_audit (subject_kind, subject_id, id);
CREATE INDEX admin_audit_account_idx ON admin_audit (account_id, id);
CREATE INDEX admin_audit_action_idx ON admin_audit (action, id);

CREATE FUNCTION bazar_keep() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME; END $$;
CREATE TRIGGER admin_audit_keep BEFORE UPDATE OR DELETE ON admin_audit
    FOR EACH ROW EXECUTE FUNCTION bazar_keep();
CREATE TRIGGER admin_audit_keep_all BEFORE TRUNCATE ON admin_audit
    FOR EACH STATEMENT EXECUTE FUNCTION bazar_keep();

-- Customers are found by parts of their name and address.
CREATE INDEX accounts_trgm_idx ON accounts USING gin ((lower(name) || ' ' || email) gin_trgm_ops);
CREATE INDEX accounts_staff_idx ON accounts (id) WHERE role <> 'shopper';
