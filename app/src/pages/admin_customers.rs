//! Customers, found by name, address or the number of an order.

use super::admin_orders::only_for;
use crate::{
    call::address,
    components::{
        admin_nav::AdminPage,
        filters::{filters, search},
        loaded::loaded,
        older::older,
        table::{Number, Text, table},
    },
    derived::Derived,
    html::html,
    shop::use_shop,
    when,
};
use domain::{
    AccountId, Permission,
    people::{Customer, CustomerPage, GuestBuyer},
    words::counted,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/customers";

#[component]
pub fn AdminCustomersPage() -> impl IntoView {
    if let Err(other) = only_for(Permission::ReadCustomers, use_shop(), PATH) {
        return other;
    }
    let query = use_query_map();
    let wanted =
        Derived::new(move || query.with(|query| ["q", "before"].map(|name| query.get(name).unwrap_or_default())));
    loaded(
        move || wanted.with(|[q, before]| address("admin/customers", &[("q", q), ("before", before)])),
        move |page| wanted.with_untracked(|[q, before]| show(q, !before.is_empty(), page)),
    )
}

fn show(q: &str, is_later_page: bool, page: CustomerPage) -> AnyView {
    let at = |before: &str| address(PATH, &[("q", q), ("before", before)]);
    let next = page.next.map(|next: AccountId| at(&next.to_string()));
    let links = older(is_later_page.then(|| at("")), next);
    let search = filters(PATH, "Customers", search("q", "Name, e-mail or order number", q), ());
    let guest = page.guest.map(guest);
    let table = match (page.customers.is_empty(), &guest) {
        (true, None) => nobody(),
        (true, Some(_)) => ().into_any(),
        (false, _) => list(page.customers),
    };
    html! {
        <AdminPage title="Customers">
            <header class="page-head"><h1>"Customers"</h1></header>
            {search}{guest}{table}{links}
        </AdminPage>
    }
}

fn nobody() -> AnyView {
    html! { <p class="muted">"Nobody is found by that. Guests are found by their whole address."</p> }
}

fn guest(guest: GuestBuyer) -> AnyView {
    let href = address("/admin/customers/guest", &[("email", &guest.email)]);
    let orders = counted(guest.orders.unsigned_abs(), "order", "orders");
    html! {
        <p class="admin-people__guest">
            <a class="table__link" href=href>{guest.email}</a>{format!(" bought as a guest, {orders}.")}
        </p>
    }
}

fn list(customers: Vec<Customer>) -> AnyView {
    let rows = customers.into_iter().map(row).collect::<Vec<_>>();
    table(
        "Customers table",
        "",
        &[Text("Name"), Text("E-mail"), Text("Since"), Number("Orders"), Text("Last order")],
        rows,
    )
}

fn row(customer: Customer) -> AnyView {
    let role = customer.role.is_staff().then(|| format!(" ({})", customer.role.title().to_lowercase()));
    html! {
        <tr>
            <th scope="row">
                <a class="table__link" href=format!("{PATH}/{}", customer.account_id)>{customer.name}</a>{role}
            </th>
            <td>{customer.email}</td>
            <td class="nowrap">{when::date(customer.since)}</td>
            <td class="num">{customer.orders}</td>
            <td class="nowrap">{customer.last_order_at.map(when::date)}</td>
        </tr>
    }
}
