//! Which carts get a mail, when, and how often.

use super::*;
use store::carts;

#[tokio::test]
async fn a_cart_unchanged_for_a_week_gets_one_mail() {
    let shop = Shop::open().await;
    forgetful(&shop).await;
    assert_eq!(remind(&shop.store).await, 0, "it was touched just now");
    assert_eq!(remind(&later(&shop, 6 * DAY).await).await, 0);
    let store = in_a_week(&shop).await;
    assert_eq!(remind(&store).await, 1);
    assert_eq!(remind(&store).await, 0, "one mail per state");
    send(&store).await;
    assert_eq!(remind(&later(&shop, 60 * DAY).await).await, 0, "nor ever again");
    let mails = mails(&shop);
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    let (headers, body) = mail.split_once("\r\n\r\n").expect("headers and body");
    for header in [
        "From: \"Book Bazar\" <books@shop.example>\r\n",
        "To: Asha <",
        "Date: ",
        "@shop.example>\r\n",
        "List-Unsubscribe: <http://127.0.0.1:1/mail/unsubscribe/",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative",
    ] {
        assert!(headers.contains(header), "{header} is not in\n{headers}");
    }
    assert_eq!(headers.matches("\r\nTo: ").count(), 1);
    assert!(body.contains("text/plain") && body.contains("text/html"), "{body}");
    assert!(body.contains("2 × ₹100") && body.contains("1 × ₹100") && body.contains("An Author"), "{body}");
    let id: String = sqlx::query_scalar("SELECT id::text FROM cart_mails WHERE sent_at IS NOT NULL")
        .fetch_one(&mut shop.pg().await)
        .await
        .expect("sent");
    assert!(headers.contains(&format!("Message-ID: <cart.forgotten.{id}@shop.example>")), "{headers}");
    assert_eq!(count(&shop, "SELECT count(*) FROM outbox WHERE topic = 'mail.send'").await, 0);
}

#[tokio::test]
async fn carts_with_nothing_to_sell_and_strangers_get_none() {
    let shop = Shop::open().await;
    let (cleared, _) = forgetful(&shop).await;
    carts::clear(&shop.store, &cleared).await.expect("cleared");
    let guest = crate::carts::guest();
    shop.add(&guest, shop.book(3).await, 1).await;
    let retired = shop.shopper().await;
    shop.add(&retired, shop.book(3).await, 1).await;
    shop.drain().await;
    let retire = "UPDATE books SET retired_at = now() WHERE id IN
        (SELECT book_id FROM cart_lines JOIN carts USING (owner) WHERE account_id IS NOT NULL)";
    assert_eq!(sql(&shop, retire).await, 1);
    let report = abandoned::remind(&in_a_week(&shop).await).await.expect("looked");
    assert_eq!((report.seen, report.written), (1, 0));
}

#[tokio::test]
async fn a_retired_book_is_left_out_of_the_mail() {
    let shop = Shop::open().await;
    let (_, books) = forgetful(&shop).await;
    let retire = sqlx::query("UPDATE books SET retired_at = now() WHERE id = $1").bind(books[0].get());
    retire.execute(&mut shop.pg().await).await.expect("retired");
    let store = in_a_week(&shop).await;
    assert_eq!(remind(&store).await, 1);
    send(&store).await;
    let mail = mails(&shop).remove(0);
    assert!(!mail.contains("2 × ₹100") && mail.contains("1 × ₹100"), "{mail}");
}

#[tokio::test]
async fn nobody_is_reminded_after_an_order() {
    // Placed so many hours after the cart's last change.
    for (hours, mails) in [(1, 0), (-23, 0), (-25, 1)] {
        let shop = Shop::open().await;
        forgetful(&shop).await;
        order(&shop, hours).await;
        assert_eq!(remind(&in_a_week(&shop).await).await, mails, "{hours} h");
    }
}

/// An order of the shop's only account.
async fn order(shop: &Shop, hours: i32) {
    let insert =
        "INSERT INTO orders (id, number, owner, account_id, idempotency_key, fingerprint, status, email, address,
            currency, subtotal_minor, delivery_minor, total_minor, placed_at, expires_at)
        SELECT gen_random_uuid(), 'BB-1', owner, account_id, 'k', 'f', 'EXPIRED', 'a@example.org', '{}', 'INR', 1, 0, 1,
            updated_at + make_interval(hours => $1), now() FROM carts WHERE account_id IS NOT NULL";
    let done = sqlx::query(insert).bind(hours).execute(&mut shop.pg().await).await.expect("an order");
    assert_eq!(done.rows_affected(), 1);
}

#[tokio::test]
async fn what_happens_before_the_mail_leaves_counts() {
    for what in ["edited", "ordered", "retired", "unsubscribed", "cleared"] {
        let shop = Shop::open().await;
        let (owner, books) = forgetful(&shop).await;
        let store = in_a_week(&shop).await;
        assert_eq!(remind(&store).await, 1);
        match what {
            // Redis knows; Postgres does not yet.
            "edited" => drop(shop.add(&owner, books[0], 1).await),
            "cleared" => drop(carts::clear(&shop.store, &owner).await.expect("cleared")),
            "ordered" => order(&shop, 24).await,
            "retired" => drop(sql(&shop, "UPDATE books SET retired_at = now()").await),
            _ => drop(sql(&shop, "INSERT INTO mail_optouts SELECT email, 'cart.forgotten', now() FROM accounts").await),
        }
        send(&store).await;
        assert_eq!(mails(&shop), Vec::<String>::new(), "{what}");
        assert_eq!(count(&shop, "SELECT count(*) FROM outbox").await, 0, "{what}: nothing is left to do");
    }
}

