//! What each provider's webhooks do, and what they cannot do: one suite over all three.

use super::{
    ledger::{Coming, Ledger, TOTAL, coming, uuid},
    standins::{ALL, Event, KEY, Kind, SECRETS, StandIn, Tale, Webhook},
};
use serde_json::json;
use store::{
    Store,
    jobs::{Job, dead_letters},
    payments::{self, Received, RetryWaiting, WebhookError},
    testkit,
};

/// A shop that takes this provider.
async fn shop(kind: Kind) -> (Store, Ledger) {
    let stand_in = StandIn::open(kind).await;
    let store = testkit::store_with(|config| stand_in.configure(config, KEY)).await;
    let ledger = Ledger::of(&store).await;
    (store, ledger)
}

pub async fn receive(store: &Store, kind: Kind, webhook: &Webhook) -> Result<Received, WebhookError> {
    payments::receive(store, kind.name(), &|name| webhook.headers.get(name).cloned(), &webhook.body).await
}

fn seconds(store: &Store) -> i64 {
    store.now().get() / 1000
}

/// Sends what the provider would, and expects it to be taken in.
pub async fn send(store: &Store, kind: Kind, event: &Event) -> Received {
    receive(store, kind, &kind.webhook(event, SECRETS[0], seconds(store))).await.unwrap()
}

pub async fn about(ledger: &Ledger, kind: Kind, order: Coming, id: &str, tale: Tale) -> Event {
    let (payment, session) = ledger.session_at(order, kind.name()).await;
    event(id, tale, order, payment, session)
}

fn event(id: &str, tale: Tale, order: Coming, payment: String, session: String) -> Event {
    let (order, amount) = (order.id.to_string(), TOTAL.get());
    Event { id: id.into(), tale, session, payment, order, amount, currency: "INR", refund: String::new() }
}

async fn assert_refused(store: &Store, kind: Kind, webhook: &Webhook, what: &str) {
    let refused = receive(store, kind, webhook).await;
    assert!(matches!(refused, Err(WebhookError::Bad(_))), "{kind:?} {what}: {refused:?}");
}

#[tokio::test]
async fn only_the_providers_own_words_count() {
    for kind in ALL {
        let (store, ledger) = shop(kind).await;
        let order = ledger.waiting_for_payment().await;
        let event = about(&ledger, kind, order, "evt_1", Tale::Captured).await;
        let (now, name) = (seconds(&store), kind.signature_header());
        let genuine = kind.webhook(&event, SECRETS[0], now);
        for i in (0..genuine.body.len()).step_by(7) {
            let mut tampered = genuine.clone();
            tampered.body[i] ^= 1;
            assert_refused(&store, kind, &tampered, "a byte of the body").await;
        }
        for body in [[&genuine.body[..], b" "].concat(), Vec::new()] {
            assert_refused(&store, kind, &Webhook { body, ..genuine.clone() }, "another body").await;
        }
        let signature = genuine.headers[name].clone();
        for (i, old) in signature.char_indices() {
            let mut other = signature.clone();
            other.replace_range(i..=i, if old == '0' { "1" } else { "0" });
            let headers = [genuine.headers.clone(), [(name, other)].into()].into_iter().flatten().collect();
            let tampered = Webhook { headers, ..genuine.clone() };
            assert_refused(&store, kind, &tampered, "a letter of the signature").await;
        }
        for wrong in ["", "v1=", "t=1,v1=", "zz", "=", &signature[..signature.len() - 2], &format!("{signature}0")] {
            let mut tampered = genuine.clone();
            tampered.headers.insert(name, wrong.to_owned());
            assert_refused(&store, kind, &tampered, wrong).await;
        }
        let mut unsigned = genuine.clone();
        unsigned.headers.remove(name);
        assert_refused(&store, kind, &unsigned, "no signature").await;
        assert_refused(&store, kind, &kind.webhook(&event, "whsec_of_somebody_else", now), "another secret").await;
        for not_event in ["", "[]", "{}", "7", "{\"id\":1}", "nonsense", "{\"id\":\"e\",\"event\":7,\"type\":7}"] {
            let webhook = kind.signed(not_event.into(), "evt_2", SECRETS[0], now);
            assert_refused(&store, kind, &webhook, not_event).await;
        }
        assert_eq!(ledger.text("SELECT count(*)::text FROM webhook_inbox").await, "0", "{kind:?}");
        assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | open | persisted");
        assert_eq!(receive(&store, kind, &genuine).await.unwrap(), Received::Applied, "{kind:?}");
        assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_captured");
    }
}

