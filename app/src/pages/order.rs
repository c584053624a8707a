//! One order: where it stands, its story, what is in it. It follows the live messages.

use super::order_now::order_now;
use crate::{
    call::{Post, address as address_of, glance, read},
    components::{
        address::address,
        icon::icon,
        loaded::loaded,
        notice::{Tone, notice, refusal},
        order_after::{letterhead, order_after},
        page::{PLAIN, Page},
        parcel::parcel,
        receipt::{Sums, compact_lines, counted, order_lines, totals},
        thread::thread,
    },
    derived::Derived,
    effect::effect,
    html::{changing, html},
    live::Live,
    shop::use_shop,
    when,
};
use domain::{
    ErrorCode,
    order::{Cause, OrderEvent, OrderStatus, OrderView},
    payment::PaymentStatus,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::{use_params_map, use_query_map};
use std::time::Duration;

/// How often a page without its socket looks for itself while something is about to happen.
const LOOK_EVERY: Duration = Duration::from_secs(5);

#[component]
pub fn OrderPage() -> impl IntoView {
    let params = use_params_map();
    let id = Derived::new(move || params.with(|params| params.get("id")).unwrap_or_default());
    loaded(move || id.with(|id| order_address(id)), show)
}

fn show(order: OrderView) -> AnyView {
    let live = use_shop().live;
    let query = use_query_map();
    let is_paying = Derived::new(move || query.with(|query| query.get("paying").is_some()));
    let cancel = Post::new("orders/cancel");
    cancel.on_success(move |order: OrderView| live.set_order(order));
    live.follow_order(order.order_id);
    let placed = format!("Order {}, placed {}", order.number, when::date(order.placed_at));
    let title = format!("Order {}", order.number);
    let items = items(&order);
    let going_to = address(order.address.clone());
    let order = live.order(order);
    look_without_socket(live, order);
    html! {
        <Page title=title class=PLAIN>
            <header class="page-head">
                <a class="page-head__back" href="/orders">{icon("left")}" Your orders"</a>
                <p class="order__number">{placed}</p>
            </header>
            {refusal(cancel.error())}
            {news(order)}
            {move || order.with(|order| declined(order, is_paying.get()))}
            <div class="order">
                {order_now(order, is_paying, cancel)}
                {items}
                <div class="order__side">
                    <section class="panel" aria-labelledby="story-h">
                        <h2 class="panel__title" id="story-h">"What has happened"</h2>
                        {move || order.with(thread)}
                    </section>
                    {move || order.with(|order| order.shipment.as_ref().and_then(parcel))}
                    <section class="panel going-to" aria-labelledby="addr-h">
                        <h2 class="panel__title" id="addr-h">"Going to"</h2>
                        {going_to}
                    </section>
                </div>
            </div>
        </Page>
    }
}

fn order_address(id: &str) -> String {
    address_of("orders/get", &[("id", id)])
}

fn items(order: &OrderView) -> AnyView {
    let copies = order.lines.iter().map(|line| line.quantity.get()).sum();
    let sums =
        Sums { subtotal: order.subtotal, delivery: order.delivery, total: order.total, currency: order.currency };
    html! {
        <section aria-labelledby="items-h">
            {letterhead(order)}
            <div class="receipt">
                <h2 class="receipt__title" id="items-h">{counted(copies, order.lines.len())}</h2>
                {compact_lines(order_lines(&order.lines), order.currency)}
                {totals(sums)}
            </div>
            {order_after(order)}
        </section>
    }
}

/// The last attempt to pay failed, and another is possible. Who comes back from paying has not just failed.
fn declined(order: &OrderView, is_paying: bool) -> Option<AnyView> {
    let last = order.payments.iter().max_by_key(|payment| payment.created_at)?;
    let has_failed = match last.status {
        PaymentStatus::Declined => true,
        // The page of the provider is still open, and takes another attempt.
        PaymentStatus::Open => !is_paying && order.events.last().is_some_and(|last| last.cause == Cause::PaymentFailed),
        _ => false,
    };
    (order.status == OrderStatus::PaymentPending && has_failed).then(|| {
        let body = html! { <p>"Nothing was charged. You can try again while your copies are held."</p> };
        notice(Tone::Warn, "The payment was declined", body)
    })
}

/// What happens to the order while its page is open, said once where the eye is.
fn news(order: Derived<OrderView>) -> AnyView {
    let said = RwSignal::new(None);
    let mut seen: Option<i64> = None;
    effect(move || {
        order.with(|order| {
            let is_new = |event: &&OrderEvent| seen.is_some_and(|seen| event.version > seen);
            let latest = order.events.iter().rev().take_while(is_new);
            if let Some(news) = latest.filter_map(|event| Some((tone(event.cause)?, event.clone()))).next() {
                said.set(Some(news));
            }
            seen = Some(order.version);
        });
    });
    let shown = move |(tone, event): (Tone, OrderEvent)| {
        let note = event.note.map(|note| html! { <p>{note}</p> });
        let close = html! { <button class="link-button" on:click=move |_| said.set(None)>"Got it"</button> };
        notice(tone, event.cause.sentence(), html! { {note}<p>{close}</p> })
    };
    html! { <div class="order__news" aria-live="polite">{changing(move || said.get().map(shown))}</div> }
}

/// What is worth saying beside the page's own sentence.
const fn tone(cause: Cause) -> Option<Tone> {
    match cause {
        Cause::LateMoneyClaimed | Cause::RefundConfirmed | Cause::HandedToCarrier | Cause::Arrived => Some(Tone::Good),
        Cause::LateMoneyCame
        | Cause::LateMoneyReturned
        | Cause::MoneyGoesBack
        | Cause::RefundRequested
        | Cause::RefundFailed
        | Cause::AdminCancelled => Some(Tone::Warn),
        _ => None,
    }
}

/// Where sockets are blocked, or there is nothing to hear, the page still follows while something is about to happen.
fn look_without_socket(live: Live, order: Derived<OrderView>) {
    effect(move || {
        let look = move || {
            let status = order.with_untracked(|order| order.status);
            // Nobody would tell of an order that the gate lost.
            if status == OrderStatus::Pending || (status.holds_copies() && !live.is_open().get_untracked()) {
                let address = order.with_untracked(|order| order_address(&order.order_id.to_string()));
                spawn_local(async move {
                    match glance(address).await.and_then(|text| read(&text)) {
                        Ok(order) => live.set_order(order),
                        Err(error) if error.0.code == ErrorCode::OrderLost => drop(window().location().reload()),
                        Err(_) => {}
                    }
                });
            }
        };
        if let Ok(timer) = set_interval_with_handle(look, LOOK_EVERY) {
            on_cleanup(move || timer.clear());
        }
    });
}
