//! Payments against real servers: what money does to an order, whoever says it, in whatever order and how often.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod attempts;
mod contract;
mod late;
mod ledger;
mod money_back;
mod money_races;
mod refunds;
mod sandbox_pay;
mod sessions;
mod standins;
mod statements;
mod street;
mod switching;
mod till;
mod wanted_back;
mod watchdog;
mod webhooks;
mod webhooks_end;

use domain::{ErrorCode, PaymentId, account::Role};
use ledger::{Coming, Ledger, TOTAL, coming, uuid};
use serde_json::{Value, json};
use store::{
    Store,
    config::Secret,
    error::Error,
    jobs::Job,
    payments::{self, Received, RetryWaiting, WebhookError, signature},
    sandbox::DeliverEvents,
    testkit,
    viewer::Viewer,
};
use street::Street;

/// The secret of the test shop.
fn secret() -> Secret {
    Secret::new("test-webhook")
}

async fn send_signed(store: &Store, body: &[u8], header: Option<String>) -> Result<Received, WebhookError> {
    payments::receive(store, "sandbox", &|name| header.clone().filter(|_| name == "sandbox-signature"), body).await
}

/// A genuine event.
async fn send(store: &Store, event: &Value) -> Received {
    let body = serde_json::to_vec(event).unwrap();
    let header = signature::sign(&secret(), store.now().get() / 1000, &body);
    send_signed(store, &body, Some(header)).await.unwrap()
}

fn event(id: &str, kind: &str, session: &str, order: Coming) -> Value {
    json!({"id": id, "type": kind, "created": 1, "data": {
        "payment_id": session, "reference": "", "order_id": order.id, "amount": TOTAL, "currency": "INR"}})
}

fn captured(id: &str, session: &str, order: Coming) -> Value {
    event(id, "payment.captured", session, order)
}

async fn shop() -> (Store, Ledger) {
    let store = testkit::store().await;
    let ledger = Ledger::of(&store).await;
    (store, ledger)
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.unwrap_err().to_api().code
}

#[tokio::test]
async fn only_a_genuine_webhook_gets_in() {
    let (store, ledger) = shop().await;
    let order = ledger.waiting_for_payment().await;
    let session = ledger.session(order).await;
    let body = serde_json::to_vec(&captured("e1", &session, order)).unwrap();
    let now = store.now().get() / 1000;
    let sign = |secret: &str, at: i64| Some(signature::sign(&Secret::new(secret), at, &body));
    let forged = [
        None,
        Some(String::new()),
        Some("t=1,v1=".into()),
        sign("wrong", now),
        sign("test-webhook", now - 302),
        sign("test-webhook", now + 302),
        Some(signature::sign(&secret(), now, b"another body")),
        sign("test-webhook", now).map(|header| header.replace("v1=", "v0=")),
    ];
    for header in forged {
        let refused = send_signed(&store, &body, header.clone()).await;
        assert!(matches!(refused, Err(WebhookError::Bad(_))), "{header:?}: {refused:?}");
    }
    for not_event in ["", "[]", "{}", "{\"id\":1}", "nonsense", r#"{"id":"","type":"payment.captured"}"#] {
        let header = signature::sign(&secret(), now, not_event.as_bytes());
        let refused = send_signed(&store, not_event.as_bytes(), Some(header)).await;
        assert!(matches!(refused, Err(WebhookError::Bad(_))), "{not_event}: {refused:?}");
    }
    let stranger = payments::receive(&store, "stripe", &|_| None, &body).await;
    assert!(matches!(stranger, Err(WebhookError::UnknownProvider)));
    assert_eq!(ledger.text("SELECT count(*)::text FROM webhook_inbox").await, "0");
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | open | persisted");
    // Two signatures, as during a change of secrets: one that fits is enough.
    let both = format!("{},{}", sign("wrong", now).unwrap(), &sign("test-webhook", now).unwrap()[13..]);
    assert_eq!(send_signed(&store, &body, Some(both)).await.unwrap(), Received::Applied);
}

