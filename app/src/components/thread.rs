//! The story of an order as a thread of knots: what happened, what is now, what lies ahead.

use crate::html::html;
use crate::when;
use domain::{
    UnixMillis,
    order::{OrderStatus as S, OrderView},
};
use leptos::prelude::*;

pub fn thread(order: &OrderView) -> AnyView {
    thread_with(order, Vec::new())
}

/// With more knots, each in its place by its moment.
pub fn thread_with(order: &OrderView, more: Vec<(UnixMillis, AnyView)>) -> AnyView {
    let last = order.events.len();
    let mut more = more.into_iter().peekable();
    let mut knots = vec![knot(kind(last == 0, order.status), "Order placed.", Some(order.placed_at), None, None)];
    for (at, event) in order.events.iter().enumerate() {
        while let Some((_, earlier)) = more.next_if(|(moment, _)| *moment < event.at) {
            knots.push(earlier);
        }
        let kind = kind(at + 1 == last, order.status);
        knots.push(knot(kind, event.cause.sentence(), Some(event.at), event.note.clone(), event.by.clone()));
    }
    knots.extend(more.map(|(_, later)| later));
    knots.extend(ahead(order.status).iter().map(|what| knot("ahead", what, None, None, None)));
    html! { <ol class="thread">{knots}</ol> }
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
