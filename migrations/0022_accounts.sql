-- Since when the address is known to be the holder's, and how often they signed out everywhere (sessions carry a hash of it).
ALTER TABLE accounts ADD COLUMN email_verified_at timestamptz;
ALTER TABLE accounts ADD COLUMN sign_outs integer NOT NULL DEFAULT 0;

-- Links in mails by which somebody proves that an address is theirs. A link carries this id and a signature that is kept
-- nowhere; it works once and until it expires.
CREATE TABLE account_links (
    id         uuid PRIMARY KEY,
    purpose    text NOT NULL CHECK (purpose IN ('verify', 'reset')),
    -- Verify: whose address it becomes. A reset is asked for by an address, whether anybody has an account with it or not.
    account_id bigint REFERENCES accounts (id),
    email      text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CHECK ((purpose = 'verify') = (account_id IS NOT NULL))
);
CREATE INDEX account_links_email_idx ON account_links (email, created_at);
CREATE INDEX account_links_account_idx ON account_links (account_id, created_at) WHERE account_id IS NOT NULL;
CREATE INDEX account_links_created_idx ON account_links (created_at);

CREATE TABLE account_addresses (
    id         uuid PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts (id),
    address    jsonb NOT NULL,
    is_default boolean NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX account_addresses_account_idx ON account_addresses (account_id);
CREATE UNIQUE INDEX account_addresses_default_idx ON account_addresses (account_id) WHERE is_default;

-- Guests' orders are found by the address that their holder proves later.
CREATE INDEX orders_guest_email_idx ON orders (email) WHERE guest_id IS NOT NULL;
