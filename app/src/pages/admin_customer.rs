//! One customer: who they are, what they ordered, what lies in their cart. Nothing here changes anything.

use super::admin_orders::only_for;
use crate::{
    call::address as address_of,
    components::{
        address::address,
        admin_nav::AdminPage,
        icon::icon,
        loaded::loaded,
        status::status,
        table::{Number, Text, table},
    },
    derived::Derived,
    html::html,
    shop::use_shop,
    when,
};
use domain::{
    Permission,
    address::Entry,
    cart::CartView,
    order::OrderSummary,
    people::{Customer, CustomerView},
    words::counted,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

/// In the place of an account's number: whoever has none, named by `email`.
const GUEST: &str = "guest";

#[component]
pub fn AdminCustomerPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let id = Derived::new(move || params.with(|params| params.get("id")).unwrap_or_default());
    let email = Derived::new(move || query.with(|query| query.get("email")).unwrap_or_default());
    let here = id.with_untracked(|id| format!("/admin/customers/{id}"));
    if let Err(other) = only_for(Permission::ReadCustomers, use_shop(), &here) {
        return other;
    }
    let named = move || {
        let (id, email) = (id.get(), email.get());
        if id == GUEST { [("email", email)] } else { [("id", id)] }
    };
    loaded(
        move || address_of("admin/customers/get", &named().each_ref().map(|(name, value)| (*name, value.as_str()))),
        show,
    )
}

fn show(customer: CustomerView) -> AnyView {
    let name = customer.account.as_ref().map_or_else(|| customer.email.clone(), |account| account.name.clone());
    let facts = facts(&customer);
    let addresses = addresses(customer.addresses);
    let orders = orders(&customer.email, customer.order_count, customer.orders);
    let cart = customer.account.is_some().then(|| cart(customer.cart));
    html! {
        <AdminPage title=name.clone()>
            <header class="page-head">
                <a class="page-head__back" href="/admin/customers">{icon("left")}" Customers"</a>
                <h1>{name}</h1>
            </header>
            <div class="admin-order">
                <div class="order__side">{orders}{cart}</div>
                <div class="order__side">{facts}{addresses}</div>
            </div>
        </AdminPage>
    }
}

fn facts(customer: &CustomerView) -> AnyView {
    let more = match &customer.account {
        None => html! { <dt>"Account"</dt><dd>"None: bought as a guest"</dd> },
        Some(account) => of_account(account),
    };
    html! {
        <section class="panel" aria-labelledby="cf-h">
            <h2 class="panel__title" id="cf-h">"Customer"</h2>
            <dl class="facts"><dt>"E-mail"</dt><dd>{customer.email.clone()}</dd>{more}</dl>
        </section>
    }
}

fn of_account(account: &Customer) -> AnyView {
    let proven = if account.is_verified { "Confirmed" } else { "Not confirmed yet" };
    let role = account.role.is_staff().then(|| html! { <dt>"Works here"</dt><dd>{account.role.title()}</dd> });
    html! {
        <dt>"Address"</dt><dd>{proven}</dd>
        <dt>"Since"</dt><dd>{when::date(account.since)}</dd>
        <dt>"Account"</dt><dd>{account.account_id.to_string()}</dd>
        {role}
    }
}

fn addresses(entries: Vec<Entry>) -> Option<AnyView> {
    let entry = |entry: Entry| {
        let note = entry.is_default.then(|| html! { <p class="small muted">"The one they begin with"</p> });
        html! { <li>{address(entry.address)}{note}</li> }
    };
    (!entries.is_empty()).then(|| {
        html! {
            <section class="panel" aria-labelledby="ca-h">
                <h2 class="panel__title" id="ca-h">"Addresses"</h2>
                <ul class="admin-people__addresses">{entries.into_iter().map(entry).collect::<Vec<_>>()}</ul>
            </section>
        }
    })
}

fn orders(email: &str, count: i64, orders: Vec<OrderSummary>) -> AnyView {
    let shown = i64::try_from(orders.len()).unwrap_or(i64::MAX);
    let all = (count > shown).then(|| {
        let words = format!("All {count} orders");
        html! { <p><a href=address_of("/admin/orders", &[("q", email)])>{words}</a></p> }
    });
    let body = if orders.is_empty() {
        html! { <p class="muted">"No orders yet."</p> }
    } else {
        order_table(orders)
    };
    html! {
        <section class="panel" aria-labelledby="co-h">
            <h2 class="panel__title" id="co-h">"Orders"</h2>
            {body}{all}
        </section>
    }
}

fn order_table(orders: Vec<OrderSummary>) -> AnyView {
    let rows = orders.into_iter().map(|order| {
        html! {
            <tr>
                <th scope="row">
                    <a class="table__link" href=format!("/admin/orders/{}", order.order_id)>{order.number.to_string()}</a>
                </th>
                <td class="nowrap">{when::short(order.placed_at)}</td>
                <td>{status(order.status)}</td>
                <td class="num">{order.copies}</td>
                <td class="num">{order.total.with(order.currency).to_string()}</td>
            </tr>
        }
    });
    table(
        "Orders table",
        "",
        &[Text("Order"), Text("Placed"), Text("Status"), Number("Copies"), Number("Total")],
        rows.collect::<Vec<_>>(),
    )
}

fn cart(cart: Option<CartView>) -> AnyView {
    let body = match cart {
        None => html! { <p class="muted">"The cart cannot be reached right now."</p> },
        Some(cart) if cart.lines.is_empty() => html! { <p class="muted">"The cart is empty."</p> },
        Some(cart) => cart_table(cart),
    };
    html! {
        <section class="panel" aria-labelledby="cc-h">
            <h2 class="panel__title" id="cc-h">"Cart now"</h2>
            {body}
        </section>
    }
}

fn cart_table(cart: CartView) -> AnyView {
    let currency = cart.currency;
    let copies = counted(cart.copies.into(), "copy", "copies");
    let rows = cart.lines.into_iter().map(|line| {
        html! {
            <tr>
                <th scope="row"><a href=format!("/books/{}", line.slug)>{line.title}</a></th>
                <td class="num">{line.quantity.get()}</td>
                <td class="num">{line.unit_price.with(currency).to_string()}</td>
                <td class="num">{line.line_total.with(currency).to_string()}</td>
            </tr>
        }
    });
    html! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Cart table">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Book"</th><th scope="col" class="num">"Copies"</th>
                        <th scope="col" class="num">"Each"</th><th scope="col" class="num">"Total"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect::<Vec<_>>()}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row">"Books"</th><td class="num">{copies}</td><td></td>
                        <td class="num">{cart.subtotal.with(currency).to_string()}</td>
                    </tr>
                </tfoot>
            </table>
        </div>
    }
}
