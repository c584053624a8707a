-- Reconciling looks at the books that moved lately. A BRIN index costs writers next to nothing: `at` grows with the row.
CREATE INDEX stock_movements_at_idx ON stock_movements USING brin (at) WITH (pages_per_range = 16);
