-- What every list of books starts from. A function, so that the filters are written once; the planner inlines it
-- (plain SQL, STABLE, no SET), so the indexes of books still carry order and search. NULL: not filtered by that.
CREATE FUNCTION books_on_sale(
    in_category text, author_like text, in_language text, min_minor bigint, max_minor bigint, only_in_stock boolean
) RETURNS SETOF books LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT * FROM books b
    WHERE b.retired_at IS NULL
      AND (in_category IS NULL OR b.id IN (SELECT book_id FROM book_categories WHERE category = in_category))
      AND (author_like IS NULL OR b.authors_text ILIKE author_like)
      AND (in_language IS NULL OR b.language = in_language)
      AND (min_minor IS NULL OR b.price_minor >= min_minor)
      AND (max_minor IS NULL OR b.price_minor <= max_minor)
      AND (NOT only_in_stock OR b.id IN (SELECT book_id FROM stock WHERE available > 0))
$$;

CREATE INDEX books_year_idx ON books (year DESC NULLS LAST, id) WHERE retired_at IS NULL;