#[tokio::test]
async fn an_old_or_a_future_signature_is_none() {
    // Razorpay's knows no time: there the effect alone, which happens once, is what a replay meets.
    for kind in [Kind::Stripe, Kind::Sandbox] {
        let (store, ledger) = shop(kind).await;
        let order = ledger.waiting_for_payment().await;
        let event = about(&ledger, kind, order, "evt_1", Tale::Captured).await;
        for seconds_off in [-302, 302, -86_400, 86_400] {
            let webhook = kind.webhook(&event, SECRETS[0], seconds(&store) + seconds_off);
            assert_refused(&store, kind, &webhook, "stale").await;
        }
        for seconds_off in [-298, 298] {
            let webhook = kind.webhook(&event, SECRETS[0], seconds(&store) + seconds_off);
            assert!(receive(&store, kind, &webhook).await.is_ok(), "{kind:?} {seconds_off}");
        }
    }
}

#[tokio::test]
async fn an_event_of_razorpay_needs_its_id() {
    let kind = Kind::Razorpay;
    let (store, ledger) = shop(kind).await;
    let order = ledger.waiting_for_payment().await;
    let event = about(&ledger, kind, order, "evt_1", Tale::Captured).await;
    let genuine = kind.webhook(&event, SECRETS[0], 0);
    let own = ["asked:", "listed:"].map(|prefix| Some(format!("{prefix}{}:paid", event.payment)));
    for id in [None, Some(String::new()), Some("x".repeat(201))].into_iter().chain(own) {
        let mut webhook = genuine.clone();
        webhook.headers.remove("x-razorpay-event-id");
        webhook.headers.extend(id.map(|id| ("x-razorpay-event-id", id)));
        assert_refused(&store, kind, &webhook, "no id").await;
    }
    assert_eq!(receive(&store, kind, &genuine).await.unwrap(), Received::Applied);
    assert_eq!(receive(&store, kind, &genuine).await.unwrap(), Received::Ignored);
    // The id is not signed: under another one the event is taken in again, and nothing follows.
    let replayed = kind.signed(genuine.body, "evt_9", SECRETS[0], 0);
    assert_eq!(receive(&store, kind, &replayed).await.unwrap(), Received::Ignored);
    assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_captured");
}

#[tokio::test]
async fn both_secrets_are_good_while_they_are_changed() {
    for kind in ALL {
        let (store, ledger) = shop(kind).await;
        for (i, secret) in SECRETS.iter().enumerate() {
            let order = ledger.waiting_for_payment().await;
            let event = about(&ledger, kind, order, &format!("evt_{i}"), Tale::Captured).await;
            let webhook = kind.webhook(&event, secret, seconds(&store));
            assert_eq!(receive(&store, kind, &webhook).await.unwrap(), Received::Applied, "{kind:?} {secret}");
        }
    }
}

#[tokio::test]
async fn fifty_at_once_have_one_effect() {
    for kind in ALL {
        let (store, ledger) = shop(kind).await;
        let order = ledger.waiting_for_payment().await;
        let event = about(&ledger, kind, order, "evt_1", Tale::Captured).await;
        let sent = futures::future::join_all((0..50).map(|_| send(&store, kind, &event))).await;
        assert_eq!(sent.iter().filter(|received| **received == Received::Applied).count(), 1, "{kind:?}");
        assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_captured");
        assert_eq!(ledger.text("SELECT string_agg(kind, ',') FROM gate_ops").await, "settle");
        assert_eq!(ledger.text("SELECT count(*)::text FROM webhook_inbox").await, "1");
        assert_eq!(ledger.text("SELECT (capture_ref <> '')::text FROM payments").await, "true");
    }
}

#[tokio::test]
async fn what_nobody_asked_about_is_fine() {
    for kind in ALL {
        let (store, ledger) = shop(kind).await;
        let order = ledger.waiting_for_payment().await;
        let unheard = about(&ledger, kind, order, "evt_1", Tale::Unheard).await;
        let under_way = Event { id: "evt_2".into(), tale: Tale::UnderWay, ..unheard.clone() };
        for event in [&unheard, &under_way] {
            assert_eq!(send(&store, kind, event).await, Received::Ignored, "{kind:?}");
        }
        assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | open | persisted");
    }
}

