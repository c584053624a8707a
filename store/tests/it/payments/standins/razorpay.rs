//! Razorpay's API of Payment Links and refunds, and its events: razorpay.com/docs/api.

use super::{Desk, Event, KEY, Refund, Session, Tale, http::Request, now, window};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::LazyLock};
use store::payments::provider::{RefundState, SessionState};

/// Most of a list at once, whatever was asked for.
const PAGE: usize = 100;

/// `rzp_test_contract:` and the key, as Basic wants them. Made once: a client reads all the machine's certificates.
static AUTHORISED: LazyLock<String> = LazyLock::new(|| {
    let request = reqwest::Client::new().get("http://x/").basic_auth("rzp_test_contract", Some(KEY)).build().unwrap();
    request.headers()["authorization"].to_str().unwrap().to_owned()
});

fn is_authorised(request: &Request) -> bool {
    request.header("authorization").is_some_and(|given| given == *AUTHORISED)
}

pub fn answer(desk: &mut Desk, request: &Request) -> (u16, Value) {
    if !is_authorised(request) {
        return refused(401, "Authentication failed");
    }
    let path = request.path.trim_start_matches("/v1/");
    match (request.method.as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
        ("POST", ["payment_links"]) => create(desk, &request.json()),
        ("GET", ["payment_links"]) => find(desk, &request.query()),
        ("GET", ["payments"]) => {
            let paid: Vec<_> = desk.sessions.iter().filter(|link| link.state == SessionState::Paid).cloned().collect();
            list(&paid, |link| link.made_at, listed, &request.query())
        }
        ("GET", ["refunds"]) => list(&desk.refunds, |refund| refund.made_at, refund, &request.query()),
        ("GET", ["refunds", id]) => match desk.made_refund(id) {
            Some(made) => (200, refund(made)),
            None => refused(400, "The id provided does not exist"),
        },
        ("GET", ["payment_links", id]) => match desk.session(id) {
            Some(link) => (200, shown(link)),
            None => refused(400, "The id provided does not exist"),
        },
        ("POST", ["payment_links", id, "cancel"]) => match desk.session(id) {
            Some(link) if link.state == SessionState::Open => {
                link.state = SessionState::Closed;
                (200, shown(link))
            }
            Some(_) => refused(400, "Payment link cannot be cancelled as it is not in created state"),
            None => refused(400, "The id provided does not exist"),
        },
        ("GET", ["payments", payment, "refunds"]) => {
            let of = payment.replacen("pay_", "", 1);
            let made = desk.refunds.iter().filter(|refund| refund.session == of).map(refund);
            (200, json!({"entity": "collection", "items": made.collect::<Vec<_>>()}))
        }
        ("POST", ["payments", payment, "refund"]) => {
            let (body, key) = (request.json(), request.header("x-refund-idempotency").unwrap());
            let notes = serde_json::from_value(body["notes"].clone()).unwrap();
            match desk.refund(&payment.replacen("pay_", "", 1), &key, body["amount"].as_i64().unwrap(), notes) {
                Some(made) => (200, refund(&made)),
                None => refused(400, "The total refund amount is greater than the refund payment amount"),
            }
        }
        _ => refused(404, "The requested URL was not found on the server."),
    }
}

fn create(desk: &mut Desk, asked: &Value) -> (u16, Value) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key = text(&asked["reference_id"]);
    if desk.sessions.iter().any(|link| link.key == key) {
        return refused(400, &format!("payment link with given reference_id ({key}) already exists"));
    }
    if asked["expire_by"].as_i64().unwrap() < now() + 900 {
        return refused(400, "expire_by should be at least 15 minutes after current time");
    }
    assert_eq!((&asked["accept_partial"], &asked["callback_method"]), (&json!(false), &json!("get")));
    assert!(key.len() <= 40 && asked["notes"]["payment_id"] == key);
    let link = Session {
        id: format!("plink_{}", desk.sessions.len() + 1),
        asked: asked.to_string(),
        key,
        order: text(&asked["notes"]["order_id"]),
        amount: asked["amount"].as_i64().unwrap(),
        currency: text(&asked["currency"]),
        email: text(&asked["customer"]["email"]),
        return_url: text(&asked["callback_url"]),
        state: SessionState::Open,
        made_at: now(),
        given_back: 0,
    };
    desk.sessions.push(link.clone());
    (200, shown(&link))
}

/// Links are found by two names and by nothing else: not by a time, and not page by page.
fn find(desk: &Desk, query: &HashMap<String, String>) -> (u16, Value) {
    let names = [query.get("reference_id"), query.get("payment_id")];
    let is_wanted = |link: &&Session| match names {
        [Some(reference), None] => link.key == *reference,
        [None, Some(payment)] => link.state == SessionState::Paid && format!("pay_{}", link.id) == *payment,
        _ => panic!("not a question that Razorpay answers: {query:?}"),
    };
    let found = desk.sessions.iter().filter(is_wanted).map(|link| {
        let mut link = shown(link);
        // In lists a link comes without its payments.
        link["payments"] = json!([]);
        link
    });
    (200, json!({"payment_links": found.collect::<Vec<_>>()}))
}