#[tokio::test]
async fn an_old_secret_is_good_until_it_is_taken_away() {
    let store = testkit::store_with(|config| {
        config.sandbox.as_mut().unwrap().webhook_secrets = vec![Secret::new("new"), secret()];
    })
    .await;
    let unknown = json!({"id": "e1", "type": "something.else", "data": 7});
    assert_eq!(send(&store, &unknown).await, Received::Ignored);
    assert_eq!(send(&store, &unknown).await, Received::Ignored);
    let ledger = Ledger::of(&store).await;
    assert_eq!(
        ledger.text("SELECT string_agg(outcome || ' ' || kind, ',') FROM webhook_inbox").await,
        "ignored something.else"
    );
}

#[tokio::test]
async fn a_capture_pays_the_order_once() {
    let (store, ledger) = shop().await;
    let order = ledger.waiting_for_payment().await;
    let session = ledger.session(order).await;
    let event = captured("e1", &session, order);
    let sent = futures::future::join_all((0..50).map(|_| send(&store, &event))).await;
    assert_eq!(sent.iter().filter(|received| **received == Received::Applied).count(), 1, "{sent:?}");
    assert_eq!(send(&store, &captured("e2", &session, order)).await, Received::Ignored);
    assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_captured");
    assert_eq!(ledger.text("SELECT on_hand || '/' || reserved FROM stock").await, "3/0");
    assert_eq!(ledger.text("SELECT string_agg(kind, ',') FROM gate_ops").await, "settle");
    assert_eq!(
        ledger.text("SELECT string_agg(topic, ',' ORDER BY topic) FROM outbox").await,
        "mail.send,order.changed,sms.send"
    );
    assert_eq!(ledger.text("SELECT count(*)::text FROM payments WHERE captured_at IS NOT NULL").await, "1");
}

#[tokio::test]
async fn no_event_moves_anything_back() {
    let (store, ledger) = shop().await;
    let order = ledger.waiting_for_payment().await;
    let session = ledger.session(order).await;
    assert_eq!(send(&store, &captured("e2", &session, order)).await, Received::Applied);
    assert_eq!(send(&store, &event("e1", "payment.declined", &session, order)).await, Received::Ignored);
    assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_captured");
}

#[tokio::test]
async fn money_of_a_declined_session_pays_and_the_newer_session_is_closed() {
    let (store, ledger) = shop().await;
    let order = ledger.waiting_for_payment().await;
    let first = ledger.session(order).await;
    assert_eq!(send(&store, &event("e1", "payment.declined", &first, order)).await, Received::Applied);
    ledger.session(order).await;
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | declined,open | persisted,payment_failed");
    assert_eq!(send(&store, &captured("e2", &first, order)).await, Received::Applied);
    assert_eq!(ledger.story(order).await, "PAID | captured,open | persisted,payment_failed,payment_captured");
    assert_eq!(ledger.text("SELECT count(*)::text FROM outbox WHERE topic = 'payment.close'").await, "1");
}

#[tokio::test]
async fn what_does_not_fit_the_ledger_is_kept_apart() {
    let (store, ledger) = shop().await;
    let order = ledger.waiting_for_payment().await;
    let other = ledger.waiting_for_payment().await;
    let session = ledger.session(order).await;
    let change = |id: &str, field: &str, value: Value| {
        let mut event = captured(id, &session, order);
        event["data"][field] = value;
        event
    };
    let misfits = [
        change("amount", "amount", json!(TOTAL.get() - 1)),
        change("currency", "currency", json!("USD")),
        change("no currency", "currency", json!("XXX")),
        change("other order", "order_id", json!(other.id)),
        change("no order", "order_id", json!("7")),
        change("no session", "payment_id", json!("sbx_pay_nobody")),
        event("refund", "refund.succeeded", &session, order),
    ];
    for misfit in &misfits {
        assert_eq!(send(&store, misfit).await, Received::Quarantined, "{misfit}");
        assert_eq!(send(&store, misfit).await, Received::Ignored, "{misfit}");
    }
    assert_eq!(ledger.text("SELECT count(note)::text FROM webhook_inbox WHERE outcome = 'quarantined'").await, "7");
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | open | persisted");
    assert_eq!(ledger.story(other).await, "PAYMENT_PENDING |  | persisted");
}

