//! What people are told of an order, on real servers: each step once, with the change that gives the reason, whatever
//! the mail server does; and where the link of a mail leads.

use crate::{
    mail::{Later, decoded},
    orders::shop::{Shop, request},
};
use domain::{OrderId, order::OrderStatus};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store::{
    Store,
    config::StoreConfig,
    jobs::{DrainOutbox, Job},
    mail::{SmtpServer, Way},
    orders,
    sms::segments,
};

/// Longer than "please pay" waits for those who pay at once.
const A_MINUTE: Duration = Duration::from_secs(60);

async fn shop_with_phones() -> Shop {
    Shop::open_with(|config| config.sms = Some(folder(config).with_extension("sms"))).await
}

fn folder(config: &StoreConfig) -> PathBuf {
    let Way::Files(folder) = &config.mail.way else { panic!("mails are not files here") };
    folder.clone()
}

/// The shop as another process sees it a minute later.
async fn a_minute_later(shop: &Shop) -> Store {
    Store::connect(shop.store.config().clone(), Arc::new(Later(A_MINUTE))).await.expect("connect")
}

/// Everything that is due in the two lanes.
async fn send(store: &Store) {
    for lane in [DrainOutbox::MAIL, DrainOutbox::SMS] {
        while let Some(batch) = lane.fetch(store).await.expect("fetched") {
            lane.handle(store, batch).await.expect("handled");
        }
    }
}

/// What is in the folder, by kind: `order.paid`.
fn told(folder: &Path) -> Vec<(String, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let kind = |file: &Path| {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        name.split('-').nth(1).expect("a kind").to_owned()
    };
    files.iter().map(|file| (kind(file), decoded(&std::fs::read_to_string(file).expect("a message")))).collect()
}

fn kinds(told: &[(String, String)]) -> Vec<&str> {
    told.iter().map(|(kind, _)| kind.as_str()).collect()
}

fn mails(shop: &Shop) -> Vec<(String, String)> {
    told(&folder(shop.store.config()))
}

fn notes(shop: &Shop) -> Vec<(String, String)> {
    told(shop.store.config().sms.as_ref().expect("phones"))
}

fn forget(shop: &Shop) {
    let _ = std::fs::remove_dir_all(folder(shop.store.config()));
    let _ = shop.store.config().sms.as_ref().map(std::fs::remove_dir_all);
}

async fn order(shop: &Shop) -> OrderId {
    let book = shop.book(5).await;
    shop.payable_order(&[(book, 2)]).await.1
}

