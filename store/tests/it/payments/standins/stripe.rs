//! Stripe's API of Checkout Sessions and refunds, and its events: docs.stripe.com/api.

use super::{Desk, Event, KEY, Refund, Session, Tale, http::Request, now, window};
use serde_json::{Value, json};
use std::collections::HashMap;
use store::payments::provider::{RefundState, SessionState};

pub fn answer(desk: &mut Desk, request: &Request) -> (u16, Value) {
    if request.header("authorization") != Some(format!("Bearer {KEY}")) {
        return refused(401, "", "", "Invalid API Key provided: sk_test_*****ract");
    }
    let path = request.path.trim_start_matches("/v1/");
    match (request.method.as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
        ("POST", ["checkout", "sessions"]) => create(desk, request),
        ("GET", ["checkout", "sessions", id]) => match desk.session(id) {
            Some(session) => (200, shown(session, request.query().contains_key("expand[]"))),
            None => missing(),
        },
        ("POST", ["checkout", "sessions", id, "expire"]) => match desk.session(id) {
            Some(session) if session.state == SessionState::Open => {
                session.state = SessionState::Closed;
                (200, shown(session, false))
            }
            Some(_) => refused(400, "", "", "Only Checkout Sessions with a status in [\"open\"] can be expired."),
            None => missing(),
        },
        ("GET", ["checkout", "sessions"]) => {
            let show = |session: &Session| shown(session, false);
            list(&desk.sessions, |session| (session.id.as_str(), session.made_at), show, &request.query())
        }
        ("POST", ["refunds"]) => refund(desk, request),
        ("GET", ["refunds"]) if request.query().contains_key("payment_intent") => {
            let of = request.query()["payment_intent"].replacen("pi_", "", 1);
            let made = desk.refunds.iter().filter(|refund| refund.session == of).map(shown_refund);
            (200, json!({"object": "list", "has_more": false, "data": made.collect::<Vec<_>>()}))
        }
        ("GET", ["refunds"]) => {
            list(&desk.refunds, |refund| (refund.id.as_str(), refund.made_at), shown_refund, &request.query())
        }
        ("GET", ["refunds", id]) => match desk.made_refund(id) {
            Some(made) => (200, shown_refund(made)),
            None => refused(404, "resource_missing", "id", "No such refund"),
        },
        _ => refused(404, "", "", "Unrecognized request URL"),
    }
}

fn create(desk: &mut Desk, request: &Request) -> (u16, Value) {
    let key = request.header("idempotency-key").unwrap();
    let (form, asked) = (request.form(), String::from_utf8(request.body.clone()).unwrap());
    if let Some(made) = desk.sessions.iter().find(|session| session.key == key) {
        if made.asked != asked {
            let words =
                "Keys for idempotent requests can only be used with the same parameters they were first used with.";
            return refused(400, "idempotency_error", "", words);
        }
        return (200, shown(made, false));
    }
    let now = now();
    let expires_at: i64 = form["expires_at"].parse().unwrap();
    if !(now + 1_800..=now + 86_400).contains(&expires_at) {
        let words =
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.";
        return refused(400, "", "expires_at", words);
    }
    let amount: i64 = form["line_items[0][price_data][unit_amount]"].parse().unwrap();
    if amount < 100 {
        return refused(
            400,
            "amount_too_small",
            "",
            "The Checkout Session's total amount due must add up to at least ₹50.00",
        );
    }
    assert_eq!((&*form["mode"], &*form["line_items[0][quantity]"]), ("payment", "1"));
    assert_eq!(form["metadata[payment_id]"], key);
    assert_eq!(form["metadata[order_id]"], form["client_reference_id"]);
    let session = Session {
        id: format!("cs_test_{}", desk.sessions.len() + 1),
        asked,
        key,
        order: form["metadata[order_id]"].clone(),
        amount,
        currency: form["line_items[0][price_data][currency]"].to_uppercase(),
        email: form["customer_email"].clone(),
        return_url: form["success_url"].clone(),
        state: SessionState::Open,
        made_at: now,
        given_back: 0,
    };
    desk.sessions.push(session.clone());
    (200, shown(&session, false))
}

fn refund(desk: &mut Desk, request: &Request) -> (u16, Value) {
    let (form, key) = (request.form(), request.header("idempotency-key").unwrap());
    let session = form["payment_intent"].replacen("pi_", "", 1);
    let notes = form.iter().filter_map(|(name, value)| {
        Some((name.strip_prefix("metadata[")?.trim_end_matches(']').to_owned(), value.clone()))
    });
    match desk.refund(&session, &key, form["amount"].parse().unwrap(), notes.collect()) {
        Some(made) => (200, shown_refund(&made)),
        None => refused(
            400,
            "charge_already_refunded",
            "amount",
            "Refund amount is greater than unrefunded amount on charge",
        ),
    }
}

