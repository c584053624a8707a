-- Addresses that books had before their titles changed. Each leads to its book, whatever that is called now, so there are no
-- chains. No other book takes one of these, and a book's present address is never among them.
CREATE TABLE former_slugs (
    slug    text PRIMARY KEY,
    book_id bigint NOT NULL REFERENCES books (id) ON DELETE CASCADE,
    left_at timestamptz NOT NULL
);
CREATE INDEX former_slugs_book_idx ON former_slugs (book_id);