#[tokio::test]
async fn who_does_not_pay_at_once_is_asked_to_and_told_when_it_is_over() {
    let shop = shop_with_phones().await;
    let order = order(&shop).await;
    send(&shop.store).await;
    assert_eq!(mails(&shop), [], "they may be paying right now");
    send(&a_minute_later(&shop).await).await;
    let placed = mails(&shop);
    assert_eq!(kinds(&placed), ["order.placed"]);
    assert!(placed[0].1.contains("To: \"Asha Rao\" <asha@example.org>"), "{}", placed[0].1);
    assert!(placed[0].1.contains("Pay ₹1,047"), "{}", placed[0].1);
    forget(&shop);

    shop.let_time_pass(order).await;
    shop.expire_due().await;
    send(&shop.store).await;
    assert_eq!((kinds(&mails(&shop)), kinds(&notes(&shop))), (vec!["order.expired"], vec![]));
    forget(&shop);
    assert_eq!(shop.count("SELECT count(*) FROM outbox WHERE topic IN ('mail.send', 'sms.send')").await, 0);
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn who_pays_at_once_gets_the_receipt_only_however_often_the_webhook_comes() {
    let shop = shop_with_phones().await;
    let order = order(&shop).await;
    let pay = shop.capture(order).await;
    pay.await;
    assert_eq!(shop.count("SELECT count(*) FROM outbox WHERE topic = 'mail.send'").await, 2);
    let late = a_minute_later(&shop).await;
    send(&late).await;
    send(&late).await;
    let (mails, notes) = (mails(&shop), notes(&shop));
    assert_eq!((kinds(&mails), kinds(&notes)), (vec!["order.paid"], vec!["order.paid"]));
    assert!(mails[0].1.contains(&format!("Message-ID: <order.paid.{order}.2@shop.example>")), "{}", mails[0].1);
    assert!(notes[0].1.starts_with("To: +919845012345\n"), "{}", notes[0].1);
    let (_, text) = notes[0].1.split_once("\n\n").expect("a text");
    assert!(text.contains("is paid, Rs 1,047.") && segments(text.trim()) == 1, "{text}");
    forget(&shop);
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_change_that_is_not_committed_tells_nobody() {
    let shop = shop_with_phones().await;
    let book = shop.book(5).await;
    let (owner, order) = shop.payable_order(&[(book, 1)]).await;
    let mut tx = shop.pg.begin().await.expect("begin");
    sqlx::query("ALTER TABLE outbox ADD CONSTRAINT broken CHECK (topic <> 'mail.send') NOT VALID")
        .execute(&mut *tx)
        .await
        .expect("alter");
    tx.commit().await.expect("commit");
    shop.cancel(&owner, order).await.expect_err("the mail cannot be written down");
    assert_eq!(shop.status(order).await, Some(OrderStatus::PaymentPending), "so the order is not cancelled either");
    sqlx::query("ALTER TABLE outbox DROP CONSTRAINT broken").execute(&shop.pg).await.expect("alter");
    for _ in 0..2 {
        shop.cancel(&owner, order).await.expect("cancelled");
    }
    send(&shop.store).await;
    assert_eq!(kinds(&mails(&shop)), ["order.cancelled"]);
    forget(&shop);
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn a_mail_server_that_is_away_holds_up_no_order_and_no_short_message() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listen").local_addr().expect("its address");
    let shop = Shop::open_with(|config| {
        config.sms = Some(folder(config).with_extension("sms"));
        config.mail.way = Way::Smtp(SmtpServer::parse(&format!("smtp://{gone}")).expect("a URL"));
    })
    .await;
    let order = order(&shop).await;
    shop.capture(order).await.await;
    send(&shop.store).await;
    assert_eq!(shop.status(order).await, Some(OrderStatus::Paid));
    assert_eq!(kinds(&notes(&shop)), ["order.paid"]);
    let waiting = "SELECT count(*) FROM outbox WHERE topic = 'mail.send' AND attempts = 0 AND due_at > now()";
    assert_eq!(shop.count(waiting).await, 2, "both wait, and no attempt was counted");
    let _ = shop.store.config().sms.as_ref().map(std::fs::remove_dir_all);
    shop.assert_sound().await;
}

#[tokio::test]
async fn without_phones_short_messages_are_let_go() {
    let shop = Shop::open().await;
    let order = order(&shop).await;
    shop.capture(order).await.await;
    send(&shop.store).await;
    assert_eq!(shop.count("SELECT count(*) FROM outbox WHERE topic = 'sms.send'").await, 0);
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0);
    forget(&shop);
}

#[tokio::test]
async fn odd_names_stay_in_their_place() {
    let shop = shop_with_phones().await;
    let book = shop.book(5).await;
    let owner = shop.shopper(&[(book, 1)]).await;
    let mut request = request();
    request.address.name = "Asha\" <evil@example.org>,\u{2028}Bcc: x".into();
    let key = domain::IdempotencyKey::parse("odd").expect("a key");
    let placed = orders::place(&shop.store, &owner, request, key, None).await.expect("placed");
    shop.persist_all().await;
    sqlx::query("UPDATE order_items SET title = E'T\\r\\nBcc: evil@example.org <b>'")
        .execute(&shop.pg)
        .await
        .expect("title");
    shop.capture(placed.order_id).await.await;
    send(&shop.store).await;
    let mail = &mails(&shop)[0].1;
    let (head, body) = mail.split_once("\r\n\r\n").expect("a head");
    assert!(!head.lines().any(|line| line.starts_with("Bcc:")), "{head}");
    assert_eq!(head.matches("asha@example.org").count(), 1, "{head}");
    assert!(body.contains("* T Bcc: evil@example.org <b>") && body.contains("evil@example.org &lt;b&gt;"), "{body}");
    forget(&shop);
}

#[tokio::test]
async fn the_link_of_a_mail_names_its_order_and_no_other_link_does() {
    let shop = Shop::open().await;
    let order = order(&shop).await;
    send(&a_minute_later(&shop).await).await;
    let mail = mails(&shop).remove(0).1;
    let token = crate::mail::token(&mail, "orders/open");
    let (found, owner) = orders::of_link(&shop.store, &token).await.expect("looked").expect("an order");
    assert_eq!((found, owner.guest().is_some()), (order, true));
    for bad in ["", "x", &token[1..], &token.replace(['0', '1'], "2"), &format!("{token}00")] {
        assert_eq!(orders::of_link(&shop.store, bad).await.expect("looked"), None, "{bad}");
    }
    forget(&shop);
}
