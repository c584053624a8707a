//! What Razorpay's events mean to the shop. A payment that failed on a link ends nothing: the link stays open, and the
//! person tries again on the same page.

use super::wire::{Link, Payment, Refund, money, note};
use crate::payments::{
    answer::is_id,
    provider::{EventKind, ProviderEvent},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

const NOT_AN_EVENT: &str = "not an event";

#[derive(Deserialize)]
struct Event {
    event: String,
    #[serde(default)]
    payload: Value,
}

pub(super) fn read(id: String, body: &[u8]) -> Result<ProviderEvent, &'static str> {
    let Event { event, payload } = serde_json::from_slice(body).map_err(|_| NOT_AN_EVENT)?;
    let read = match event.as_str() {
        "payment_link.paid" => {
            let link: Link = entity(&payload, "payment_link")?;
            // What was paid, not what was asked for.
            let paid = money(link.amount_paid, &link.currency);
            let kind = if link.status == "paid" { EventKind::Captured } else { EventKind::Unknown };
            let money = entity::<Payment>(&payload, "payment").ok().map(|payment| payment.id);
            ProviderEvent { amount: paid, capture_ref: money, ..of_link(link, kind) }
        }
        "payment_link.cancelled" | "payment_link.expired" => {
            of_link(entity(&payload, "payment_link")?, EventKind::Closed)
        }
        "payment.failed" => of_attempt(entity(&payload, "payment")?),
        "refund.processed" | "refund.failed" => {
            let payment: Option<Payment> = entity(&payload, "payment").ok();
            match payment.and_then(|payment| payment.captured) {
                // Razorpay gives back by itself what was never captured, so never ours.
                Some(false) => ProviderEvent::nothing(),
                _ => of_refund(entity(&payload, "refund")?),
            }
        }
        _ => ProviderEvent::nothing(),
    };
    Ok(ProviderEvent { id, name: event, ..read })
}

fn entity<T: DeserializeOwned>(payload: &Value, name: &str) -> Result<T, &'static str> {
    let entity = payload.get(name).and_then(|part| part.get("entity")).ok_or(NOT_AN_EVENT)?;
    T::deserialize(entity).map_err(|_| NOT_AN_EVENT)
}

fn of_link(link: Link, kind: EventKind) -> ProviderEvent {
    ProviderEvent {
        kind,
        payment: link.reference_id.as_deref().and_then(|id| id.parse().ok()),
        order: link.note("order_id").and_then(|id| id.parse().ok()),
        amount: money(link.amount, &link.currency),
        provider_ref: link.id,
        ..ProviderEvent::nothing()
    }
}

/// A payment carries none of its link's notes; its description is `#` and the link's id without `plink_`.
fn of_attempt(payment: Payment) -> ProviderEvent {
    let link = payment.description.as_deref().and_then(|text| text.strip_prefix('#')).filter(|id| is_id(id));
    let Some(link) = link else { return ProviderEvent::nothing() };
    ProviderEvent {
        kind: EventKind::AttemptFailed,
        provider_ref: format!("plink_{link}"),
        amount: money(payment.amount, &payment.currency),
        ..ProviderEvent::nothing()
    }
}

/// A payment of the list, as the event of its money; it does not say of which link it is.
pub(super) fn of_listed(payment: Payment) -> ProviderEvent {
    ProviderEvent {
        name: "listed.payment".to_owned(),
        kind: if payment.captured == Some(true) { EventKind::Captured } else { EventKind::Unknown },
        amount: money(payment.amount, &payment.currency),
        capture_ref: Some(payment.id.clone()),
        id: payment.id,
        ..ProviderEvent::nothing()
    }
}

/// The link of a listed payment, as the event of its money.
pub(super) fn of_paid_link(link: Link, money_id: &str) -> ProviderEvent {
    let kind = if link.status == "paid" { EventKind::Captured } else { EventKind::Unknown };
    let (id, paid) = (money_id.to_owned(), money(link.amount_paid, &link.currency));
    ProviderEvent {
        name: "listed.link".to_owned(),
        amount: paid,
        capture_ref: Some(id.clone()),
        id,
        ..of_link(link, kind)
    }
}

/// A refund of the list, as its event.
pub(super) fn of_listed_refund(refund: Refund) -> ProviderEvent {
    let (id, name) = (refund.id.clone(), "listed.refund".to_owned());
    ProviderEvent { id, name, ..of_refund(refund) }
}

fn of_refund(refund: Refund) -> ProviderEvent {
    let note = |name: &str| note(&refund.notes, name);
    let ours = note("refund_id").and_then(|id| id.parse().ok());
    ProviderEvent {
        kind: match refund.status.as_str() {
            "failed" => EventKind::RefundFailed(ours),
            "pending" => EventKind::Unknown,
            _ => EventKind::RefundSucceeded(ours),
        },
        refund_ref: Some(refund.id.clone()),
        provider_ref: note("link_id").unwrap_or_default().to_owned(),
        payment: note("payment_id").and_then(|id| id.parse().ok()),
        order: note("order_id").and_then(|id| id.parse().ok()),
        amount: money(refund.amount, &refund.currency),
        capture_ref: refund.payment_id,
        ..ProviderEvent::nothing()
    }
}
