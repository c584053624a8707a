//! What is printed of an order: the slip that lies in the parcel, and the invoice with its tax.

use crate::{Store, error::Error, orders, viewer::Viewer};
use domain::{OrderId, desk::Paper, order::Cause};

/// `None`: there is no such order.
pub async fn paper(store: &Store, viewer: &Viewer, order: OrderId) -> Result<Option<Paper>, Error> {
    let Some(order) = orders::get(store, viewer, order).await? else { return Ok(None) };
    let config = store.config();
    let is_payment = |cause| matches!(cause, Cause::PaymentCaptured | Cause::LateMoneyClaimed);
    let paid_at = order.events.iter().rev().find(|event| is_payment(event.cause)).map(|event| event.at);
    Ok(Some(Paper {
        seller: config.business.clone(),
        tax_number: config.taxes.number.clone(),
        paid_at,
        taxes: config.taxes.lines(order.subtotal, order.delivery),
        order,
    }))
}
