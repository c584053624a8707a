//! One order as the people of the shop see it: where it stands and why, what is in it, whose it is, what was done.

use super::{
    admin_desk::Desk, admin_desk_forms::Forms, admin_orders::only_for, admin_quarantine::quarantine,
    admin_refunds::Refunds, admin_steps::Steps,
};
use crate::{
    call::address as address_of,
    components::{
        admin_nav::AdminPage,
        icon::icon,
        loaded::loaded,
        parcel::parcel,
        status::status,
        table::{Number, Text, table},
    },
    derived::Derived,
    html::{changing, html},
    shop::use_shop,
    when,
};
use domain::{
    Minor, Permission,
    desk::OrderDesk,
    order::{OrderStatus, OrderView},
    payment::provider_title,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

#[component]
pub fn AdminOrderPage() -> impl IntoView {
    let params = use_params_map();
    let id = Derived::new(move || params.with(|params| params.get("id")).unwrap_or_default());
    if let Err(other) = only_for(Permission::ReadOrders, use_shop(), &format!("/admin/orders/{}", id.get_untracked())) {
        return other;
    }
    loaded(move || id.with(|id| address_of("admin/orders/desk", &[("id", id)])), show)
}

fn show(desk: OrderDesk) -> AnyView {
    let live = use_shop().live;
    let order = desk.order.clone();
    live.follow_order(order.order_id);
    let title = format!("Order {}", order.number);
    let (id, number) = (order.order_id.to_string(), order.number.to_string());
    let items = items(&order);
    let order = live.order(order);
    let (steps, refunds) = (Steps::new(order), Refunds::new(order));
    let [slip, invoice] = ["slip", "invoice"].map(|paper| format!("/admin/orders/{id}/{paper}"));
    let around = body(order, desk, items, steps, refunds);
    html! {
        <AdminPage title=title>
            <header class="page-head">
                <a class="page-head__back" href="/admin/orders">{icon("left")}" Orders"</a>
                <div class="admin-order__head">
                    <h1>{number}</h1>{move || order.with(|order| status(order.status))}
                    <a href=slip>"Packing slip"</a><a href=invoice>"Invoice"</a>
                </div>
            </header>
            {around}
        </AdminPage>
    }
}

fn body(order: Derived<OrderView>, desk: OrderDesk, items: AnyView, steps: Steps, refunds: Refunds) -> AnyView {
    let strange = use_shop().may(Permission::ReadMoney).then(|| strange(order));
    let desk = Desk::new(order, desk);
    let forms = Forms::new(order, desk);
    html! {
        <div class="admin-order">
            <div class="order__side">
                {desk.why()}{strange}{items}{move || order.with(payments)}{refunds.view()}{desk.ledger()}{desk.work()}
            </div>
            <div class="order__side">
                {steps.view()}
                {move || order.with(|order| order.shipment.as_ref().and_then(parcel))}
                {forms.shopper()}
                <section class="panel" aria-labelledby="ah-h">
                    <h2 class="panel__title" id="ah-h">"History"</h2>
                    {desk.history()}
                </section>
                {forms.notes()}
                {forms.messages()}
            </div>
        </div>
    }
}

/// No money has come for an order that waits at the gate, and Postgres may be away: it is asked when the order is written.
fn strange(order: Derived<OrderView>) -> AnyView {
    let id = order.with_untracked(|order| order.order_id.to_string());
    let is_written = Derived::new(move || order.with(|order| order.status != OrderStatus::Pending));
    // The server would ask twice inside of what changes.
    match is_written.get_untracked() {
        true => quarantine(Some(id)),
        false => changing(move || is_written.get().then(|| quarantine(Some(id.clone())))),
    }
}

fn items(order: &OrderView) -> AnyView {
    let currency = order.currency;
    let money = move |amount: Minor| amount.with(currency).to_string();
    let rows = order.lines.iter().map(|line| {
        html! {
            <tr>
                <th scope="row"><a href=format!("/books/{}", line.slug)>{line.title.clone()}</a></th>
                <td class="num">{line.quantity.get()}</td>
                <td class="num">{money(line.unit_price)}</td>
                <td class="num">{money(line.line_total)}</td>
            </tr>
        }
    });
    let foot = |name: &'static str, amount: Minor| {
        html! { <tr><th scope="row" colspan="3">{name}</th><td class="num">{money(amount)}</td></tr> }
    };
    html! {
        <section class="panel" aria-labelledby="ai-h">
            <h2 class="panel__title" id="ai-h">"Items"</h2>
            <div class="table-scroll" tabindex="0" role="region" aria-label="Items table">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Book"</th><th scope="col" class="num">"Copies"</th>
                            <th scope="col" class="num">"Each"</th><th scope="col" class="num">"Total"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect::<Vec<_>>()}</tbody>
                    <tfoot>{foot("Delivery", order.delivery)}{foot("Total", order.total)}</tfoot>
                </table>
            </div>
        </section>
    }
}

fn payments(order: &OrderView) -> AnyView {
    if order.payments.is_empty() {
        return ().into_any();
    }
    let rows = order.payments.iter().map(|payment| {
        html! {
            <tr>
                <th scope="row">{payment.payment_id.to_string()}</th>
                <td class="nowrap">{provider_title(&payment.provider).to_owned()}</td>
                <td>{payment.status.label()}</td>
                <td class="nowrap">{when::short(payment.created_at)}</td>
                <td class="num">{payment.amount.with(payment.currency).to_string()}</td>
            </tr>
        }
    });
    html! {
        <section class="panel" aria-labelledby="ap-h">
            <h2 class="panel__title" id="ap-h">"Payments"</h2>
            {table("Payments table", "", &[Text("Reference"), Text("Provider"), Text("State"), Text("At"), Number("Amount")], rows.collect::<Vec<_>>())}
        </section>
    }
}