fn list<T>(all: &[T], made_at: fn(&T) -> i64, show: fn(&T) -> Value, query: &HashMap<String, String>) -> (u16, Value) {
    let number = |name: &str| query[name].parse::<i64>().unwrap();
    let (skip, count) = (number("skip") as usize, number("count") as usize);
    assert!((1..=100).contains(&count), "count is between 1 and 100");
    let items = window(all, made_at, (number("from"), number("to") + 1), skip, count.min(PAGE));
    let items: Vec<_> = items.into_iter().map(show).collect();
    (200, json!({"entity": "collection", "count": items.len(), "items": items}))
}

/// A payment of a link does not name it: its notes are empty.
fn listed(link: &Session) -> Value {
    json!({"id": format!("pay_{}", link.id), "entity": "payment", "amount": link.amount, "currency": link.currency,
        "status": "captured", "captured": true, "order_id": format!("order_{}", link.id), "description": "#1", "notes": [],
        "email": link.email, "method": "upi", "created_at": link.made_at})
}

fn refund(made: &Refund) -> Value {
    let status = match made.state {
        RefundState::Pending => "pending",
        RefundState::Succeeded => "processed",
        RefundState::Failed => "failed",
    };
    let notes = if made.notes.is_empty() { json!([]) } else { json!(made.notes) };
    json!({"id": made.id, "entity": "refund", "amount": made.amount, "currency": "INR",
        "payment_id": format!("pay_{}", made.session), "notes": notes, "receipt": null, "status": status,
        "created_at": made.made_at})
}

fn shown(link: &Session) -> Value {
    let is_paid = link.state == SessionState::Paid;
    let status = match link.state {
        SessionState::Paid => "paid",
        SessionState::Closed => "cancelled",
        _ => "created",
    };
    let payments = is_paid.then(|| {
        let status = if link.given_back == link.amount { "refunded" } else { "captured" };
        let payment =
            json!({"amount": link.amount, "method": "upi", "payment_id": format!("pay_{}", link.id), "status": status});
        let failed = json!({"amount": link.amount, "method": "card", "payment_id": "pay_0", "status": "failed"});
        json!([failed, payment])
    });
    json!({"accept_partial": false, "amount": link.amount, "amount_paid": if is_paid { link.amount } else { 0 },
        "cancelled_at": 0, "currency": link.currency, "id": link.id, "payments": payments, "reference_id": link.key,
        "short_url": format!("https://rzp.test/i/{}", link.id), "status": status, "user_id": "",
        "notes": {"order_id": link.order, "payment_id": link.key}})
}

fn refused(status: u16, description: &str) -> (u16, Value) {
    (
        status,
        json!({"error": {"code": "BAD_REQUEST_ERROR", "description": description, "source": "business",
        "step": "payment_initiation", "reason": "input_validation_failed", "metadata": {}, "field": null}}),
    )
}

pub fn event(event: &Event) -> Value {
    let (payment, session) = (format!("pay_{}", event.session), &event.session);
    let paid = if event.tale == Tale::Captured { event.amount } else { 0 };
    let link = |status: &str| {
        json!({"entity": {"id": session, "status": status, "amount": event.amount, "amount_paid": paid,
            "currency": event.currency, "reference_id": event.payment, "short_url": "https://rzp.test/i/1",
            "notes": {"order_id": event.order, "payment_id": event.payment}, "payments": null}})
    };
    let money = json!({"entity": {"id": payment, "entity": "payment", "amount": event.amount, "currency": event.currency,
        "status": "captured", "captured": true, "notes": []}});
    let (name, payload) = match event.tale {
        Tale::Captured => ("payment_link.paid", json!({"payment_link": link("paid"), "payment": money})),
        Tale::Closed => ("payment_link.expired", json!({"payment_link": link("expired")})),
        Tale::Refunded => {
            let notes = match event.refund.is_empty() {
                true => json!([]),
                false => json!({"refund_id": event.refund, "link_id": session, "payment_id": event.payment,
                    "order_id": event.order}),
            };
            let refund = json!({"entity": {"id": "rfnd_1", "amount": event.amount, "currency": event.currency,
                "payment_id": payment, "notes": notes, "status": "processed"}});
            ("refund.processed", json!({"refund": refund, "payment": money}))
        }
        // It has no event of its own for money under way; a failed try is none of ours either.
        Tale::UnderWay => ("payment.failed", json!({"payment": money})),
        Tale::Unheard => ("settlement.processed", json!({})),
    };
    json!({"entity": "event", "account_id": "acc_1", "event": name, "payload": payload, "created_at": 1_700_000_000})
}
