//! An order on paper: the slip that lies in its parcel, and its invoice with the tax within the prices.

use super::{admin_orders::only_for, not_found::NotFound};
use crate::{
    call::address as address_of,
    components::{
        address::address,
        icon::icon,
        loaded::loaded,
        page::{PLAIN, Page},
    },
    derived::Derived,
    html::html,
    shop::use_shop,
    when,
};
use domain::{Minor, Permission, desk::Paper};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

#[component]
pub fn AdminPaperPage() -> impl IntoView {
    let params = use_params_map();
    let param = move |name: &str| params.with(|params| params.get(name)).unwrap_or_default();
    let id = Derived::new(move || param("id"));
    let is_invoice = Derived::new(move || match param("paper").as_str() {
        "invoice" => Some(true),
        "slip" => Some(false),
        _ => None,
    });
    let path = format!("/admin/orders/{}/{}", id.get_untracked(), untrack(|| param("paper")));
    if let Err(other) = only_for(Permission::ReadOrders, use_shop(), &path) {
        return other;
    }
    let data = move || id.with(|id| address_of("admin/orders/paper", &[("id", id)]));
    loaded(data, move |paper: Paper| match is_invoice.get_untracked() {
        None => html! { <NotFound/> },
        Some(is_invoice) => show(&paper, is_invoice),
    })
}

fn show(paper: &Paper, is_invoice: bool) -> AnyView {
    let number = paper.order.number.to_string();
    let name = if is_invoice { "Invoice" } else { "Packing slip" };
    let back = format!("/admin/orders/{}", paper.order.order_id);
    let print = |_| drop(window().print());
    let body = match (is_invoice, paper.paid_at) {
        (true, None) => html! { <p>"This order has not been paid, so it has no invoice."</p> },
        _ => sheet(paper, is_invoice, name),
    };
    html! {
        <Page title=format!("{name} {number}") class=PLAIN>
            <header class="page-head">
                <a class="page-head__back" href=back>{icon("left")}{format!(" Order {number}")}</a>
                <button class="button button--quiet needs-scripts" type="button" on:click=print>"Print"</button>
            </header>
            {body}
        </Page>
    }
}

fn sheet(paper: &Paper, is_invoice: bool, name: &'static str) -> AnyView {
    let order = &paper.order;
    let seller = paper.seller.iter().cloned().map(|line| html! { {line}<br/> }).collect::<Vec<_>>();
    let number =
        paper.tax_number.clone().filter(|_| is_invoice).map(|number| html! { {format!("GSTIN {number}")}<br/> });
    let paid = paper.paid_at.filter(|_| is_invoice).map(|at| html! { <dt>"Paid"</dt><dd>{when::date(at)}</dd> });
    html! {
        <article class="paper">
            <h1>{name}" "<span class="nowrap">{order.number.to_string()}</span></h1>
            <div class="paper__heads">
                <div><h2>"From"</h2><p>{seller}{number}</p></div>
                <div><h2>"To"</h2>{address(order.address.clone())}</div>
                <dl class="facts">
                    <dt>"Order"</dt><dd>{order.number.to_string()}</dd>
                    <dt>"Placed"</dt><dd>{when::date(order.placed_at)}</dd>
                    {paid}
                </dl>
            </div>
            {if is_invoice { amounts(paper) } else { copies(paper) }}
        </article>
    }
}

/// What has to lie in the parcel; prices are nobody's business who opens it.
fn copies(paper: &Paper) -> AnyView {
    let rows = paper.order.lines.iter().map(|line| {
        html! {
            <tr><td class="paper__box">"☐"</td><th scope="row">{line.title.clone()}</th><td class="num">{line.quantity.get()}</td></tr>
        }
    });
    let all: u32 = paper.order.lines.iter().map(|line| line.quantity.get()).sum();
    html! {
        <table class="table">
            <thead><tr><td></td><th scope="col">"Book"</th><th scope="col" class="num">"Copies"</th></tr></thead>
            <tbody>{rows.collect::<Vec<_>>()}</tbody>
            <tfoot><tr><td></td><th scope="row">"All"</th><td class="num">{all}</td></tr></tfoot>
        </table>
    }
}

fn amounts(paper: &Paper) -> AnyView {
    let order = &paper.order;
    let currency = order.currency;
    let money = move |amount: Minor| amount.with(currency).to_string();
    let rows = order.lines.iter().map(|line| {
        html! {
            <tr>
                <th scope="row">{line.title.clone()}</th><td class="num">{line.quantity.get()}</td>
                <td class="num">{money(line.unit_price)}</td><td class="num">{money(line.line_total)}</td>
            </tr>
        }
    });
    let foot = |name: &'static str, amount: Minor| {
        html! { <tr><th scope="row" colspan="3">{name}</th><td class="num">{money(amount)}</td></tr> }
    };
    let taxes = paper.taxes.iter().map(|line| {
        html! {
            <tr><th scope="row">{line.what.clone()}</th><td class="num">{money(line.before)}</td><td class="num">{money(line.tax)}</td></tr>
        }
    });
    let refunded = order.refunds.iter().filter(|refund| refund.status == domain::payment::RefundStatus::Confirmed);
    let back = Minor::new(refunded.map(|refund| refund.amount.get()).sum());
    let back =
        (back > Minor::ZERO).then(|| html! { <p>{format!("{} of it went back to the shopper.", money(back))}</p> });
    html! {
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
        {back}
        <h2>"Tax within these prices"</h2>
        <table class="table">
            <thead>
                <tr>
                    <th scope="col">"What"</th><th scope="col" class="num">"Before tax"</th><th scope="col" class="num">"Tax"</th>
                </tr>
            </thead>
            <tbody>{taxes.collect::<Vec<_>>()}</tbody>
        </table>
    }
}
