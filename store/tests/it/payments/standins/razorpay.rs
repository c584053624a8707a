//! Razorpay's API of Payment Links and refunds, and its events: razorpay.com/docs/api.

use super::{Desk, Event, KEY, Refund, Session, Tale, http::Request};
use serde_json::{Value, json};
use store::{
    payments::provider::SessionState,
    world::{SystemWorld, World},
};

/// `rzp_test_contract:` and the key, as Basic wants them.
fn is_authorised(request: &Request) -> bool {
    let given = request.header("authorization").unwrap_or_default();
    let url = reqwest::Client::new().get("http://x/").basic_auth("rzp_test_contract", Some(KEY)).build().unwrap();
    url.headers()["authorization"].to_str().unwrap() == given
}

pub fn answer(desk: &mut Desk, request: &Request) -> (u16, Value) {
    if !is_authorised(request) {
        return refused(401, "Authentication failed");
    }
    let path = request.path.trim_start_matches("/v1/");
    match (request.method.as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
        ("POST", ["payment_links"]) => create(desk, &request.json()),
        ("GET", ["payment_links"]) => {
            let wanted = &request.query()["reference_id"];
            let links: Vec<_> = desk.sessions.iter().filter(|link| link.key == *wanted).map(shown).collect();
            (200, json!({"payment_links": links}))
        }
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
        ("POST", ["payments", payment, "refund"]) => {
            let (body, key) = (request.json(), request.header("x-refund-idempotency").unwrap());
            let notes = serde_json::from_value(body["notes"].clone()).unwrap();
            match desk.refund(&payment.replacen("pay_", "", 1), &key, body["amount"].as_i64().unwrap(), notes) {
                Some(Refund { id, amount, notes, .. }) => (
                    200,
                    json!({"id": id, "entity": "refund", "amount": amount,
                    "currency": "INR", "payment_id": payment, "notes": notes, "receipt": null, "status": "pending"}),
                ),
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
    if asked["expire_by"].as_i64().unwrap() < SystemWorld.now().get() / 1000 + 900 {
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
    };
    desk.sessions.push(link.clone());
    (200, shown(&link))
}

fn shown(link: &Session) -> Value {
    let is_paid = link.state == SessionState::Paid;
    let status = match link.state {
        SessionState::Paid => "paid",
        SessionState::Closed => "cancelled",
        _ => "created",
    };
    let payments = is_paid.then(|| {
        let payment = json!({"amount": link.amount, "method": "upi", "payment_id": format!("pay_{}", link.id), "status": "captured"});
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
