//! The sandbox provider's API and events, as `store::sandbox` has them.

use super::{Desk, Event, KEY, Refund, Session, Tale, http::Request, now};
use serde_json::{Value, json};
use store::payments::provider::{RefundState, SessionState};

pub fn answer(desk: &mut Desk, request: &Request) -> (u16, Value) {
    if request.header("authorization") != Some(format!("Bearer {KEY}")) {
        return (401, json!({"code": "unauthorised", "message": "This API needs a key."}));
    }
    let key = request.header("idempotency-key").unwrap_or_default();
    let path = request.path.trim_start_matches("/v1/");
    match (request.method.as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
        ("POST", ["payments"]) => create(desk, key, &request.json()),
        ("GET", ["payments", id]) => desk.session(id).map_or_else(missing, |session| (200, shown(session))),
        ("POST", ["payments", id, "close"]) => match desk.session(id) {
            Some(session) => {
                if session.state == SessionState::Open {
                    session.state = SessionState::Closed;
                }
                (200, shown(session))
            }
            None => missing(),
        },
        ("POST", ["payments", id, "refunds"]) => {
            let amount = request.json()["amount"].as_i64().unwrap();
            match desk.refund(id, &key, amount, [].into()) {
                Some(made) => (200, json!({"id": made.id})),
                None => (409, json!({"code": "conflict", "message": "There is not so much money."})),
            }
        }
        ("GET", ["refunds", id]) => match desk.made_refund(id) {
            Some(made) if made.state == RefundState::Succeeded => (200, json!({"status": "succeeded"})),
            Some(_) => (200, json!({"status": "pending"})),
            None => missing(),
        },
        ("GET", ["statement"]) => statement(desk, request),
        _ => missing(),
    }
}

/// Money that came, then money that went back; a page after the move that was last.
fn statement(desk: &Desk, request: &Request) -> (u16, Value) {
    const PAGE: usize = 100;
    let query = request.query();
    let moment = |name: &str| query[name].parse::<i64>().unwrap();
    let is_within = |made_at: i64| (moment("from")..moment("until")).contains(&(made_at * 1000));
    let came = desk.sessions.iter().filter(|it| it.state == SessionState::Paid && is_within(it.made_at));
    let mut moves: Vec<(String, Value)> = came.map(|session| (session.id.clone(), tell(session, None))).collect();
    for refund in desk.refunds.iter().filter(|it| it.state == RefundState::Succeeded && is_within(it.made_at)) {
        let session = desk.sessions.iter().find(|session| session.id == refund.session).unwrap();
        moves.push((refund.id.clone(), tell(session, Some(refund))));
    }
    let start = match query["after"].as_str() {
        "" => 0,
        last => moves.iter().position(|(id, _)| id == last).unwrap() + 1,
    };
    let page: Vec<_> = moves.into_iter().skip(start).take(PAGE).collect();
    let next = page.last().filter(|_| page.len() == PAGE).map(|(id, _)| id.clone());
    (200, json!({"moves": page.into_iter().map(|(_, told)| told).collect::<Vec<_>>(), "next": next}))
}

fn tell(session: &Session, refund: Option<&Refund>) -> Value {
    let (id, amount) = refund.map_or((&session.id, session.amount), |refund| (&refund.id, refund.amount));
    let mut told = json!({"id": id, "type": if refund.is_some() { "refund.succeeded" } else { "payment.captured" },
        "created": session.made_at, "data": {"payment_id": session.id, "reference": session.key,
        "order_id": session.order, "amount": amount, "currency": session.currency}});
    if let Some(refund) = refund {
        told["data"]["refund_id"] = json!(refund.id);
        // The shop's own name for it, or one of somebody else.
        told["data"]["refund_reference"] = json!(refund.key);
    }
    told
}

fn create(desk: &mut Desk, key: String, asked: &Value) -> (u16, Value) {
    if let Some(made) = desk.sessions.iter().find(|session| session.key == key) {
        return (200, shown(made));
    }
    let text = |name: &str| asked[name].as_str().unwrap().to_owned();
    let session = Session {
        id: format!("sbx_pay_{}", desk.sessions.len() + 1),
        asked: asked.to_string(),
        key,
        order: text("order_id"),
        amount: asked["amount"].as_i64().unwrap(),
        currency: text("currency"),
        email: text("email"),
        return_url: text("return_url"),
        state: SessionState::Open,
        made_at: now(),
        given_back: 0,
    };
    desk.sessions.push(session.clone());
    (200, shown(&session))
}

fn shown(session: &Session) -> Value {
    let status = match session.state {
        SessionState::Open => "open",
        SessionState::Processing => "processing",
        SessionState::Paid => "paid",
        SessionState::Declined => "declined",
        SessionState::Closed => "closed",
    };
    json!({"id": session.id, "order_id": session.order, "order_number": "BB-1", "amount": session.amount,
        "currency": session.currency, "email": session.email, "return_url": session.return_url,
        "cancel_url": session.return_url, "status": status, "url": format!("https://sandbox.test/pay/{}", session.id)})
}

fn missing() -> (u16, Value) {
    (404, json!({"code": "not_found", "message": "There is no this payment."}))
}

pub fn event(event: &Event) -> Value {
    let name = match event.tale {
        Tale::Captured => "payment.captured",
        Tale::Refunded => "refund.succeeded",
        // The shop closes its sessions itself: no events of that.
        Tale::UnderWay | Tale::Closed | Tale::Unheard => "something.else",
    };
    let mut data = json!({"payment_id": event.session, "reference": event.payment, "order_id": event.order,
        "amount": event.amount, "currency": event.currency});
    if !event.refund.is_empty() {
        data["refund_reference"] = json!(event.refund);
    }
    json!({"id": event.id, "type": name, "created": 1_700_000_000, "data": data})
}
