-- From how few copies on sale a book counts as low; NULL: the shop's own number says it.
ALTER TABLE stock ADD COLUMN low_from integer CHECK (low_from BETWEEN 0 AND 1000000);
CREATE TABLE stock_settings (
    is_only  boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    low_from integer NOT NULL CHECK (low_from BETWEEN 0 AND 1000000)
);
INSERT INTO stock_settings (low_from) VALUES (3);

-- The admin who made a correction; NULL: an order, an import, or somebody at the command line.
ALTER TABLE stock_movements ADD COLUMN actor_id bigint REFERENCES accounts (id);

-- Files of books that admins handed in. Nothing of one is imported before somebody who has seen its preview says so.
CREATE TABLE book_imports (
    id          uuid PRIMARY KEY,
    actor_id    bigint REFERENCES accounts (id),
    name        text NOT NULL,
    size        integer NOT NULL,
    -- Until the import is over.
    content     bytea,
    state       text NOT NULL CHECK (state IN ('ready', 'wanted', 'done', 'refused', 'discarded')),
    preview     jsonb NOT NULL,
    report      jsonb,
    lines_done  bigint NOT NULL DEFAULT 0,
    uploaded_at timestamptz NOT NULL,
    ended_at    timestamptz,
    -- When a worker takes it up, or takes it over from one that died.
    due_at      timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    CHECK ((content IS NOT NULL) = (state IN ('ready', 'wanted')))
);
CREATE INDEX book_imports_uploaded_idx ON book_imports (uploaded_at DESC, id);
