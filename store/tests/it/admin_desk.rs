//! What stands around one order, and two people of the shop who act on it at once.

use crate::orders::shop::{Shop, request};
use domain::{ErrorCode, IdempotencyKey, Minor, OrderId, address::Address, desk::OrderDesk, order::OrderStatus};
use store::{
    admin::desk,
    error::Error,
    jobs::{DrainOutbox, Job},
    orders,
    payments::{self, refund},
    viewer::Viewer,
};

async fn around(shop: &Shop, admin: &Viewer, order: OrderId) -> OrderDesk {
    desk::desk(&shop.store, admin, order).await.expect("read").expect("there")
}

fn refusal<T: std::fmt::Debug>(refused: Result<T, Error>) -> (ErrorCode, String) {
    let refusal = refused.expect_err("a refusal").to_api();
    (refusal.code, refusal.message)
}

/// Another person than [`Shop::admin`]'s.
async fn asha(shop: &Shop) -> Viewer {
    let admin = shop.admin().await;
    let account = admin.owner.account().expect("an account");
    let update = "UPDATE accounts SET name = 'Asha' WHERE id = $1";
    sqlx::query(update).bind(account.get()).execute(&shop.pg).await.expect("a name");
    admin
}

async fn send_mails(shop: &Shop) {
    sqlx::query("UPDATE outbox SET due_at = now() - interval '1 second'").execute(&shop.pg).await.expect("due");
    let lane = DrainOutbox::MAIL;
    while let Some(batch) = lane.fetch(&shop.store).await.expect("look for mails") {
        lane.handle(&shop.store, batch).await.expect("send");
    }
}