#[tokio::test]
async fn who_unsubscribed_is_not_written_about() {
    let shop = Shop::open().await;
    forgetful(&shop).await;
    sql(&shop, "INSERT INTO mail_optouts SELECT email, 'order.paid', now() FROM accounts").await;
    let store = in_a_week(&shop).await;
    sql(&shop, "INSERT INTO mail_optouts SELECT email, 'cart.forgotten', now() FROM accounts").await;
    assert_eq!(remind(&store).await, 0);
    sql(&shop, "DELETE FROM mail_optouts WHERE kind = 'cart.forgotten'").await;
    assert_eq!(remind(&store).await, 1, "other mails are another matter");
}

#[tokio::test]
async fn a_new_state_gets_a_mail_of_its_own_but_a_new_price_is_none() {
    let shop = Shop::open().await;
    let (owner, books) = forgetful(&shop).await;
    let store = in_a_week(&shop).await;
    assert_eq!(remind(&store).await, 1);
    send(&store).await;
    assert_eq!(mails(&shop).len(), 1);
    // As the catalogue does it when a price changes: the cart moves on, its lines stay.
    sql(&shop, "UPDATE carts SET t = t + 5, v = v + 1, updated_at = updated_at + interval '5 ms'").await;
    assert_eq!(remind(&store).await, 0, "the shopper did nothing new");
    shop.add(&owner, books[1], 1).await;
    sql(&shop, "UPDATE carts SET t = t - 5").await;
    shop.drain().await;
    assert_eq!(remind(&store).await, 1, "they did");
}

#[tokio::test]
async fn many_carts_at_once_and_two_workers() {
    const MANY: i64 = 1_203;
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    let insert = "WITH people AS (INSERT INTO accounts (email, name, password_hash)
            SELECT 'p' || n || '@example.org', 'P', '-' FROM generate_series(1, $1) AS x (n) RETURNING id),
        carts AS (INSERT INTO carts (owner, account_id, v, t, updated_at)
            SELECT 'a:' || id, id, 1, 1000, now() FROM people RETURNING owner)
        SELECT count(*) FROM carts";
    let inserted: i64 = sqlx::query_scalar(insert).bind(MANY).fetch_one(&mut shop.pg().await).await.expect("carts");
    let lines = sqlx::query("INSERT INTO cart_lines (owner, book_id, quantity) SELECT owner, $1, 1 FROM carts");
    lines.bind(book.get()).execute(&mut shop.pg().await).await.expect("lines");
    assert_eq!(inserted, MANY);
    let (one, other) = (in_a_week(&shop).await, in_a_week(&shop).await);
    let (first, second) = tokio::join!(remind(&one), remind(&other));
    assert_eq!(first + second, MANY.unsigned_abs());
    assert_eq!(count(&shop, "SELECT count(*) FROM cart_mails").await, MANY);
    let work =
        "SELECT count(DISTINCT key) FROM outbox JOIN cart_mails ON key = cart_mails.id::text WHERE topic = 'mail.send'";
    assert_eq!(count(&shop, work).await, MANY);
}

#[tokio::test]
async fn a_worker_that_died_after_sending_sends_no_second_mail() {
    let shop = Shop::open().await;
    forgetful(&shop).await;
    let store = in_a_week(&shop).await;
    remind(&store).await;
    let row = "CREATE TABLE kept AS SELECT topic, key, payload, due_at FROM outbox";
    sql(&shop, row).await;
    send(&store).await;
    // The row is still there for the next worker.
    sql(&shop, "INSERT INTO outbox (topic, key, payload, due_at) SELECT * FROM kept").await;
    assert_eq!(mails(&shop).len(), 1);
    send(&store).await;
    assert_eq!(mails(&shop).len(), 0);
}

#[tokio::test]
async fn titles_and_names_cannot_break_out() {
    let shop = Shop::open().await;
    let (_, books) = forgetful(&shop).await;
    let nasty = sqlx::query("UPDATE books SET title = $2, authors = $3 WHERE id = $1")
        .bind(books[0].get())
        .bind("A\r\nBcc: evil@example.org\r\n\r\n<script>alert(1)</script>")
        .bind(["<img src=x>"]);
    nasty.execute(&mut shop.pg().await).await.expect("a nasty title");
    sql(&shop, "UPDATE accounts SET name = E'Asha\\r\\nX-Evil: yes\\r\\n <b>'").await;
    let store = in_a_week(&shop).await;
    remind(&store).await;
    send(&store).await;
    let mail = mails(&shop).remove(0);
    let (headers, body) = mail.split_once("\r\n\r\n").expect("headers and body");
    for injected in ["\nBcc:", "\nX-Evil:"] {
        assert!(!headers.contains(injected), "{headers}");
    }
    let (_, html) = body.split_once("<!doctype html>").expect("html");
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>"), "{html}");
}

#[tokio::test]
async fn a_week_is_a_setting() {
    let shop = Shop::open().await;
    forgetful(&shop).await;
    let mut config = shop.store.config().clone();
    config.abandoned_after = 2 * DAY;
    let store = Store::connect(config, Arc::new(Later(3 * DAY))).await.expect("connect");
    assert_eq!(remind(&store).await, 1);
}
