-- Books are found by an index in the process: what served searching here only slowed imports.
DROP INDEX books_search_idx;
DROP INDEX books_trgm_idx;
DROP INDEX books_title_idx;
DROP INDEX books_price_idx;
DROP INDEX books_year_idx;
ALTER TABLE books DROP COLUMN search, DROP COLUMN search_text;
