//! What no webhook told is learned by asking; a provider that is away keeps nobody; statements are compared.

use super::{
    captured, code, deliver,
    ledger::Ledger,
    pay_page, send, sessions,
    standins::{Fault, Kind},
    street::Street,
};
use crate::clock::Clock;
use domain::ErrorCode;
use std::sync::Arc;
use store::{
    Store,
    jobs::Job,
    orders::ExpireOrders,
    payments::{self, Received, VerifyPayments, provider::SessionState, reconcile, refund},
    sandbox::{self, Press},
};

/// Another process of the same shop, whose clock the test moves.
async fn later(street: &Street) -> (Store, Arc<Clock>) {
    let clock = Arc::new(Clock::default());
    let store = Store::connect(street.store.config().clone(), clock.clone()).await.unwrap();
    (store, clock)
}

/// Asks everything that is to be asked now.
async fn ask(store: &Store) {
    while let Some(batch) = VerifyPayments.fetch(store).await.unwrap() {
        VerifyPayments.handle(store, batch).await.unwrap();
    }
}

#[tokio::test]
async fn all_webhooks_lost_and_still_paid_within_three_minutes() {
    let street = Street::open().await;
    let (store, clock) = later(&street).await;
    let ledger = Ledger::of(&store).await;
    let order = ledger.waiting_for_payment().await;
    let (_, page) = pay_page(&street, order).await;
    sandbox::press(&store, &page, Press::Pay).await.unwrap().unwrap();
    ask(&store).await;
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | open | persisted", "not yet");
    clock.pass(110_000);
    ask(&store).await;
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | open | persisted", "not yet");
    // Of two workers one asks.
    clock.pass(15_000);
    let (one, two) = tokio::join!(VerifyPayments.fetch(&store), VerifyPayments.fetch(&store));
    let batches: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 1);
    for batch in batches {
        VerifyPayments.handle(&store, batch).await.unwrap();
    }
    let paid = "PAID | captured | persisted,payment_captured";
    assert_eq!(ledger.story(order).await, paid);
    // The lost webhook comes after all.
    deliver(&street.store).await;
    assert_eq!(ledger.story(order).await, paid);
    assert_eq!(
        ledger.text("SELECT string_agg(kind || ' ' || outcome, ',' ORDER BY id) FROM webhook_inbox").await,
        "asked.paid applied,payment.captured ignored"
    );
}

#[tokio::test]
async fn what_was_declined_or_closed_is_noted_and_what_is_lost_is_found() {
    let street = Street::open().await;
    let (store, clock) = later(&street).await;
    let ledger = Ledger::of(&store).await;
    let (declined, unnamed, ended) =
        (ledger.waiting_for_payment().await, ledger.waiting_for_payment().await, ledger.waiting_for_payment().await);
    let (_, page) = pay_page(&street, declined).await;
    sandbox::press(&store, &page, Press::Decline).await.unwrap().unwrap();
    let (_, page) = pay_page(&street, unnamed).await;
    sandbox::press(&store, &page, Press::Pay).await.unwrap().unwrap();
    // As if the shop had crashed before it could write the provider's answer down.
    ledger
        .run(
            "UPDATE payments SET status = 'creating', provider_ref = NULL, redirect_url = NULL
                WHERE id = (SELECT id FROM payments ORDER BY created_at DESC LIMIT 1)",
        )
        .await;
    let (payment, page) = pay_page(&street, ended).await;
    sqlx::query("UPDATE orders SET status = 'EXPIRED' WHERE id = $1")
        .bind(ended.id.get())
        .execute(&ledger.pg)
        .await
        .unwrap();
    clock.pass(121_000);
    ask(&store).await;
    assert_eq!(ledger.story(declined).await, "PAYMENT_PENDING | declined | persisted,payment_failed");
    assert_eq!(ledger.story(unnamed).await, "PAID | captured | persisted,payment_captured");
    assert_eq!(ledger.story(ended).await, "EXPIRED | closed | persisted");
    assert_eq!(sandbox::get(&store, &page).await.unwrap().unwrap().status, "closed");
    payments::close(&store, payment).await.unwrap();
    // Another card may be tried as long as the order takes money.
    clock.pass(121_000);
    assert_eq!(VerifyPayments.fetch(&store).await.unwrap().unwrap().len(), 1);
    ledger.run("UPDATE orders SET status = 'EXPIRED' WHERE status = 'PAYMENT_PENDING'").await;
    clock.pass(121_000);
    ask(&store).await;
    clock.pass(121_000);
    assert!(VerifyPayments.fetch(&store).await.unwrap().is_none(), "nothing is asked about any more");
}

