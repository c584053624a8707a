//! Money that goes back and does not arrive, comes back from where it went, or is heard of in the wrong order: an order
//! is REFUNDED when all of its money is back, is sent only while its money stays, and no money is forgotten.

use super::{
    code,
    refunds::create,
    till::{Session, Till},
};
use domain::{ErrorCode, OrderId, RefundId, order::OrderStatus, payment::RefundStatus};
use serde_json::json;
use store::{
    check,
    jobs::dead_letters,
    orders,
    payments::{self, Received, refund},
};

/// Two payments of an order that expired, whose copy somebody else has: both go back.
async fn two_late_payments_without_copies(till: &Till) -> [Session; 2] {
    let order = till.expired().await;
    till.order().await;
    let sessions = [till.session(order).await, till.session(order).await];
    for session in &sessions {
        assert_eq!(till.captured(session).await, Received::Applied);
    }
    till.shop.decide_late().await;
    sessions
}

async fn pack(till: &Till, order: OrderId) -> Result<(), ErrorCode> {
    let admin = till.shop.admin().await;
    orders::begin_packing(&till.shop.store, &admin, order).await.map_err(|error| error.to_api().code)
}

#[tokio::test]
async fn a_refund_that_fails_after_it_was_made_is_made_again() {
    let till = Till::open(3).await;
    let session = till.paid().await;
    let first = till.want_back(&session, None, "a").await.refund_id;
    assert_eq!(till.refund(&session, first, "succeeded").await, Received::Applied);
    let made = "payment_captured,refund_requested,refund_confirmed";
    assert_eq!(till.story(session.order).await, format!("REFUNDED | refunded | admin confirmed | {made}"));
    // Weeks later: the card is closed, and the money is with the shop again.
    assert_eq!(till.refund(&session, first, "failed").await, Received::Applied);
    assert_eq!(till.refund(&session, first, "failed").await, Received::Ignored);
    let failed = format!("{made},refund_failed");
    let story = till.story(session.order).await;
    assert_eq!(story, format!("REFUNDED | refunding | admin failed,shop requested | {failed}"));
    till.shop.assert_sound().await;
    let anew = till.requested(&session).await;
    assert_eq!(till.refund(&session, anew, "succeeded").await, Received::Applied);
    let story = till.story(session.order).await;
    assert_eq!(story, format!("REFUNDED | refunded | admin failed,shop confirmed | {failed},refund_confirmed"));
    till.shop.assert_sound().await;
}

#[tokio::test]
async fn an_admins_refund_that_fails_leaves_the_order_as_it_was() {
    let till = Till::open(3).await;
    let session = till.paid().await;
    let refund = till.want_back(&session, None, "a").await.refund_id;
    assert_eq!(pack(&till, session.order).await, Err(ErrorCode::Conflict));
    assert_eq!(till.refund(&session, refund, "failed").await, Received::Applied);
    let story = "PAID | captured | admin failed | payment_captured,refund_requested,refund_failed";
    assert_eq!(till.story(session.order).await, story);
    till.shop.assert_sound().await;
    pack(&till, session.order).await.unwrap();
    till.shop.assert_sound().await;
}

#[tokio::test]
async fn what_fails_after_the_order_was_called_off_is_made_again() {
    let till = Till::open(3).await;
    let session = till.paid().await;
    let part = till.want_back(&session, Some(4_000), "a").await.refund_id;
    let admin = till.shop.admin().await;
    orders::call_off(&till.shop.store, &admin, session.order, "Lost in the stacks").await.unwrap();
    let rest: RefundId = RefundId::new(
        sqlx::query_scalar("SELECT id FROM refunds WHERE origin = 'shop'").fetch_one(&till.shop.pg).await.unwrap(),
    );
    assert_eq!(till.refund(&session, part, "failed").await, Received::Applied);
    till.shop.assert_sound().await;
    assert_eq!(till.refund(&session, rest, "succeeded").await, Received::Applied);
    assert_eq!(till.shop.status(session.order).await, Some(OrderStatus::Cancelled), "4,000 are still with the shop");
    let anew = till.requested(&session).await;
    assert_eq!(till.refund(&session, anew, "succeeded").await, Received::Applied);
    assert_eq!(till.shop.status(session.order).await, Some(OrderStatus::Refunded));
    till.shop.apply_gate_ops().await;
    till.shop.assert_sound().await;
}

#[tokio::test]
async fn refunded_when_both_late_payments_are_back() {
    let till = Till::open(1).await;
    let [first, second] = two_late_payments_without_copies(&till).await;
    let refunds = [till.requested(&first).await, till.requested(&second).await];
    assert_eq!(till.refund(&first, refunds[0], "succeeded").await, Received::Applied);
    assert_eq!(till.shop.status(first.order).await, Some(OrderStatus::Expired), "the other one is still here");
    till.shop.assert_sound().await;
    assert_eq!(till.refund(&second, refunds[1], "succeeded").await, Received::Applied);
    assert_eq!(till.shop.status(first.order).await, Some(OrderStatus::Refunded));
    till.shop.assert_sound().await;
}