#[tokio::test]
async fn money_that_does_not_fit_is_kept_apart() {
    for kind in ALL {
        let (store, ledger) = shop(kind).await;
        let (order, other) = (ledger.waiting_for_payment().await, ledger.waiting_for_payment().await);
        let fits = about(&ledger, kind, order, "", Tale::Captured).await;
        let misfits = [
            Event { id: "less".into(), amount: TOTAL.get() - 1, ..fits.clone() },
            Event { id: "more".into(), amount: TOTAL.get() + 1, ..fits.clone() },
            Event { id: "currency".into(), currency: "USD", ..fits.clone() },
            Event { id: "no currency".into(), currency: "XXX", ..fits.clone() },
            Event { id: "other order".into(), order: other.id.to_string(), ..fits.clone() },
            Event { id: "no order".into(), order: "7".into(), ..fits.clone() },
            Event { id: "no session".into(), session: "nobody_1".into(), payment: uuid().to_string(), ..fits.clone() },
            Event { id: "second session, less".into(), session: "nobody_1".into(), amount: 1, ..fits.clone() },
        ];
        for misfit in &misfits {
            assert_eq!(send(&store, kind, misfit).await, Received::Quarantined, "{kind:?} {misfit:?}");
            assert_eq!(send(&store, kind, misfit).await, Received::Ignored, "{kind:?} {misfit:?}");
        }
        let kept = ledger.text("SELECT count(note)::text FROM webhook_inbox WHERE outcome = 'quarantined'").await;
        assert_eq!(kept, misfits.len().to_string(), "{kind:?}");
        assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | open | persisted");
        assert_eq!(ledger.story(other).await, "PAYMENT_PENDING |  | persisted");
    }
}