/// A page, the newest first, after the one that `starting_after` names.
fn list<T>(
    all: &[T],
    about: fn(&T) -> (&str, i64),
    show: fn(&T) -> Value,
    query: &HashMap<String, String>,
) -> (u16, Value) {
    let number = |name: &str| query[name].parse::<i64>().unwrap();
    let (limit, time) = (number("limit") as usize, (number("created[gte]"), number("created[lt]")));
    assert!((1..=100).contains(&limit), "limit is between 1 and 100");
    let within = window(all, |it| about(it).1, time, 0, usize::MAX);
    let start = match query.get("starting_after") {
        Some(last) => within.iter().position(|it| about(it).0 == last).unwrap() + 1,
        None => 0,
    };
    let page: Vec<Value> = within[start..].iter().take(limit).map(|it| show(it)).collect();
    let has_more = start + page.len() < within.len();
    (200, json!({"object": "list", "has_more": has_more, "data": page}))
}

fn shown_refund(made: &Refund) -> Value {
    let status = match made.state {
        RefundState::Pending => "pending",
        RefundState::Succeeded => "succeeded",
        RefundState::Failed => "failed",
    };
    json!({"id": made.id, "object": "refund", "amount": made.amount, "currency": "inr", "status": status,
        "payment_intent": format!("pi_{}", made.session), "metadata": made.notes, "created": made.made_at})
}

fn shown(session: &Session, with_intent: bool) -> Value {
    let (status, payment_status, intent) = match session.state {
        SessionState::Open => ("open", "unpaid", None),
        SessionState::Processing => ("complete", "unpaid", Some("processing")),
        SessionState::Paid => ("complete", "paid", Some("succeeded")),
        SessionState::Declined => ("complete", "unpaid", Some("requires_payment_method")),
        SessionState::Closed => ("expired", "unpaid", None),
    };
    let id = format!("pi_{}", session.id);
    let intent = intent.map(|status| match with_intent {
        true => json!({"id": id, "object": "payment_intent", "status": status}),
        false => json!(id),
    });
    let url =
        (session.state == SessionState::Open).then(|| format!("https://checkout.stripe.test/c/pay/{}", session.id));
    json!({"id": session.id, "object": "checkout.session", "amount_subtotal": session.amount,
        "amount_total": session.amount, "currency": session.currency.to_lowercase(), "client_reference_id": session.order,
        "customer_email": session.email, "livemode": false, "mode": "payment", "payment_intent": intent,
        "payment_status": payment_status, "status": status, "url": url,
        "metadata": {"order_id": session.order, "payment_id": session.key}})
}

fn missing() -> (u16, Value) {
    refused(404, "resource_missing", "session", "No such checkout.session")
}

fn refused(status: u16, code: &str, param: &str, message: &str) -> (u16, Value) {
    let mut error = json!({"type": "invalid_request_error", "message": message});
    for (name, value) in [("code", code), ("param", param)] {
        if !value.is_empty() {
            error[name] = json!(value);
        }
    }
    (status, json!({"error": error}))
}

pub fn event(event: &Event) -> Value {
    let session = |status: &str, payment_status: &str| {
        json!({"id": event.session, "object": "checkout.session", "amount_total": event.amount,
            "currency": event.currency.to_lowercase(), "client_reference_id": event.order, "status": status,
            "payment_status": payment_status, "payment_intent": format!("pi_{}", event.session), "url": null,
            "metadata": {"order_id": event.order, "payment_id": event.payment}})
    };
    let (name, object) = match event.tale {
        Tale::Captured => ("checkout.session.completed", session("complete", "paid")),
        Tale::UnderWay => ("checkout.session.completed", session("complete", "unpaid")),
        Tale::Closed => ("checkout.session.expired", session("expired", "unpaid")),
        Tale::Refunded => {
            let metadata = match event.refund.is_empty() {
                true => json!({}),
                false => json!({"refund_id": event.refund, "session_id": event.session, "payment_id": event.payment,
                    "order_id": event.order}),
            };
            let refund = json!({"id": "re_1", "object": "refund", "amount": event.amount,
                "currency": event.currency.to_lowercase(), "status": "succeeded",
                "payment_intent": format!("pi_{}", event.session), "metadata": metadata});
            ("refund.updated", refund)
        }
        Tale::Unheard => ("invoice.paid", json!({"id": "in_1"})),
    };
    json!({"id": event.id, "object": "event", "api_version": "2024-06-20", "created": 1_700_000_000, "livemode": false,
        "type": name, "data": {"object": object}})
}
