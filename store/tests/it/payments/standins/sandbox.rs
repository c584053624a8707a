//! The sandbox provider's API and events, as `store::sandbox` has them.

use super::{Desk, Event, KEY, Session, Tale, http::Request};
use serde_json::{Value, json};
use store::payments::provider::SessionState;

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
        _ => missing(),
    }
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