/// The first card is refused, which the shop hears; the second one works, which it does not.
#[tokio::test]
async fn a_second_card_that_no_webhook_told_of_pays() {
    let street = Street::open().await;
    let (store, clock) = later(&street).await;
    let ledger = Ledger::of(&store).await;
    let order = ledger.waiting_for_payment().await;
    let (_, page) = pay_page(&street, order).await;
    sandbox::press(&street.store, &page, Press::DeclineThenPay).await.unwrap().unwrap();
    deliver(&street.store).await;
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | declined | persisted,payment_failed");
    clock.pass(121_000);
    ledger.run("UPDATE sandbox.payments SET paid_at = now()").await;
    ask(&store).await;
    assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_failed,payment_captured");
}

/// At each provider: paid, told by nobody, asked about.
#[tokio::test]
async fn every_provider_is_asked_and_believed() {
    let (store, ledger, stand_ins) = sessions::shop().await;
    for stand_in in &stand_ins {
        let order = ledger.waiting_for_payment().await;
        sessions::init(&store, order, stand_in.kind).await.unwrap();
        let session = stand_in.desk().sessions.last().unwrap().id.clone();
        stand_in.set(&session, SessionState::Paid);
        ledger.run("UPDATE payments SET ask_at = now() - interval '1 second' WHERE status = 'open'").await;
        ask(&store).await;
        assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_captured", "{:?}", stand_in.kind);
    }
}

/// The bank takes its time; the order ends before, and takes the money that comes then as late money.
#[tokio::test]
async fn money_that_was_under_way_when_the_order_ended_comes_late() {
    let (store, ledger, stand_ins) = sessions::shop().await;
    let order = ledger.waiting_for_payment().await;
    sessions::init(&store, order, Kind::Stripe).await.unwrap();
    let session = stand_ins[0].desk().sessions[0].id.clone();
    stand_ins[0].set(&session, SessionState::Processing);
    ledger.run("UPDATE orders SET expires_at = now() - interval '1 second'").await;
    let due = ExpireOrders.fetch(&store).await.unwrap().unwrap();
    ExpireOrders.handle(&store, due).await.unwrap();
    assert_eq!(ledger.story(order).await, "EXPIRED | open | persisted,deadline_passed");
    for (state, story) in [
        (SessionState::Processing, "EXPIRED | open | persisted,deadline_passed"),
        (SessionState::Paid, "EXPIRED | late | persisted,deadline_passed,late_money_came"),
    ] {
        stand_ins[0].set(&session, state);
        ledger.run("UPDATE payments SET ask_at = now() - interval '1 second' WHERE status = 'open'").await;
        ask(&store).await;
        assert_eq!(ledger.story(order).await, story);
    }
}

/// Asked for under our name long after the order's end, a provider makes no session any more: there is none to be paid.
#[tokio::test]
async fn a_session_that_nobody_knows_is_not_asked_about_for_ever() {
    let (store, ledger, stand_ins) = sessions::shop().await;
    let (unmade, foreign) = (ledger.waiting_for_payment().await, ledger.waiting_for_payment().await);
    stand_ins[0].desk().fault = Some(Fault::Cut);
    assert!(sessions::init(&store, unmade, Kind::Stripe).await.is_err());
    stand_ins[0].desk().fault = None;
    sessions::init(&store, foreign, Kind::Razorpay).await.unwrap();
    stand_ins[1].desk().sessions.clear();
    ledger.run("UPDATE orders SET status = 'EXPIRED', expires_at = now() - interval '3 hours'").await;
    ledger.run("UPDATE payments SET ask_at = now() - interval '1 second'").await;
    ask(&store).await;
    for order in [unmade, foreign] {
        assert_eq!(ledger.story(order).await, "EXPIRED | closed | persisted");
    }
    assert_eq!(ledger.text("SELECT count(ask_at)::text FROM payments").await, "0");
}

#[tokio::test]
async fn the_end_looks_at_the_provider_first_and_comes_all_the_same() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let (paid, open) = (ledger.waiting_for_payment().await, ledger.waiting_for_payment().await);
    let (_, page) = pay_page(&street, paid).await;
    sandbox::press(store, &page, Press::Pay).await.unwrap().unwrap();
    let (_, page) = pay_page(&street, open).await;
    ledger.run("UPDATE orders SET expires_at = now() - interval '1 second'").await;
    let due = ExpireOrders.fetch(store).await.unwrap().unwrap();
    ExpireOrders.handle(store, due).await.unwrap();
    assert_eq!(ledger.story(paid).await, "PAID | captured | persisted,payment_captured", "no webhook came");
    assert_eq!(ledger.story(open).await, "EXPIRED | closed | persisted,deadline_passed");
    assert_eq!(sandbox::get(store, &page).await.unwrap().unwrap().status, "closed");

    let alone = ledger.waiting_for_payment().await;
    pay_page(&street, alone).await;
    ledger.run("UPDATE orders SET expires_at = now() - interval '1 second'").await;
    street.break_provider(true);
    let due = ExpireOrders.fetch(store).await.unwrap().unwrap();
    ExpireOrders.handle(store, due).await.unwrap();
    assert_eq!(ledger.story(alone).await, "EXPIRED | open | persisted,deadline_passed");
    assert_eq!(ledger.text("SELECT count(*)::text FROM outbox WHERE topic = 'payment.close'").await, "1");
}

