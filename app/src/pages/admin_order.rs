//! One order as admins see it: items, payments, history, shopper.

use super::{admin_orders::only_for, admin_quarantine::quarantine, admin_refunds::Refunds, admin_steps::Steps};
use crate::{
    call::address as address_of,
    components::{
        address::address, admin_nav::AdminPage, icon::icon, loaded::loaded, parcel::parcel, status::status,
        thread::thread,
    },
    derived::Derived,
    html::html,
    shop::use_shop,
    when,
};
use domain::{Minor, Permission, order::OrderView, payment::provider_title};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

#[component]
pub fn AdminOrderPage() -> impl IntoView {
    let params = use_params_map();
    let id = Derived::new(move || params.with(|params| params.get("id")).unwrap_or_default());
    if let Err(other) = only_for(Permission::ReadOrders, use_shop(), &format!("/admin/orders/{}", id.get_untracked())) {
        return other;
    }
    loaded(move || id.with(|id| address_of("admin/orders/get", &[("id", id)])), show)
}

fn show(order: OrderView) -> AnyView {
    let live = use_shop().live;
    live.follow_order(order.order_id);
    let title = format!("Order {}", order.number);
    let number = order.number.to_string();
    let (items, shopper) = (items(&order), shopper(&order));
    let order = live.order(order);
    let (steps, refunds) = (Steps::new(order), Refunds::new(order));
    let strange = quarantine(Some(order.with_untracked(|order| order.order_id.to_string())));
    html! {
        <AdminPage title=title>
            <header class="page-head">
                <a class="page-head__back" href="/admin/orders">{icon("left")}" Orders"</a>
                <div class="admin-order__head"><h1>{number}</h1>{move || order.with(|order| status(order.status))}</div>
            </header>
            <div class="admin-order">
                <div class="order__side">{strange}{items}{move || order.with(payments)}{refunds.view()}</div>
                <div class="order__side">
                    {steps.view()}
                    {move || order.with(|order| order.shipment.as_ref().and_then(parcel))}
                    {shopper}
                    <section class="panel" aria-labelledby="ah-h">
                        <h2 class="panel__title" id="ah-h">"History"</h2>
                        {move || order.with(thread)}
                    </section>
                </div>
            </div>
        </AdminPage>
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
            <div class="table-scroll" tabindex="0" role="region" aria-label="Payments table">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Reference"</th><th scope="col">"Provider"</th><th scope="col">"State"</th>
                            <th scope="col">"At"</th><th scope="col" class="num">"Amount"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect::<Vec<_>>()}</tbody>
                </table>
            </div>
        </section>
    }
}

fn shopper(order: &OrderView) -> AnyView {
    html! {
        <section class="panel" aria-labelledby="as-h">
            <h2 class="panel__title" id="as-h">"Shopper"</h2>
            <dl class="facts">
                <dt>"E-mail"</dt><dd>{order.email.clone()}</dd>
                <dt>"Placed"</dt><dd>{when::moment(order.placed_at)}</dd>
                <dt>"Pay by"</dt><dd>{when::moment(order.expires_at)}</dd>
            </dl>
            {address(order.address.clone())}
        </section>
    }
}
