-- The cart in full: what the shopper saw, schedules, dead letters with their history, mails about forgotten carts.

-- The price that the shopper last saw on this line; NULL: unknown, and then nothing is said about a change.
ALTER TABLE cart_lines ADD COLUMN seen_price_minor bigint CHECK (seen_price_minor >= 0);
-- Accounts' carts by the time of their last change: reconciling, restoring, forgotten carts.
CREATE INDEX carts_updated_idx ON carts (updated_at);

ALTER TABLE dead_letters
    ADD COLUMN first_failed_at timestamptz,
    ADD COLUMN last_failed_at  timestamptz,
    -- Who ended it, when, and why (a discard).
    ADD COLUMN ended_at        timestamptz,
    ADD COLUMN reason          text;

-- Work that comes round by the clock; one worker of all processes does each turn.
CREATE TABLE schedules (
    name             text PRIMARY KEY,
    next_at          timestamptz NOT NULL,
    -- Set while somebody is at it; another worker takes over after it.
    leased_until     timestamptz,
    last_started_at  timestamptz,
    last_finished_at timestamptz,
    -- NULL: the last turn went well.
    last_error       text,
    -- What the last turn counted.
    last_report      jsonb
);

-- One mail per state of a forgotten cart. `id` is what its links carry, signed.
CREATE TABLE cart_mails (
    id         uuid PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts (id),
    -- The cart's `t` and lines ([[book_id, copies], …]) when the mail was written.
    t          bigint NOT NULL,
    lines      jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT cart_mails_state_key UNIQUE (account_id, t)
);

-- People who asked not to get a kind of mail any more.
CREATE TABLE mail_optouts (
    email      text NOT NULL CHECK (email = lower(email)),
    kind       text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (email, kind)
);