#[tokio::test]
async fn a_dead_provider_is_left_alone_until_one_call_finds_it_back() {
    let street = Street::open().await;
    let (store, clock) = later(&street).await;
    let ledger = Ledger::of(&store).await;
    let order = ledger.waiting_for_payment().await;
    street.break_provider(true);
    let viewer = order.viewer();
    let init = || payments::init(&store, &viewer, order.id, "sandbox");
    for _ in 0..5 {
        assert_eq!(code(init().await), ErrorCode::ProviderUnavailable);
    }
    street.break_provider(false);
    let refused = init().await.unwrap_err().to_api();
    assert_eq!((refused.code, street.sessions_asked()), (ErrorCode::ProviderUnavailable, 0), "nobody asks");
    assert!(refused.message.contains("another way to pay"), "{refused}");
    clock.pass(2_001);
    let started = init().await.unwrap();
    assert_eq!((street.sessions_asked(), init().await.unwrap()), (1, started));
}

#[tokio::test]
async fn a_refund_that_nobody_confirms_is_asked_about() {
    let street = Street::open().await;
    let (store, clock) = later(&street).await;
    let ledger = Ledger::of(&store).await;
    let order = ledger.waiting_for_payment().await;
    let (_, page) = pay_page(&street, order).await;
    sandbox::press(&store, &page, Press::Pay).await.unwrap().unwrap();
    deliver(&store).await;
    let made = super::refunds::create(&store, &super::refunds::wanted(order.id, None, "k")).await.unwrap();
    refund::request(&store, made.refund_id).await.unwrap();
    assert!(ledger.story(order).await.starts_with("PAID | refunding"));
    clock.pass(121_000);
    ask(&store).await;
    let story = "REFUNDED | refunded | persisted,payment_captured,refund_requested,refund_confirmed";
    assert_eq!(ledger.story(order).await, story);
    deliver(&store).await;
    assert_eq!(ledger.story(order).await, story);
}

#[tokio::test]
async fn statements_are_compared_and_a_second_run_is_clean() {
    let street = Street::open().await;
    let (store, clock) = later(&street).await;
    let ledger = Ledger::of(&store).await;
    let (lost, back) = (ledger.waiting_for_payment().await, ledger.waiting_for_payment().await);
    for order in [lost, back] {
        let (_, page) = pay_page(&street, order).await;
        sandbox::press(&store, &page, Press::Pay).await.unwrap().unwrap();
        if order.id == back.id {
            // Given back on the provider's own page.
            sandbox::refund(&store, "made-by-hand", &page, super::TOTAL).await.unwrap().unwrap();
        }
    }
    clock.pass(61_000);
    let report = reconcile::run(&store, 7).await.unwrap();
    assert_eq!((report.moves, report.differences, report.mended), (3, 3, 3), "{report:?}");
    assert_eq!(ledger.story(lost).await, "PAID | captured | persisted,payment_captured");
    assert_eq!(ledger.story(back).await, "REFUNDED | refunded | persisted,payment_captured,refund_confirmed");
    assert_eq!(ledger.text("SELECT origin || ' ' || status FROM refunds").await, "provider confirmed");
    let report = reconcile::run(&store, 7).await.unwrap();
    assert_eq!((report.moves, report.differences), (3, 0), "{report:?}");

    // Money that only the ledger knows, an amount that differs, and a session of this shop that it does not know.
    let here = ledger.waiting_for_payment().await;
    let session = ledger.session(here).await;
    assert_eq!(send(&store, &captured("e1", &session, here)).await, Received::Applied);
    ledger.run("UPDATE sandbox.payments SET amount_minor = 104600 WHERE id IN (SELECT provider_ref FROM payments WHERE status = 'captured')").await;
    let strange = ledger.waiting_for_payment().await;
    let (_, page) = pay_page(&street, strange).await;
    sandbox::press(&street.store, &page, Press::Pay).await.unwrap().unwrap();
    ledger.run("UPDATE payments SET provider_ref = 'sbx_other' WHERE status = 'open'").await;
    ledger.run("UPDATE sandbox.payments SET idempotency_key = gen_random_uuid()::text WHERE id = (SELECT id FROM sandbox.payments ORDER BY created_at DESC LIMIT 1)").await;
    clock.pass(61_000);
    let report = reconcile::run(&store, 7).await.unwrap();
    assert_eq!((report.differences, report.mended, report.is_repaired()), (3, 0, false), "{report:?}");
    assert_eq!(ledger.story(strange).await, "PAYMENT_PENDING | open | persisted");

    street.break_provider(true);
    let report = reconcile::run(&store, 7).await.unwrap();
    assert_eq!((report.skipped.len(), report.is_repaired()), (1, false), "{report:?}");
}
