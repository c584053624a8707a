//! What a row of an order or of the ledger names is there when it arrives, and stays (migration 0036).

use super::shop::Shop;

/// Statements that must fail, and the SQLSTATE with which they do. `%`: an order that nobody placed.
const REFUSED: [(&str, &str); 10] = [
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
    ("UPDATE stock_movements SET order_id = '%' WHERE kind = 'reserve'", "23503"),
    ("UPDATE stock_movements SET book_id = -1 WHERE kind = 'reserve'", "23503"),
    ("DELETE FROM orders", "P0001"),
    ("UPDATE orders SET id = '%'", "P0001"),
    ("DELETE FROM books", "P0001"),
    ("TRUNCATE books CASCADE", "P0001"),
];

#[tokio::test]
async fn no_row_names_an_order_or_a_book_that_is_not_there() {
    let shop = Shop::open().await;
    let book = shop.book(5).await;
    shop.payable_order(&[(book, 1)]).await;
    for (statement, code) in REFUSED {
        let statement = statement.replace('%', "00000000-0000-4000-8000-000000000001");
        let error = sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(&shop.pg).await.unwrap_err();
        let told = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
        assert_eq!(told, code, "{statement}: {error}");
    }
    shop.assert_sound().await;
}
