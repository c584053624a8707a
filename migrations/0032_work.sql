-- Checks and repairs that somebody behind the counter asked for: what they found, and one at a time.
CREATE TABLE health_runs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('check', 'stock', 'carts', 'payments')),
    asked_by     bigint REFERENCES accounts (id),
    asked_at     timestamptz NOT NULL,
    started_at   timestamptz,
    -- Set while a worker is at it; another one takes over after it.
    leased_until timestamptz,
    -- How many workers took it up.
    attempts     integer NOT NULL DEFAULT 0,
    finished_at  timestamptz,
    report       jsonb,
    -- Why there is no report.
    error        text
);
CREATE UNIQUE INDEX health_runs_open_idx ON health_runs ((true)) WHERE finished_at IS NULL;
CREATE INDEX health_runs_kind_idx ON health_runs (kind, id DESC);

-- Parked letters, the newest first, of all sources or of one.
CREATE INDEX dead_letters_newest_idx ON dead_letters (id DESC) WHERE state = 'parked';

-- Figures of a time: money by when it came and went back.
CREATE INDEX payments_captured_at_idx ON payments (captured_at) WHERE captured_at IS NOT NULL;
CREATE INDEX refunds_confirmed_at_idx ON refunds (confirmed_at) WHERE confirmed_at IS NOT NULL;