#[tokio::test]
async fn of_two_admins_one_wins_and_the_other_is_told_who() {
    let shop = Shop::open().await;
    let (boss, asha, book) = (shop.admin().await, asha(&shop).await, shop.book(5).await);
    let (_, order) = shop.paid_order(&[(book, 1)]).await;
    let (one, two) = tokio::join!(
        orders::begin_packing(&shop.store, &boss, order),
        orders::begin_packing(&shop.store, &asha, order)
    );
    assert!(one.is_ok() != two.is_ok(), "one of them wins: {one:?} {two:?}");
    let winner = if one.is_ok() { "Boss" } else { "Asha" };
    let (code, said) = refusal(one.and(two));
    assert_eq!(code, ErrorCode::Conflict);
    assert!(said.starts_with(&format!("{winner} was quicker and started packing just now.")), "{said}");

    orders::ship(&shop.store, &asha, order, "Blue Dart", None).await.expect("sent");
    let (_, said) = refusal(orders::ship(&shop.store, &boss, order, "Blue Dart", None).await);
    assert!(said.starts_with("Asha was quicker and handed the parcel to the carrier"), "{said}");
    let (_, said) = refusal(orders::call_off(&shop.store, &boss, order, "Too late").await);
    assert!(said.starts_with("Asha was quicker") && said.ends_with("it is: on its way."), "{said}");
    orders::ship(&shop.store, &asha, order, "Blue Dart", None).await.expect("her own second press is none");

    let (_, other) = shop.paid_order(&[(book, 1)]).await;
    orders::call_off(&shop.store, &asha, other, "A flood").await.expect("called off");
    let (_, said) = refusal(orders::begin_packing(&shop.store, &boss, other).await);
    assert!(said.starts_with("Asha was quicker and cancelled the order just now."), "{said}");
    let (_, said) = refusal(orders::call_off(&shop.store, &boss, other, "A flood").await);
    assert!(said.contains("Asha was quicker and cancelled"), "{said}");
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn whoever_loses_a_refund_against_another_is_told_who() {
    let shop = Shop::open().await;
    let (boss, asha, book) = (shop.admin().await, asha(&shop).await, shop.book(9).await);
    let (_, order) = shop.paid_order(&[(book, 1)]).await;
    let wanted = |amount: Option<i64>, key: &str| refund::Wanted {
        of: refund::Of::Order(order),
        amount: amount.map(Minor::new),
        reason: "A bent corner".into(),
        restock: false,
        key: IdempotencyKey::parse(key).expect("a key"),
        agreed: None,
    };
    // Both pages show the same state of the order, so both make the same key.
    let (first, same) = (wanted(Some(100), "seen"), wanted(Some(100), "seen"));
    let (one, two) =
        tokio::join!(refund::create(&shop.store, &boss, &first), refund::create(&shop.store, &asha, &same));
    assert!(one.is_ok() != two.is_ok(), "one of them wins: {one:?} {two:?}");
    let (winner, quicker) = if one.is_ok() { (&boss, "Boss") } else { (&asha, "Asha") };
    let loser = if one.is_ok() { &asha } else { &boss };
    let told = format!("{quicker} was quicker and sent money back just now. Please look at its refunds again.");
    assert_eq!(refusal(one.and(two)), (ErrorCode::Conflict, told.clone()));
    for other in [wanted(Some(100), "seen"), wanted(None, "seen")] {
        assert_eq!(refusal(refund::create(&shop.store, loser, &other).await).1, told);
    }
    refund::create(&shop.store, winner, &first).await.expect("one's own second press is none");

    refund::create(&shop.store, winner, &wanted(None, "all")).await.expect("the rest");
    let (code, said) = refusal(refund::create(&shop.store, loser, &wanted(None, "none")).await);
    let gone = format!("{quicker} was quicker and sent money back just now. All the money of this payment is back");
    assert!(code == ErrorCode::Conflict && said.starts_with(&gone), "{said}");
    let (_, said) = refusal(refund::create(&shop.store, winner, &wanted(None, "again")).await);
    assert!(said.starts_with("All the money"), "{said}");
    // Who sent it back long ago was not quicker.
    sqlx::query("UPDATE order_history SET at = at - interval '6 minutes'").execute(&shop.pg).await.expect("later");
    for key in ["none", "seen"] {
        let (code, said) = refusal(refund::create(&shop.store, loser, &wanted(None, key)).await);
        assert!(code == ErrorCode::Conflict && !said.contains("was quicker"), "{said}");
    }
    assert_eq!(shop.count("SELECT count(*) FROM refunds").await, 2);
    shop.assert_sound().await;
}

#[tokio::test]
async fn an_address_is_mended_until_the_parcel_leaves_and_by_one_person_at_a_time() {
    let shop = Shop::open().await;
    let (boss, asha, book) = (shop.admin().await, asha(&shop).await, shop.book(5).await);
    let (_, order) = shop.paid_order(&[(book, 1)]).await;
    orders::begin_packing(&shop.store, &boss, order).await.expect("packed");
    let to = |name: &str| Address { name: name.to_owned(), ..request().address };
    desk::change_address(&shop.store, &asha, order, &to("Zebunnisa Khan"), 0).await.expect("changed");
    let (code, said) = refusal(desk::change_address(&shop.store, &boss, order, &to("Somebody Else"), 0).await);
    assert_eq!(
        (code, said.starts_with("Asha was quicker and changed the address just now.")),
        (ErrorCode::Conflict, true),
        "{said}"
    );
    let seen = around(&shop, &boss, order).await;
    assert!(seen.notes[0].text.contains("Asha Rao") && seen.notes[0].by == "Asha", "{:?}", seen.notes);
    let on_parcel = "SELECT count(*) FROM shipments s JOIN orders o ON o.id = s.order_id
                     WHERE s.address ->> 'name' = 'Zebunnisa Khan' AND o.address = s.address";
    assert_eq!(shop.count(on_parcel).await, 1);
    let found = store::admin::board::Wanted { search: Some("zebunnisa".into()), ..Default::default() };
    assert_eq!(store::admin::board::page(&shop.store, &found).await.expect("a page").orders.len(), 1);
    orders::ship(&shop.store, &boss, order, "Blue Dart", None).await.expect("sent");
    let late = desk::change_address(&shop.store, &boss, order, &to("Late"), seen.address_no).await;
    assert_eq!(refusal(late).0, ErrorCode::Conflict);
    assert_eq!(shop.count("SELECT count(*) FROM admin_audit WHERE action = 'order.address'").await, 1);
}

#[tokio::test]
async fn notes_stay_and_messages_go_out_again_as_their_own() {
    let shop = Shop::open().await;
    let (admin, book) = (shop.admin().await, shop.book(5).await);
    let (owner, order) = shop.paid_order(&[(book, 1)]).await;
    assert_eq!(refusal(desk::note(&shop.store, &admin, order, " ").await).0, ErrorCode::InvalidFields);
    desk::note(&shop.store, &admin, order, "Wrap it as a present").await.expect("kept");
    send_mails(&shop).await;
    let seen = around(&shop, &admin, order).await;
    assert_eq!(seen.notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["Wrap it as a present"]);
    let told: Vec<_> = seen.messages.iter().map(|told| (told.what.as_str(), told.channel.as_str())).collect();
    assert_eq!(told, [("Receipt", "mail")], "“please pay” has no reason any more");

    let receipt = seen.messages[0].id;
    desk::resend(&shop.store, &admin, order, receipt).await.expect("asked");
    let (code, _) = refusal(desk::resend(&shop.store, &admin, order, receipt).await);
    assert_eq!(code, ErrorCode::Conflict, "not twice within a minute");
    send_mails(&shop).await;
    let abouts = "SELECT count(DISTINCT about) FROM order_messages WHERE kind = 'order.paid'";
    assert_eq!(shop.count(abouts).await, 2, "a message of its own");
    assert_eq!(shop.count("SELECT count(*) FROM admin_audit WHERE action IN ('order.note', 'order.message')").await, 2);
    let shopper = orders::get(&shop.store, &Viewer::new(owner), order).await.expect("read").expect("there");
    assert!(!serde_json::to_string(&shopper).expect("JSON").contains("present"), "the shopper sees no note");
}

#[tokio::test]
async fn the_desk_says_why_an_order_is_where_it_is() {
    let shop = Shop::open().await;
    let (admin, book) = (shop.admin().await, shop.book(9).await);
    let (_, waiting) = shop.waiting_order(&[(book, 1)]).await;
    assert!(around(&shop, &admin, waiting).await.why.contains("writes orders down"));
    shop.persist_all().await;
    let seen = around(&shop, &admin, waiting).await;
    assert!(seen.why.starts_with("Waiting for its shopper") && seen.next.is_some_and(|next| next.what == "expires"));
    assert_eq!(
        seen.movements.iter().map(|row| (row.kind.as_str(), row.reserved)).collect::<Vec<_>>(),
        [("reserve", 1)]
    );
    let pay = shop.capture(waiting).await;
    sqlx::query("UPDATE payments SET ask_at = now() + interval '40 seconds'")
        .execute(&shop.pg)
        .await
        .expect("a question");
    let seen = around(&shop, &admin, waiting).await;
    assert!(seen.why.starts_with("Waiting for the webhook of Sandbox Pay"), "{}", seen.why);
    let next = seen.next.expect("a check");
    assert!(next.what == "next check" && (35_000..=40_000).contains(&next.at.since(seen.server_time)), "{next:?}");
    pay.await;
    assert!(around(&shop, &admin, waiting).await.why.starts_with("Paid. It waits"));
    orders::call_off(&shop.store, &admin, waiting, "Out of print").await.expect("called off");
    let seen = around(&shop, &admin, waiting).await;
    assert!(seen.why.contains("is on its way back. Sandbox Pay is about to be asked"), "{}", seen.why);
    assert!(seen.work.iter().any(|work| work.what == "Ask for the refund"), "{:?}", seen.work);
    sqlx::query(
        "INSERT INTO dead_letters (source, key, payload, error, attempts)
         SELECT 'outbox', topic || ':' || key, jsonb_build_object('topic', topic, 'key', key, 'payload', payload), 'no', 10
         FROM outbox WHERE topic = 'refund.request'",
    )
    .execute(&shop.pg)
    .await
    .expect("a letter");
    let seen = around(&shop, &admin, waiting).await;
    assert!(seen.why.ends_with("Work of it was given up: Ask for the refund; see the dead letters."), "{}", seen.why);
    assert_eq!(seen.letters.len(), 1);
    let packer = Viewer { role: domain::account::Role::Packer, ..admin };
    let seen = around(&shop, &packer, waiting).await;
    assert!(seen.work.is_empty() && seen.letters.is_empty(), "work is not a packer's to see");
    assert_eq!(shop.status(waiting).await, Some(OrderStatus::Cancelled));
}

#[tokio::test]
async fn money_kept_apart_is_let_go_once_for_a_reason_and_after_a_question() {
    let shop = Shop::open().await;
    let (admin, book) = (shop.admin().await, shop.book(5).await);
    let (_, order) = shop.paid_order(&[(book, 1)]).await;
    let event: i64 = sqlx::query_scalar(
        "INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, note, received_at, order_id, brings_money)
         VALUES ('sandbox', 'e', 'payment.captured', '{}', 'quarantined', 'another amount', now(), $1, true) RETURNING id",
    )
    .bind(order.get())
    .fetch_one(&shop.pg)
    .await
    .expect("an event");
    sqlx::query("INSERT INTO dead_letters (source, key, payload, error, attempts) VALUES ('webhook_inbox', $1, '{}', 'another amount', 1)")
        .bind(event.to_string())
        .execute(&shop.pg)
        .await
        .expect("its letter");
    let go = |reason: &'static str, agreed| payments::let_go(&shop.store, &admin, event, reason, agreed);
    assert_eq!(refusal(go(" ", Some("")).await).0, ErrorCode::InvalidFields);
    let asked = go("Sent back by hand", Some("")).await.expect_err("asked first").to_api();
    assert!(
        asked.code == ErrorCode::NeedsConfirmation && asked.message.contains("nothing here sends it back"),
        "{asked}"
    );
    assert_eq!(payments::quarantined(&shop.store, Some(order)).await.expect("a list").len(), 1);
    let mark = asked.fields["agreed"].clone();
    payments::let_go(&shop.store, &admin, event, "Sent back by hand", Some(&mark)).await.expect("let go");
    assert!(payments::quarantined(&shop.store, None).await.expect("a list").is_empty());
    assert_eq!(refusal(go("Again", None).await).0, ErrorCode::NotFound);
    let kept = "SELECT count(*) FROM dead_letters WHERE state = 'discarded' AND reason = 'Sent back by hand'";
    assert_eq!(shop.count(kept).await, 1);
    assert_eq!(shop.count("SELECT count(*) FROM admin_audit WHERE action = 'money.let_go'").await, 1);
    shop.assert_sound().await;
}
