//! Every webhook is lost, and the worker dies besides: whoever paid has paid, because the providers are asked.

use super::{Street, init, order, standins::StandIn};
use crate::orders::{press, wait_for};
use crate::visitor::Visitor;
use store::payments::provider::SessionState;

/// Paid at this provider, which tells nobody.
async fn paid_at(street: &Street, stand_in: &StandIn) -> (Visitor, String) {
    let (visitor, order, session) = street.paying(stand_in).await;
    stand_in.set(&session.id, SessionState::Paid);
    (visitor, order)
}

async fn paid_at_the_sandbox(street: &Street) -> (Visitor, String) {
    let (visitor, order) = order(&street.shop).await;
    assert_eq!(press(&visitor, &order, "webhook_never").await.status, 303);
    (visitor, order)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_webhooks_are_lost_and_the_worker_dies() {
    let settings = [("BAZAR_ASK_PAYMENTS_SECONDS", "1"), ("BAZAR_METRICS_ADDR", "off")];
    let mut street = Street::prepare(&settings).await;
    street.shop.import_books();
    street.shop.spawn("web");
    let mut worker = street.shop.sibling();
    worker.spawn("worker");
    street.shop.wait_until_ready().await;
    for (visitor, order) in [
        paid_at(&street, &street.stripe).await,
        paid_at(&street, &street.razorpay).await,
        paid_at_the_sandbox(&street).await,
    ] {
        wait_for(&visitor, &order, "PAID").await;
    }

    // Written down and with a session each; then nobody is there to ask.
    let mut waiting = Vec::new();
    for stand_in in street.both() {
        waiting.push((stand_in, street.paying(stand_in).await));
    }
    let (visitor, sandboxed) = order(&street.shop).await;
    init(&visitor, &sandboxed, "sandbox").await.ok();
    worker.kill();
    for (stand_in, (_, _, session)) in &waiting {
        stand_in.set(&session.id, SessionState::Paid);
    }
    assert_eq!(press(&visitor, &sandboxed, "webhook_never").await.status, 303);
    let unpaid = crate::orders::order(&visitor, &sandboxed).await;
    assert_eq!(unpaid["status"], "PAYMENT_PENDING");
    worker.spawn("worker");
    for (_, (visitor, order, _)) in &waiting {
        wait_for(visitor, order, "PAID").await;
    }
    wait_for(&visitor, &sandboxed, "PAID").await;
    assert!(worker.log().contains("learned by asking what no webhook had told"), "{}", worker.log());
    street.shop.assert_sound();
}

/// The nightly comparison, by hand: what it says and how it ends.
#[tokio::test(flavor = "multi_thread")]
async fn statements_are_compared_on_demand() {
    let street = Street::open().await;
    let (visitor, order) = paid_at(&street, &street.razorpay).await;
    for stand_in in street.both() {
        stand_in.desk().sessions.iter_mut().for_each(|session| session.made_at -= 120);
    }
    let run = || street.shop.run(&["reconcile", "payments"]);
    let (first, second) = (run(), run());
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(first.status.success() && second.status.success(), "{}{}", said(&first), said(&second));
    assert!(said(&first).contains("razorpay has the money of payment"), "{}", said(&first));
    assert!(!said(&second).contains("razorpay has the money"), "{}", said(&second));
    wait_for(&visitor, &order, "PAID").await;
    street.stripe.desk().fault = Some(super::standins::Fault::Cut);
    let third = run();
    assert!(!third.status.success(), "a provider that does not answer is not in order: {}", said(&third));
    street.shop.assert_sound();
}
