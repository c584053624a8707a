-- What the holder of an account is told at the address of before: somebody else may have changed it.
CREATE TABLE account_changes (
    id         uuid PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts (id),
    what       text NOT NULL CHECK (what IN ('email', 'password')),
    email      text NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX account_changes_at_idx ON account_changes (changed_at);
