//! What Stripe's events mean to the shop.

use super::wire::{CheckoutSession, Intent, Refund, money};
use crate::payments::provider::{EventKind, ProviderEvent};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

const NOT_AN_EVENT: &str = "not an event";

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    name: String,
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    object: Value,
}

/// A charge lists its refunds, newest first, for accounts whose API version still does.
#[derive(Deserialize)]
struct Charge {
    refunds: Option<Refunds>,
}

#[derive(Deserialize)]
struct Refunds {
    data: Vec<Refund>,
}

pub(super) fn read(body: &[u8]) -> Result<ProviderEvent, &'static str> {
    let event: Event = serde_json::from_slice(body).map_err(|_| NOT_AN_EVENT)?;
    let object = event.data.object;
    let mut read = match event.name.as_str() {
        "checkout.session.completed" => of_session(as_a(object)?, |session| match session.payment_status.as_str() {
            "paid" => EventKind::Captured,
            // The money is under way: `async_payment_…` will tell.
            _ => EventKind::Unknown,
        }),
        "checkout.session.async_payment_succeeded" => of_session(as_a(object)?, |_| EventKind::Captured),
        "checkout.session.async_payment_failed" => of_session(as_a(object)?, |_| EventKind::Declined),
        "checkout.session.expired" => of_session(as_a(object)?, |_| EventKind::Closed),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => of_refund(as_a(object)?),
        "charge.refunded" => {
            let newest = as_a::<Charge>(object)?.refunds.and_then(|refunds| refunds.data.into_iter().next());
            newest.map_or_else(ProviderEvent::nothing, of_refund)
        }
        _ => ProviderEvent::nothing(),
    };
    read.id = event.id;
    read.name = event.name;
    Ok(read)
}

/// A session of the list, as the event of its money.
pub(super) fn of_listed(session: CheckoutSession) -> ProviderEvent {
    let name = "listed.session".to_owned();
    let event = of_session(session, |session| match session.payment_status.as_str() {
        "paid" => EventKind::Captured,
        _ => EventKind::Unknown,
    });
    ProviderEvent { id: event.provider_ref.clone(), name, ..event }
}

/// A refund of the list, as its event.
pub(super) fn of_listed_refund(refund: Refund) -> ProviderEvent {
    let (id, name) = (refund.id.clone(), "listed.refund".to_owned());
    ProviderEvent { id, name, ..of_refund(refund) }
}

fn as_a<T: DeserializeOwned>(object: Value) -> Result<T, &'static str> {
    serde_json::from_value(object).map_err(|_| NOT_AN_EVENT)
}

fn of_session(session: CheckoutSession, kind: impl FnOnce(&CheckoutSession) -> EventKind) -> ProviderEvent {
    let order = session.metadata.order_id.as_ref().or(session.client_reference_id.as_ref());
    ProviderEvent {
        kind: kind(&session),
        capture_ref: session.payment_intent.as_ref().map(|intent| intent.id().to_owned()),
        payment: session.metadata.payment_id.as_ref().and_then(|id| id.parse().ok()),
        order: order.and_then(|id| id.parse().ok()),
        amount: session.amount(),
        provider_ref: session.id,
        ..ProviderEvent::nothing()
    }
}

fn of_refund(refund: Refund) -> ProviderEvent {
    let given = |id: Option<String>| id.filter(|id| !id.is_empty());
    ProviderEvent {
        kind: match refund.status.as_deref() {
            Some("succeeded") => {
                EventKind::RefundSucceeded(given(refund.metadata.refund_id).and_then(|id| id.parse().ok()))
            }
            Some("failed" | "canceled") => {
                EventKind::RefundFailed(given(refund.metadata.refund_id).and_then(|id| id.parse().ok()))
            }
            _ => EventKind::Unknown,
        },
        refund_ref: Some(refund.id),
        provider_ref: given(refund.metadata.session_id).unwrap_or_default(),
        capture_ref: refund.payment_intent.as_ref().map(Intent::id).map(str::to_owned),
        payment: given(refund.metadata.payment_id).and_then(|id| id.parse().ok()),
        order: given(refund.metadata.order_id).and_then(|id| id.parse().ok()),
        amount: money(refund.amount, &refund.currency),
        ..ProviderEvent::nothing()
    }
}
