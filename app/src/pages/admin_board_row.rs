//! One order of the board.

use super::admin_bulk::Bulk;
use crate::{
    components::{icon::icon, status::status},
    html::html,
    when,
};
use domain::{OrderId, desk::BoardRow, payment::provider_title};
use leptos::prelude::*;

pub fn row(row: BoardRow, bulk: Bulk, changed: RwSignal<Vec<OrderId>>) -> AnyView {
    let BoardRow { order, name, payment, provider, is_late, money_apart } = row;
    let (id, books) = (order.order_id, order.name());
    let glows = move || changed.with(|changed| changed.contains(&id));
    let mark = |word: &'static str| html! { <span class="board__mark">{icon("alert")}{word}</span> };
    let provider = provider.map(|name| provider_title(&name).to_owned());
    html! {
        <tr class=move || if glows() { "row--changed" } else { "" }>
            <td>{bulk.tick(id, &order.number.to_string())}</td>
            <th scope="row">
                <a class="table__link" href=format!("/admin/orders/{id}")>{order.number.to_string()}</a>
            </th>
            <td class="nowrap">{when::short(order.placed_at)}</td>
            <td>{name}<p class="small muted board__mail">{order.email}</p></td>
            <td>{status(order.status)}{is_late.then(|| mark("Late"))}{money_apart.then(|| mark("Money to look at"))}</td>
            <td>{payment.map(|payment| payment.label())}{provider.map(|name| html! { <p class="small muted">{name}</p> })}</td>
            <td>{books}</td>
            <td class="num">{order.copies}</td>
            <td class="num">{order.total.with(order.currency).to_string()}</td>
        </tr>
    }
}