#[tokio::test]
async fn an_event_waits_for_its_order() {
    let (store, ledger) = shop().await;
    let (order, never) = (coming(), coming());
    let session = format!("sbx_pay_{}", uuid().simple());
    assert_eq!(send(&store, &captured("e1", &session, order)).await, Received::Waiting);
    assert_eq!(send(&store, &captured("e2", "sbx_pay_x", never)).await, Received::Waiting);
    ledger.write(order, "PAYMENT_PENDING").await;
    let known = ledger.session(order).await;
    sqlx::query("UPDATE payments SET provider_ref = $1 WHERE provider_ref = $2")
        .bind(&session)
        .bind(known)
        .execute(&ledger.pg)
        .await
        .unwrap();
    ledger.run("UPDATE webhook_inbox SET due_at = now() - interval '1 second', attempts = CASE event_id WHEN 'e2' THEN 9 ELSE 0 END").await;
    let batch = RetryWaiting.fetch(&store).await.unwrap().unwrap();
    RetryWaiting.handle(&store, batch).await.unwrap();
    assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_captured");
    let outcomes = ledger.text("SELECT string_agg(outcome, ',' ORDER BY event_id) FROM webhook_inbox").await;
    assert_eq!(outcomes, "applied,quarantined");
    assert!(RetryWaiting.fetch(&store).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_is_opened_once_and_for_its_owner_only() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let order = ledger.waiting_for_payment().await;
    let viewer = order.viewer();
    let asked = (0..10).map(|_| payments::init(store, &viewer, order.id, "sandbox"));
    let started: Vec<_> = futures::future::join_all(asked).await.into_iter().map(Result::unwrap).collect();
    assert!(started.iter().all(|s| *s == started[0]), "{started:?}");
    let (asked, again) = (street.sessions_asked(), payments::init(store, &order.viewer(), order.id, "sandbox").await);
    assert_eq!(again.unwrap(), started[0]);
    assert_eq!(street.sessions_asked(), asked, "an open session needs no call");
    let at_provider = ledger
        .text("SELECT count(*) || ' ' || max(order_number) || ' ' || max(amount_minor) || ' ' || max(return_url) FROM sandbox.payments")
        .await;
    let number = ledger.text("SELECT number FROM orders").await;
    assert_eq!(at_provider, format!("1 {number} 104700 http://shop.test/orders/{}?paying=1", order.id));
    assert!(started[0].redirect_url.contains("/sandbox/pay/sbx_pay_"), "{started:?}");

    let admin = Viewer { role: Role::Owner, ..Viewer::new(coming().owner) };
    for stranger in [coming().viewer(), admin] {
        assert_eq!(code(payments::init(store, &stranger, order.id, "sandbox").await), ErrorCode::NotFound);
    }
    assert_eq!(code(payments::init(store, &order.viewer(), order.id, "cash").await), ErrorCode::BadRequest);
    let ended = ledger.expired().await;
    assert_eq!(code(payments::init(store, &ended.viewer(), ended.id, "sandbox").await), ErrorCode::NotPayable);
    ledger.run("UPDATE orders SET expires_at = now() - interval '1 second'").await;
    assert_eq!(code(payments::init(store, &order.viewer(), order.id, "sandbox").await), ErrorCode::NotPayable);
}

#[tokio::test]
async fn a_provider_that_is_away_costs_nothing() {
    let street = Street::open().await;
    let store = &street.store;
    let ledger = Ledger::of(store).await;
    let order = ledger.waiting_for_payment().await;
    street.break_provider(true);
    assert_eq!(code(payments::init(store, &order.viewer(), order.id, "sandbox").await), ErrorCode::ProviderUnavailable);
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | creating | persisted");
    let recorded = ledger.text("SELECT id::text FROM payments").await;
    street.break_provider(false);
    let started = payments::init(store, &order.viewer(), order.id, "sandbox").await.unwrap();
    assert_eq!(started.payment_id.to_string(), recorded);
    assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | open | persisted");
}

/// Lets the provider send what is due, until nothing is.
async fn deliver(store: &Store) {
    while let Some(batch) = DeliverEvents.fetch(store).await.unwrap() {
        DeliverEvents.handle(store, batch).await.unwrap();
    }
}

async fn pay_page(street: &Street, order: Coming) -> (PaymentId, String) {
    let started = payments::init(&street.store, &order.viewer(), order.id, "sandbox").await.unwrap();
    let id = started.redirect_url.rsplit('/').next().unwrap().to_owned();
    (started.payment_id, id)
}
