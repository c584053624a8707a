-- Nine of ten movements belong to an order and name no operation: they need no place in this index. The promise stays: each
-- operation counts once per book.

SET LOCAL lock_timeout = '10s';

ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_operation_key;
CREATE UNIQUE INDEX stock_movements_operation_key ON stock_movements (operation_id, book_id) WHERE operation_id IS NOT NULL;
