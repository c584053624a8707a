//! The status of an order: icon, word and colour, never colour alone.

use super::icon::icon;
use crate::html::html;
use domain::order::OrderStatus as S;
use leptos::prelude::*;

pub fn status(status: S) -> AnyView {
    let (slug, mark) = slug_and_mark(status);
    html! { <span class=format!("status status--{slug}")>{icon(mark)}{status.label()}</span> }
}

const fn slug_and_mark(status: S) -> (&'static str, &'static str) {
    match status {
        S::Pending => ("pending", "hourglass"),
        S::PaymentPending => ("payment-pending", "clock"),
        S::Paid => ("paid", "check"),
        S::Fulfilling => ("fulfilling", "parcel"),
        S::Shipped => ("shipped", "truck"),
        S::Delivered => ("delivered", "home"),
        S::Expired => ("expired", "hourglass"),
        S::Cancelled => ("cancelled", "x"),
        S::Failed => ("failed", "alert"),
        S::Refunded => ("refunded", "refund"),
    }
}
