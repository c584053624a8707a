//! What can still be done with an order, whatever became of it: buy its books again, print its receipt. The receipt on
//! paper names the shop; on the screen the page does.

use super::icon::icon;
use crate::{html::html, shop::use_shop, when};
use domain::order::{OrderStatus, OrderView};
use leptos::prelude::*;

pub fn order_after(order: &OrderView) -> AnyView {
    let print = |_| drop(window().print());
    html! {
        <div class="actions order-after">
            {buy_again(order)}
            <button class="button button--quiet needs-scripts" type="button" on:click=print>"Print this order"</button>
        </div>
    }
}

/// A plain form: what is no longer to be had is said on the page it leads to.
pub fn buy_again(order: &OrderView) -> AnyView {
    let id = order.order_id.to_string();
    html! {
        <form class="buy-again" action="/api/cart/again" method="post">
            <input type="hidden" name="order_id" value=id/>
            <button class="button button--quiet">{icon("bag")}"Buy these again"</button>
        </form>
    }
}

/// The head of the receipt on paper.
pub fn letterhead(order: &OrderView) -> AnyView {
    let lines = use_shop().business().into_iter().map(|line| html! { {line}<br/> });
    let paid = order.events.iter().find(|event| event.status == OrderStatus::Paid);
    let said = match paid {
        Some(paid) => format!("Receipt for order {}. Paid {}.", order.number, when::date(paid.at)),
        None => format!("Order {}. Not paid.", order.number),
    };
    html! {
        <div class="only-print letterhead">
            <p>{lines.collect::<Vec<_>>()}</p>
            <p class="letterhead__said">{said}</p>
            <p>{format!("Placed {}, {}", when::date(order.placed_at), order.email)}</p>
        </div>
    }
}