#[tokio::test]
async fn a_second_payment_that_is_back_says_nothing_of_the_first() {
    let till = Till::open(3).await;
    let first = till.paid().await;
    let second = till.session(first.order).await;
    assert_eq!(till.captured(&second).await, Received::Applied);
    let all = till.want_back(&first, None, "a").await.refund_id;
    let twice = till.requested(&second).await;
    assert_eq!(till.refund(&second, twice, "succeeded").await, Received::Applied);
    assert_eq!(till.shop.status(first.order).await, Some(OrderStatus::Paid));
    assert_eq!(till.refund(&first, all, "succeeded").await, Received::Applied);
    assert_eq!(till.shop.status(first.order).await, Some(OrderStatus::Refunded));
    till.shop.assert_sound().await;
}

/// The second one goes back before the first is decided about, and its clock was behind.
#[tokio::test]
async fn the_first_late_payment_buys_whatever_becomes_of_the_second() {
    let till = Till::open(3).await;
    let order = till.expired().await;
    let (first, second) = (till.session(order).await, till.session(order).await);
    assert_eq!(till.captured(&first).await, Received::Applied);
    assert_eq!(till.captured(&second).await, Received::Applied);
    till.run("UPDATE payments SET captured_at = captured_at - interval '1 minute' WHERE status = 'refunding'").await;
    let refund = till.requested(&second).await;
    assert_eq!(till.refund(&second, refund, "succeeded").await, Received::Applied);
    assert_eq!(till.shop.status(order).await, Some(OrderStatus::Expired), "the first one is not decided yet");
    till.shop.decide_late().await;
    assert_eq!(till.shop.status(order).await, Some(OrderStatus::Paid));
    till.shop.apply_gate_ops().await;
    till.shop.assert_sound().await;
}

#[tokio::test]
async fn copies_on_the_shelf_are_sent_to_nobody() {
    let till = Till::open(3).await;
    let session = till.paid().await;
    let restocked = |amount, key| refund::Wanted { restock: true, ..till.wanted(&session, amount, key) };
    let part = create(&till.shop.store, &restocked(Some(10_000), "a")).await;
    assert_eq!(code(part), ErrorCode::InvalidFields, "the parcel could still leave");
    let all = create(&till.shop.store, &restocked(None, "b")).await.unwrap().refund_id;
    assert_eq!(till.refund(&session, all, "failed").await, Received::Applied);
    assert_eq!(pack(&till, session.order).await, Err(ErrorCode::Conflict), "the copy is on sale again");
    assert!(till.story(session.order).await.starts_with("PAID | refunding | admin failed,shop requested"));
    till.shop.apply_gate_ops().await;
    till.shop.assert_sound().await;
    // As an earlier version may have left it.
    till.run("UPDATE payments SET status = 'captured'").await;
    assert_eq!(pack(&till, session.order).await, Err(ErrorCode::Conflict));
}

#[tokio::test]
async fn what_was_sent_may_come_back_with_a_part_of_the_money() {
    let till = Till::open(3).await;
    let session = till.paid().await;
    let (store, admin) = (&till.shop.store, till.shop.admin().await);
    orders::begin_packing(store, &admin, session.order).await.unwrap();
    orders::ship(store, &admin, session.order, "Blue Dart", None).await.unwrap();
    let wanted = refund::Wanted { restock: true, ..till.wanted(&session, Some(10_000), "a") };
    create(store, &wanted).await.unwrap();
    till.shop.apply_gate_ops().await;
    assert_eq!((till.shop.ledger(till.book).await, till.shop.at_gate(till.book).await), ((3, 0), 3));
    till.shop.assert_sound().await;
}

#[tokio::test]
async fn parts_by_admin_and_provider_that_make_the_whole_stop_the_parcel() {
    let till = Till::open(3).await;
    let session = till.paid().await;
    let part = till.want_back(&session, Some(4_000), "a").await.refund_id;
    assert_eq!(till.refund_by_hand(&session, "re_rest", session.amount - 4_000).await, Received::Applied);
    assert_eq!(pack(&till, session.order).await, Err(ErrorCode::Conflict));
    till.shop.assert_sound().await;
    assert_eq!(till.refund(&session, part, "succeeded").await, Received::Applied);
    assert_eq!(till.shop.status(session.order).await, Some(OrderStatus::Refunded));
    till.shop.assert_sound().await;
}

#[tokio::test]
async fn a_refund_made_by_hand_stands_for_the_one_that_is_wanted() {
    let till = Till::open(3).await;
    let session = till.paid().await;
    let wanted = till.want_back(&session, None, "a").await.refund_id;
    assert_eq!(till.refund_by_hand(&session, "re_other", session.amount - 1).await, Received::Quarantined);
    assert_eq!(till.refund_by_hand(&session, "re_hand", session.amount).await, Received::Applied);
    assert_eq!(till.refund_by_hand(&session, "re_hand", session.amount).await, Received::Ignored);
    assert!(till.story(session.order).await.starts_with("REFUNDED | refunded | admin confirmed |"));
    refund::request(&till.shop.store, wanted).await.unwrap();
    till.shop.assert_sound().await;
}