/// An admin mends what was wrong, and has it looked at again.
#[tokio::test]
async fn what_was_kept_apart_can_be_looked_at_again() {
    for kind in ALL {
        let (store, ledger) = shop(kind).await;
        let order = ledger.waiting_for_payment().await;
        let event = about(&ledger, kind, order, "evt_1", Tale::Captured).await;
        ledger.run("UPDATE payments SET amount_minor = amount_minor - 1").await;
        assert_eq!(send(&store, kind, &event).await, Received::Quarantined, "{kind:?}");
        ledger.run("UPDATE payments SET amount_minor = amount_minor + 1").await;
        let letter = dead_letters::list(&store, 0).await.unwrap().pop().unwrap();
        dead_letters::retry(&store, letter.id).await.unwrap();
        let batch = RetryWaiting.fetch(&store).await.unwrap().unwrap();
        RetryWaiting.handle(&store, batch).await.unwrap();
        assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_captured", "{kind:?}");
        assert!(dead_letters::list(&store, 0).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn money_of_a_second_session_pays_or_goes_back() {
    for kind in ALL {
        let (store, ledger) = shop(kind).await;
        let order = ledger.waiting_for_payment().await;
        let first = about(&ledger, kind, order, "evt_1", Tale::Captured).await;
        let second = Event { id: "evt_2".into(), session: format!("{}x", first.session), ..first.clone() };
        assert_eq!(send(&store, kind, &second).await, Received::Applied, "{kind:?}");
        assert_eq!(ledger.story(order).await, "PAID | open,captured | persisted,payment_captured", "{kind:?}");
        assert_eq!(ledger.text("SELECT count(*)::text FROM outbox WHERE topic = 'payment.close'").await, "1");
        let again = Event { id: "evt_3".into(), ..second };
        assert_eq!(send(&store, kind, &again).await, Received::Ignored, "{kind:?}");
        assert_eq!(send(&store, kind, &first).await, Received::Applied, "{kind:?}");
        let story = "PAID | refunding,captured | persisted,payment_captured,money_goes_back";
        assert_eq!(ledger.story(order).await, story, "{kind:?}");
    }
}

#[tokio::test]
async fn an_event_that_comes_before_its_order_is_kept_for_it() {
    for kind in ALL {
        let (store, ledger) = shop(kind).await;
        let (order, session) = (coming(), format!("early_{}", uuid().simple()));
        let early = event("evt_1", Tale::Captured, order, uuid().to_string(), session.clone());
        assert_eq!(send(&store, kind, &early).await, Received::Waiting, "{kind:?}");
        ledger.write(order, "PAYMENT_PENDING").await;
        let (payment, _) = ledger.session_at(order, kind.name()).await;
        sqlx::query("UPDATE payments SET provider_ref = $1 WHERE id::text = $2")
            .bind(&session)
            .bind(payment)
            .execute(&ledger.pg)
            .await
            .unwrap();
        ledger.run("UPDATE webhook_inbox SET due_at = now() - interval '1 second'").await;
        let batch = RetryWaiting.fetch(&store).await.unwrap().unwrap();
        RetryWaiting.handle(&store, batch).await.unwrap();
        assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_captured", "{kind:?}");
        assert_eq!(ledger.text("SELECT string_agg(outcome, ',') FROM webhook_inbox").await, "applied");
    }
}

#[tokio::test]
async fn an_answer_that_was_never_written_down_is_known_by_our_own_id() {
    for kind in ALL {
        let (store, ledger) = shop(kind).await;
        let order = ledger.waiting_for_payment().await;
        let event = about(&ledger, kind, order, "evt_1", Tale::Captured).await;
        ledger.run("UPDATE payments SET status = 'creating', provider_ref = NULL").await;
        assert_eq!(send(&store, kind, &event).await, Received::Applied, "{kind:?}");
        assert_eq!(ledger.story(order).await, "PAID | captured | persisted,payment_captured");
    }
}

#[tokio::test]
async fn in_any_order_events_only_move_forward() {
    let tales = [Tale::UnderWay, Tale::Captured, Tale::Closed];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for kind in ALL {
        let (store, ledger) = shop(kind).await;
        for (number, sequence) in orders.iter().enumerate() {
            let order = ledger.waiting_for_payment().await;
            let event = about(&ledger, kind, order, "", Tale::Captured).await;
            for step in sequence {
                let id = format!("evt_{number}_{step}");
                send(&store, kind, &Event { id, tale: tales[*step], ..event.clone() }).await;
            }
            let story = ledger.story(order).await;
            assert_eq!(story, "PAID | captured | persisted,payment_captured", "{kind:?} {sequence:?}");
        }
    }
}

#[tokio::test]
async fn a_session_that_ended_makes_room_for_another() {
    for kind in [Kind::Stripe, Kind::Razorpay] {
        let (store, ledger) = shop(kind).await;
        let order = ledger.waiting_for_payment().await;
        let event = about(&ledger, kind, order, "evt_1", Tale::Closed).await;
        assert_eq!(send(&store, kind, &event).await, Received::Applied);
        assert_eq!(ledger.story(order).await, "PAYMENT_PENDING | closed | persisted", "{kind:?}");
        let started = payments::init(&store, &order.viewer(), order.id, kind.name()).await.unwrap();
        assert_ne!(started.payment_id.to_string(), event.payment);
    }
}

#[tokio::test]
async fn only_the_providers_word_makes_a_refund() {
    for kind in ALL {
        let (store, ledger) = shop(kind).await;
        let order = ledger.expired().await;
        let late = about(&ledger, kind, order, "evt_1", Tale::Captured).await;
        ledger.run("UPDATE payments SET status = 'refunding', captured_at = now()").await;
        ledger
            .run("INSERT INTO refunds (id, payment_id, order_id, amount_minor, currency, reason, status, created_at)
                  SELECT gen_random_uuid(), id, order_id, amount_minor, currency, 'late', 'requested', now() FROM payments")
            .await;
        let refund = ledger.text("SELECT id::text FROM refunds").await;
        let back = Event { id: "evt_2".into(), tale: Tale::Refunded, refund, ..late };
        let less = Event { id: "evt_3".into(), amount: back.amount - 1, ..back.clone() };
        assert_eq!(send(&store, kind, &less).await, Received::Quarantined, "{kind:?}");
        assert_eq!(send(&store, kind, &back).await, Received::Applied, "{kind:?}");
        let again = Event { id: "evt_4".into(), ..back };
        assert_eq!(send(&store, kind, &again).await, Received::Ignored, "{kind:?}");
        assert_eq!(ledger.story(order).await, "REFUNDED | refunded | persisted,late_money_returned", "{kind:?}");
    }
}

#[tokio::test]
async fn a_refund_made_on_the_providers_pages_is_known_by_its_money() {
    for kind in [Kind::Stripe, Kind::Razorpay] {
        let (store, ledger) = shop(kind).await;
        let order = ledger.waiting_for_payment().await;
        let event = about(&ledger, kind, order, "evt_1", Tale::Captured).await;
        send(&store, kind, &event).await;
        send(&store, kind, &Event { id: "evt_2".into(), tale: Tale::Refunded, ..event }).await;
        let note = ledger.text("SELECT note FROM webhook_inbox WHERE event_id = 'evt_2'").await;
        assert!(!note.contains("names no order"), "{kind:?}: {note}");
    }
}

#[tokio::test]
async fn stripes_slow_money_counts_when_it_is_there() {
    let kind = Kind::Stripe;
    let (store, ledger) = shop(kind).await;
    for (name, story) in [
        ("checkout.session.async_payment_succeeded", "PAID | captured | persisted,payment_captured"),
        ("checkout.session.async_payment_failed", "PAYMENT_PENDING | declined | persisted,payment_failed"),
    ] {
        let order = ledger.waiting_for_payment().await;
        let mut slow = about(&ledger, kind, order, &format!("{name} 1"), Tale::UnderWay).await;
        assert_eq!(send(&store, kind, &slow).await, Received::Ignored);
        slow.id = format!("{name} 2");
        let mut body: serde_json::Value = serde_json::from_slice(&kind.webhook(&slow, SECRETS[0], 0).body).unwrap();
        body["type"] = json!(name);
        body["data"]["object"]["payment_status"] = json!(if name.ends_with("failed") { "unpaid" } else { "paid" });
        let webhook = kind.signed(body.to_string().into(), &slow.id, SECRETS[0], seconds(&store));
        assert_eq!(receive(&store, kind, &webhook).await.unwrap(), Received::Applied, "{name}");
        assert_eq!(ledger.story(order).await, story);
    }
}
