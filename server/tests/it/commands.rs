//! The command line.

use crate::shop::Shop;
use std::process::Output;

fn said(output: &Output) -> (bool, String) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_one_clear_line() {
    let shop = Shop::prepare(&[("BAZAR_ORDER_TTL_SECONDS", "soon")]).await;
    let (ok, text) = said(&shop.run(&["all"]));
    assert!(!ok);
    assert_eq!(text.trim(), "bazar: BAZAR_ORDER_TTL_SECONDS must be a whole number from 1 to 86400, not \"soon\"");
    let nobody = Shop::prepare(&[("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")]).await;
    let (ok, text) = said(&nobody.run(&["migrate"]));
    assert!(!ok && text.lines().count() == 1 && text.starts_with("bazar: postgres"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_behind_is_not_served() {
    let server = std::env::var("BAZAR_TEST_DATABASE_URL").expect("BAZAR_TEST_DATABASE_URL");
    // The server's own database never holds a shop.
    let shop = Shop::prepare(&[("DATABASE_URL", &server)]).await;
    for command in ["all", "web", "worker", "check"] {
        let (ok, text) = said(&shop.run(&[command]));
        assert!(!ok && text.contains("run `bazar migrate`"), "{command}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_all_or_nothing_and_says_why() {
    let shop = Shop::prepare(&[]).await;
    let (ok, text) = said(&shop.import("sku,title,price_inr,stock\nA,One,100,1\nB,Two,dear,1\nC,Three,100,-1\n"));
    assert!(!ok);
    assert!(text.contains("line 3:") && text.contains("line 4:") && !text.contains("line 2:"), "{text}");
    assert!(text.contains("2 of 3 lines were refused, so nothing was imported"), "{text}");
    let (ok, text) = said(&shop.import("sku,title,price_inr,stock\nA,One,100,1\n"));
    assert!(ok && text.contains("1 books added"), "{text}");
    let (ok, text) = said(&shop.run(&["import", "/no/such/file.csv"]));
    assert!(!ok && text.contains("cannot read"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_books_come_in_whole() {
    let Ok(file) = std::env::var("BAZAR_REAL_BOOKS") else {
        eprintln!("SKIPPED: BAZAR_REAL_BOOKS does not say where real-books.csv is");
        return;
    };
    let mut shop = Shop::prepare(&[]).await;
    let (ok, text) = said(&shop.run(&["import", &file]));
    assert!(ok && text.contains("9278 lines"), "{text}");
    shop.spawn("all");
    shop.wait_until_ready().await;
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_is_for_development_and_may_be_repeated() {
    let shop = Shop::prepare(&[]).await;
    for _ in 0..2 {
        let (ok, text) = said(&shop.run(&["seed"]));
        assert!(ok && text.contains("admin@bookbazar.local"), "{text}");
    }
    let live = Shop::prepare(&[("BAZAR_ENV", "production")]).await;
    let (ok, text) = said(&live.run(&["seed"]));
    assert!(!ok && text.contains("BAZAR_ENV=production"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admins_password_is_never_an_argument() {
    let shop = Shop::prepare(&[("BAZAR_ADMIN_PASSWORD", "short")]).await;
    let (ok, text) = said(&shop.run(&["admin", "create", "boss@example.org", "--name", "Boss"]));
    assert!(!ok && text.contains("password: Use at least 8 characters."), "{text}");
    let silent = Shop::prepare(&[]).await;
    let (ok, text) = said(&silent.run(&["admin", "create", "boss@example.org", "--name", "Boss"]));
    assert!(!ok && text.contains("BAZAR_ADMIN_PASSWORD"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_failed_and_what_drifted_apart_can_be_mended_by_hand() {
    let shop = Shop::prepare(&[]).await;
    let (ok, text) = said(&shop.run(&["dead-letters"]));
    assert!(ok && text.contains("nothing is parked"), "{text}");
    let (ok, text) = said(&shop.run(&["dead-letters", "retry", "7"]));
    assert!(!ok && text.contains("there is no dead letter 7"), "{text}");
    let (ok, text) = said(&shop.run(&["dead-letters", "retry-all", "nowhere"]));
    assert!(
        !ok && text.contains("there are: outbox, gate_ops, placed, cart, sandbox_events, webhook_inbox, expiry"),
        "{text}"
    );
    let (ok, text) = said(&shop.run(&["reconcile"]));
    assert!(ok && text.contains("carts: 0 compared") && text.contains("stock: 0 books"), "{text}");
    let (ok, text) = said(&shop.run(&["reconcile", "carts"]));
    assert!(ok && !text.contains("stock:"), "{text}");
}
