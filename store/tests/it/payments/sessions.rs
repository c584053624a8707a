//! Sessions of an order at each of the providers: one at a time, found again after a crash, closed when its time is over.

use super::{
    code,
    ledger::{Coming, Ledger},
    standins::{ALL, Fault, KEY, Kind, StandIn},
};
use domain::ErrorCode;
use store::{
    Store,
    jobs::{DrainOutbox, Job},
    payments::{self, provider::SessionState},
    testkit,
};

/// A shop that takes all three, and the desks behind them.
pub async fn shop() -> (Store, Ledger, Vec<StandIn>) {
    let stand_ins = futures::future::join_all(ALL.map(StandIn::open)).await;
    let store = testkit::store_with(|config| stand_ins.iter().for_each(|it| it.configure(config, KEY))).await;
    let ledger = Ledger::of(&store).await;
    (store, ledger, stand_ins)
}

pub async fn init(
    store: &Store,
    order: Coming,
    kind: Kind,
) -> Result<domain::payment::PaymentStarted, store::error::Error> {
    payments::init(store, &order.viewer(), order.id, kind.name()).await
}

pub fn states(stand_in: &StandIn) -> Vec<SessionState> {
    stand_in.desk().sessions.iter().map(|session| session.state).collect()
}

#[tokio::test]
async fn a_crash_between_call_and_commit_leaves_one_session() {
    let (store, ledger, stand_ins) = shop().await;
    assert_eq!(payments::providers(&store), ["stripe", "razorpay", "sandbox"]);
    for stand_in in &stand_ins {
        let order = ledger.waiting_for_payment().await;
        let asked = (0..5).map(|_| init(&store, order, stand_in.kind));
        let started: Vec<_> = futures::future::join_all(asked).await.into_iter().map(Result::unwrap).collect();
        assert!(started.iter().all(|other| *other == started[0]), "{started:?}");
        // The provider answered, and nobody wrote it down.
        ledger.run("UPDATE payments SET status = 'creating', provider_ref = NULL, redirect_url = NULL").await;
        assert_eq!(init(&store, order, stand_in.kind).await.unwrap(), started[0]);
        assert_eq!(states(stand_in), [SessionState::Open], "{:?}", stand_in.kind);
        assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | open | persisted");
        let requests = stand_in.desk().requests;
        assert_eq!(init(&store, order, stand_in.kind).await.unwrap(), started[0]);
        assert_eq!(stand_in.desk().requests, requests, "an open session needs no call");
    }
}

#[tokio::test]
async fn another_provider_closes_the_first() {
    let (store, ledger, stand_ins) = shop().await;
    let order = ledger.waiting_for_payment().await;
    for stand_in in &stand_ins {
        init(&store, order, stand_in.kind).await.unwrap();
    }
    init(&store, order, Kind::Stripe).await.unwrap();
    let [stripe, razorpay, sandbox] = [0, 1, 2].map(|i| states(&stand_ins[i]));
    assert_eq!(stripe, [SessionState::Closed, SessionState::Open]);
    assert_eq!((razorpay, sandbox), (vec![SessionState::Closed], vec![SessionState::Closed]));
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | closed,closed,closed,open | persisted");
    // One that is paid already stands in the way: its webhook is on the way.
    stand_ins[0].set("cs_test_2", SessionState::Paid);
    assert_eq!(code(init(&store, order, Kind::Razorpay).await), ErrorCode::NotPayable);
    assert_eq!(states(&stand_ins[1]), [SessionState::Closed]);
}

#[tokio::test]
async fn a_provider_that_is_away_does_not_keep_the_others_from_being_paid() {
    for fault in [Fault::Status(500, "{}"), Fault::Cut, Fault::Status(401, "{}"), Fault::Garbage(9)] {
        let (store, ledger, stand_ins) = shop().await;
        let order = ledger.waiting_for_payment().await;
        stand_ins[0].desk().fault = Some(fault.clone());
        assert!(init(&store, order, Kind::Stripe).await.is_err());
        init(&store, order, Kind::Razorpay).await.unwrap();
        assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | closed,open | persisted", "{fault:?}");
    }
}

