//! One order in a list of one's own.

use super::{icon::icon, status::status};
use crate::html::html;
use crate::when;
use domain::{order::OrderSummary, words::counted};
use leptos::prelude::*;

pub fn order_row(order: OrderSummary) -> AnyView {
    let name = order.name();
    let copies = counted(order.copies.unsigned_abs(), "copy", "copies");
    let meta = format!("{}, {}, {copies}", order.number, when::date(order.placed_at));
    html! {
        <li class="order-row">
            {icon("parcel")}
            <div>
                <h2 class="order-row__title"><a href=format!("/orders/{}", order.order_id)>{name}</a></h2>
                <p class="order-row__meta">{meta}</p>
            </div>
            <div class="order-row__end">
                <span class="price">{order.total.with(order.currency).to_string()}</span>
                {status(order.status)}
            </div>
        </li>
    }
}
