//! The story of an order as a thread of knots: what happened, what is now, what lies ahead.

use crate::html::html;
use crate::when;
use domain::{
    UnixMillis,
    order::{OrderStatus as S, OrderView},
};
use leptos::prelude::*;

pub fn thread(order: &OrderView) -> AnyView {
    whole(order, past(order))
}

/// What happened: the first knot is that it was placed, then one for each event.
pub fn past(order: &OrderView) -> Vec<AnyView> {
    let last = order.events.len();
    let placed = knot(kind(last == 0, order.status), "Order placed.", Some(order.placed_at), None, None);
    let events = order.events.iter().enumerate().map(|(at, event)| {
        knot(
            kind(at + 1 == last, order.status),
            event.cause.sentence(),
            Some(event.at),
            event.note.clone(),
            event.by.clone(),
        )
    });
    std::iter::once(placed).chain(events).collect()
}

/// With what lies ahead.
pub fn whole(order: &OrderView, past: Vec<AnyView>) -> AnyView {
    let ahead = ahead(order.status).iter().map(|what| knot("ahead", what, None, None, None));
    html! { <ol class="thread">{past}{ahead.collect::<Vec<_>>()}</ol> }
}

const fn kind(is_last: bool, status: S) -> &'static str {
    match (is_last, status) {
        (true, S::Failed) => "bad",
        (true, _) => "now",
        (false, _) => "",
    }
}

pub fn knot(
    kind: &'static str,
    what: &'static str,
    at: Option<UnixMillis>,
    note: Option<String>,
    by: Option<String>,
) -> AnyView {
    let class = if kind.is_empty() { "thread__knot".to_owned() } else { format!("thread__knot thread__knot--{kind}") };
    html! {
        <li class=class aria-current=(kind == "now").then_some("step")>
            <p class="thread__what">{what}</p>
            {at.map(|at| html! {
                <p class="thread__when"><time datetime=when::iso(at)>{when::moment(at)}</time></p>
            })}
            {note.map(|note| html! { <p class="thread__note">{note}</p> })}
            {by.map(|by| html! { <p class="thread__note">{format!("By {by}")}</p> })}
        </li>
    }
}

/// What still has to happen to an order for which all goes well.
const fn ahead(status: S) -> &'static [&'static str] {
    match status {
        S::Pending => &["Copies set aside", "Payment", "On its way"],
        S::PaymentPending => &["Payment", "On its way"],
        S::Paid | S::Fulfilling => &["On its way", "Delivered"],
        S::Shipped => &["Delivered"],
        S::Delivered | S::Failed | S::Cancelled | S::Expired | S::Refunded => &[],
    }
}