#[tokio::test]
async fn a_refund_that_is_heard_of_before_its_money_waits() {
    let till = Till::open(3).await;
    let session = till.session(till.order().await).await;
    assert_eq!(till.refund_by_hand(&session, "re_1", session.amount).await, Received::Waiting);
    till.look_again().await;
    assert_eq!(till.captured(&session).await, Received::Applied);
    assert_eq!(till.shop.status(session.order).await, Some(OrderStatus::Paid));
    till.look_again().await;
    assert_eq!(till.shop.status(session.order).await, Some(OrderStatus::Refunded));
    till.shop.apply_gate_ops().await;
    till.shop.assert_sound().await;
}

#[tokio::test]
async fn a_refund_of_late_money_waits_until_that_is_decided() {
    let till = Till::open(3).await;
    let session = till.session(till.expired().await).await;
    assert_eq!(till.captured(&session).await, Received::Applied);
    assert_eq!(till.refund_by_hand(&session, "re_1", session.amount).await, Received::Waiting);
    till.shop.decide_late().await;
    assert_eq!(till.shop.status(session.order).await, Some(OrderStatus::Paid));
    till.look_again().await;
    assert_eq!(till.shop.status(session.order).await, Some(OrderStatus::Refunded));
    till.shop.apply_gate_ops().await;
    till.shop.assert_sound().await;
}

#[tokio::test]
async fn the_same_wish_gets_the_same_answer_whatever_came_of_it() {
    let till = Till::open(3).await;
    let session = till.paid().await;
    let wanted = till.wanted(&session, None, "a");
    let made = create(&till.shop.store, &wanted).await.unwrap();
    // Another payment of the order has money to give back by now.
    assert_eq!(till.captured(&till.session(session.order).await).await, Received::Applied);
    assert_eq!(create(&till.shop.store, &wanted).await.unwrap(), made);
    assert_eq!(till.refund(&session, made.refund_id, "succeeded").await, Received::Applied);
    let again = create(&till.shop.store, &wanted).await.unwrap();
    assert_eq!((again.refund_id, again.status), (made.refund_id, RefundStatus::Confirmed));
    let other = till.paid().await;
    let elsewhere = create(&till.shop.store, &till.wanted(&other, None, "a")).await;
    assert_eq!(code(elsewhere), ErrorCode::KeyReused);
}

/// One account may serve several shops.
#[tokio::test]
async fn what_another_shop_does_is_not_kept_apart() {
    let till = Till::open(1).await;
    let theirs = json!({"id": "cs_theirs", "amount_total": 100, "currency": "inr", "client_reference_id": "cart-7",
        "status": "complete", "payment_status": "paid", "payment_intent": "pi_theirs", "url": null, "metadata": {}});
    assert_eq!(till.told("checkout.session.completed", theirs).await, Received::Ignored);
    let refund = json!({"id": "re_theirs", "amount": 100, "currency": "inr", "status": "succeeded",
        "payment_intent": "pi_theirs", "metadata": {}});
    // It could be of money that is not heard of yet.
    assert_eq!(till.told("refund.updated", refund).await, Received::Waiting);
    till.run("UPDATE webhook_inbox SET attempts = 9 WHERE outcome = 'waiting'").await;
    till.look_again().await;
    let outcomes = "SELECT count(*) FROM webhook_inbox WHERE outcome = 'ignored'";
    assert_eq!(till.shop.count(outcomes).await, 2);
    till.shop.assert_sound().await;
}

/// Wrong money pays nothing, is not forgotten, and is not hidden from anybody.
#[tokio::test]
async fn money_that_does_not_fit_is_told_of_until_somebody_has_seen_to_it() {
    let till = Till::open(3).await;
    let store = &till.shop.store;
    let session = till.session(till.order().await).await;
    assert_eq!(till.captured_of(&session, session.amount - 1).await, Received::Quarantined);
    assert_eq!(till.refund_by_hand(&session, "re_1", session.amount - 1).await, Received::Quarantined);
    let admin = till.shop.admin().await;
    let is_told = async || orders::get(store, &admin, session.order).await.unwrap().unwrap().money_apart;
    let violations = async || {
        let found = check::run(store).await.unwrap();
        found.into_iter().flat_map(|finding| finding.violations).collect::<Vec<_>>()
    };
    assert!(is_told().await);
    let told = violations().await;
    assert!(told.len() == 1 && told[0].contains("is kept apart (another amount"), "{told:?}");
    assert_eq!(payments::quarantined(store, Some(session.order)).await.unwrap().len(), 2);
    for letter in dead_letters::list(store, 0).await.unwrap() {
        dead_letters::discard(store, letter.id, "Given back on the provider's pages").await.unwrap();
    }
    assert_eq!((is_told().await, violations().await), (false, Vec::new()));
}