#[tokio::test]
async fn the_shop_closes_what_its_order_no_longer_takes() {
    for kind in ALL {
        let (store, ledger, stand_ins) = shop().await;
        let stand_in = stand_ins.iter().find(|stand_in| stand_in.kind == kind).unwrap();
        let order = ledger.waiting_for_payment().await;
        let payment = init(&store, order, kind).await.unwrap().payment_id;
        ledger.run("UPDATE orders SET status = 'EXPIRED'").await;
        stand_in.desk().fault = Some(Fault::Status(503, ""));
        assert_eq!(code(payments::close(&store, payment).await), ErrorCode::ProviderUnavailable);
        assert_eq!(ledger.story(order).await, "EXPIRED | open | persisted", "{kind:?}");
        stand_in.desk().fault = None;
        payments::close(&store, payment).await.unwrap();
        assert_eq!(states(stand_in), [SessionState::Closed], "{kind:?}");
        assert_eq!(ledger.story(order).await, "EXPIRED | closed | persisted");
        // Whatever the state of the order, an open session is known by its key.
        ledger.run("UPDATE payments SET status = 'creating', provider_ref = NULL").await;
        payments::close(&store, payment).await.unwrap();
        assert_eq!(ledger.story(order).await, "EXPIRED | closed | persisted", "{kind:?}");
    }
}

#[tokio::test]
async fn a_session_that_was_never_made_is_not_made_to_be_closed() {
    for kind in [Kind::Stripe, Kind::Razorpay] {
        let (store, ledger, stand_ins) = shop().await;
        let stand_in = stand_ins.iter().find(|stand_in| stand_in.kind == kind).unwrap();
        let order = ledger.waiting_for_payment().await;
        stand_in.desk().fault = Some(Fault::Cut);
        assert_eq!(code(init(&store, order, kind).await), ErrorCode::ProviderUnavailable);
        stand_in.desk().fault = None;
        ledger.run("UPDATE orders SET status = 'EXPIRED', expires_at = now() - interval '3 hours'").await;
        let payment = ledger.text("SELECT id::text FROM payments").await.parse().unwrap();
        payments::close(&store, payment).await.unwrap();
        assert_eq!(states(stand_in), []);
        assert_eq!(ledger.story(order).await, "EXPIRED | closed | persisted", "{kind:?}");
    }
}

#[tokio::test]
async fn work_that_meets_a_wrong_key_is_counted_and_work_that_meets_an_outage_is_not() {
    for (fault, attempts) in [(Fault::Status(401, "{}"), "1"), (Fault::Status(503, "{}"), "0")] {
        let (store, ledger, stand_ins) = shop().await;
        let order = ledger.waiting_for_payment().await;
        init(&store, order, Kind::Stripe).await.unwrap();
        // A second ago: the shop counts in milliseconds, and what is due later in this one is not due yet.
        ledger
            .run(
                "INSERT INTO outbox (topic, key, due_at)
                 SELECT 'payment.close', id::text, now() - interval '1 second' FROM payments",
            )
            .await;
        stand_ins[0].desk().fault = Some(fault);
        let drain = async || {
            let batch = DrainOutbox::PAYMENTS.fetch(&store).await.unwrap().unwrap();
            DrainOutbox::PAYMENTS.handle(&store, batch).await.unwrap();
            ledger.text("SELECT attempts::text FROM outbox").await
        };
        assert_eq!(drain().await, attempts);
        // After a day it is no outage: this may be the one request that is never answered.
        ledger
            .run(
                "UPDATE outbox SET first_failed_at = now() - interval '25 hours', attempts = 0,
                 due_at = now() - interval '1 second'",
            )
            .await;
        assert_eq!(drain().await, "1");
    }
}
