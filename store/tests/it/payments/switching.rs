//! Another way to pay, while the provider of the first one does not answer: its session stays behind until it is known to
//! be closed, and whatever was paid by both goes back once.

use super::{
    code,
    ledger::{Coming, Ledger, TOTAL},
    sessions::{init, shop, states},
    standins::{Event, Fault, Kind, SECRETS, StandIn, Tale},
};
use domain::ErrorCode;
use std::time::{Duration, Instant};
use store::{
    Store,
    jobs::{DrainOutbox, Job},
    orders::ExpireOrders,
    payments::{self, Received, VerifyPayments, provider::SessionState},
};

const AWAY: Fault = Fault::Status(503, "");

/// An order with a session at Stripe, which went away, and one at Razorpay.
async fn switched() -> (Store, Ledger, Vec<StandIn>, Coming) {
    let (store, ledger, stand_ins) = shop().await;
    let order = ledger.waiting_for_payment().await;
    init(&store, order, Kind::Stripe).await.unwrap();
    stand_ins[0].desk().fault = Some(AWAY);
    init(&store, order, Kind::Razorpay).await.unwrap();
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | closing,open | persisted");
    (store, ledger, stand_ins, order)
}

/// Asks about everything, as if it were time to.
async fn ask(store: &Store, ledger: &Ledger) {
    ledger.run("UPDATE payments SET ask_at = now() - interval '1 second' WHERE ask_at IS NOT NULL").await;
    while let Some(batch) = VerifyPayments.fetch(store).await.unwrap() {
        VerifyPayments.handle(store, batch).await.unwrap();
    }
}

/// The provider tells that its last session was paid.
async fn paid(store: &Store, stand_in: &StandIn, order: Coming) -> Received {
    let session = stand_in.desk().sessions.last().cloned().unwrap();
    stand_in.set(&session.id, SessionState::Paid);
    let event = Event {
        id: format!("evt of {}", session.id),
        tale: Tale::Captured,
        session: session.id,
        payment: session.key,
        order: order.id.to_string(),
        amount: TOTAL.get(),
        currency: "INR",
        refund: String::new(),
    };
    let webhook = stand_in.kind.webhook(&event, SECRETS[0], store.now().get() / 1000);
    let header = |name: &str| webhook.headers.get(name).cloned();
    payments::receive(store, stand_in.kind.name(), &header, &webhook.body).await.unwrap()
}

async fn run_outbox(store: &Store) {
    while let Some(batch) = DrainOutbox::PAYMENTS.fetch(store).await.unwrap() {
        DrainOutbox::PAYMENTS.handle(store, batch).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_left_behind_is_closed_when_its_provider_answers() {
    for fault in [AWAY, Fault::Cut, Fault::Status(401, "{}"), Fault::Garbage(9)] {
        let (store, ledger, stand_ins, order) = switched().await;
        stand_ins[0].desk().fault = Some(fault.clone());
        ask(&store, &ledger).await;
        assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | closing,open | persisted", "{fault:?}");
        stand_ins[0].desk().fault = None;
        ask(&store, &ledger).await;
        assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | closed,open | persisted", "{fault:?}");
        assert_eq!(states(&stand_ins[0]), [SessionState::Closed]);
        assert_eq!(states(&stand_ins[1]), [SessionState::Open]);
        let asked = stand_ins[0].desk().requests;
        ask(&store, &ledger).await;
        assert_eq!(stand_ins[0].desk().requests, asked, "nobody asks about it any more");
    }
}

#[tokio::test]
async fn whichever_is_paid_pays_and_the_other_is_closed() {
    for (paying, other) in [(0, 1), (1, 0)] {
        let (store, ledger, stand_ins, order) = switched().await;
        stand_ins[0].desk().fault = None;
        assert_eq!(paid(&store, &stand_ins[paying], order).await, Received::Applied);
        run_outbox(&store).await;
        let sessions = if paying == 0 { "captured,closed" } else { "closed,captured" };
        assert_eq!(ledger.story(order).await, format!("PAID | {sessions} | persisted,payment_captured"));
        assert_eq!(states(&stand_ins[other]), [SessionState::Closed]);
    }
}

#[tokio::test]
async fn of_both_paid_the_second_goes_back_whoever_tells() {
    for by_asking in [false, true] {
        let (store, ledger, stand_ins, order) = switched().await;
        stand_ins[0].desk().fault = None;
        assert_eq!(paid(&store, &stand_ins[1], order).await, Received::Applied);
        if by_asking {
            let session = stand_ins[0].desk().sessions[0].id.clone();
            stand_ins[0].set(&session, SessionState::Paid);
            ask(&store, &ledger).await;
        } else {
            assert_eq!(paid(&store, &stand_ins[0], order).await, Received::Applied);
        }
        let story = "PAID | refunding,captured | persisted,payment_captured,money_goes_back";
        assert_eq!(ledger.story(order).await, story, "{by_asking}");
        run_outbox(&store).await;
        let (stripe, razorpay) = (stand_ins[0].desk().refunds.clone(), stand_ins[1].desk().refunds.clone());
        assert_eq!((stripe.len(), stripe[0].amount, razorpay.len()), (1, TOTAL.get(), 0));
    }
}

#[tokio::test]
async fn an_order_that_ends_closes_both() {
    let (store, ledger, stand_ins, order) = switched().await;
    ledger.run("UPDATE orders SET expires_at = now() - interval '1 second'").await;
    let due = ExpireOrders.fetch(&store).await.unwrap().unwrap();
    ExpireOrders.handle(&store, due).await.unwrap();
    assert_eq!(ledger.story(order).await, "EXPIRED | closing,closed | persisted,deadline_passed");
    stand_ins[0].desk().fault = None;
    ask(&store, &ledger).await;
    assert_eq!(ledger.story(order).await, "EXPIRED | closed,closed | persisted,deadline_passed");
    assert_eq!(states(&stand_ins[0]), [SessionState::Closed]);
}

#[tokio::test]
async fn money_under_way_keeps_others_out() {
    let (store, ledger, stand_ins) = shop().await;
    let order = ledger.waiting_for_payment().await;
    init(&store, order, Kind::Stripe).await.unwrap();
    let session = stand_ins[0].desk().sessions[0].id.clone();
    stand_ins[0].set(&session, SessionState::Processing);
    assert_eq!(code(init(&store, order, Kind::Razorpay).await), ErrorCode::NotPayable);
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | open | persisted");
}

#[tokio::test]
async fn nobody_waits_long_for_a_provider_that_hangs() {
    let (store, ledger, stand_ins) = shop().await;
    let order = ledger.waiting_for_payment().await;
    init(&store, order, Kind::Stripe).await.unwrap();
    stand_ins[0].desk().fault = Some(Fault::Silent);
    let started = Instant::now();
    init(&store, order, Kind::Razorpay).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | closing,open | persisted");
}

#[tokio::test]
async fn back_and_forth_ends_somewhere() {
    let (store, ledger, stand_ins, order) = switched().await;
    stand_ins[0].desk().fault = None;
    let mut refused = None;
    for turn in 0..40 {
        let kind = if turn % 2 == 0 { Kind::Sandbox } else { Kind::Razorpay };
        if let Err(error) = init(&store, order, kind).await {
            refused = Some(error.to_api());
            break;
        }
    }
    assert!(refused.unwrap().message.contains("place it again"));
    assert_eq!(ledger.text("SELECT count(*)::text FROM payments").await, "30");
}
