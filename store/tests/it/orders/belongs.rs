//! What a row of an order or of the ledger names is there when it arrives, and stays (migration 0036).

use super::shop::Shop;

/// Statements that must fail, and the SQLSTATE with which they do. `%`: an order that nobody placed.
const REFUSED: [(&str, &str); 15] = [
    ("INSERT INTO order_history (order_id, version, status, cause, at) VALUES ('%', 1, 'PAID', 'paid', now())", "23503"),
    ("INSERT INTO order_words VALUES ('%', 'words')", "23503"),
    (
        "INSERT INTO order_items (order_id, line_no, book_id, title, slug, quantity, unit_price_minor, line_total_minor)
         SELECT '%'::uuid, 1, book_id, title, slug, quantity, unit_price_minor, line_total_minor FROM order_items",
        "23503",
    ),
    (
        "INSERT INTO order_items (order_id, line_no, book_id, title, slug, quantity, unit_price_minor, line_total_minor)
         SELECT order_id, 2, -1, title, slug, quantity, unit_price_minor, line_total_minor FROM order_items",
        "23503",
    ),
    (
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
         SELECT book_id, kind, quantity, on_hand_delta, reserved_delta, '%'::uuid, claim_no, at FROM stock_movements
         WHERE kind = 'reserve'",
        "23503",
    ),
    (
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
         SELECT -1, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no + 1, at FROM stock_movements
         WHERE kind = 'reserve'",
        "23503",
    ),
    ("UPDATE order_history SET order_id = '%'", "23503"),
    ("UPDATE order_words SET order_id = '%'", "23503"),
    ("UPDATE order_items SET order_id = '%'", "23503"),
    ("UPDATE order_items SET book_id = -1", "23503"),
    ("UPDATE stock_movements SET order_id = '%' WHERE kind = 'reserve'", "23503"),
    ("UPDATE stock_movements SET book_id = -1 WHERE kind = 'reserve'", "23503"),
    ("DELETE FROM orders", "P0001"),
    ("UPDATE orders SET id = '%'", "P0001"),
    ("DELETE FROM books", "P0001"),
];

#[tokio::test]
async fn no_row_names_an_order_or_a_book_that_is_not_there() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    shop.payable_order(&[(book, 1)]).await;
    let all = ["TRUNCATE orders CASCADE", "TRUNCATE books CASCADE"].map(|statement| (statement, "P0001"));
    for (statement, code) in REFUSED.into_iter().chain(all) {
        let statement = statement.replace('%', "00000000-0000-4000-8000-000000000001");
        let error = sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(&shop.pg).await.unwrap_err();
        let told = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
        assert_eq!(told, code, "{statement}: {error}");
    }
    shop.assert_sound().await;
}
