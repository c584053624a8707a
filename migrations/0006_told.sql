-- The carts that hold a book, page by page: a bestseller is in thousands of them.
DROP INDEX cart_lines_book_idx;
CREATE INDEX cart_lines_book_idx ON cart_lines (book_id, owner);
