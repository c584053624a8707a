//! By what the board may be narrowed: a plain form whose address is the state of the page.

use crate::{api::board::BoardArgs, components::get_form::follow, html::html, shop::use_shop};
use domain::{
    order::OrderStatus,
    payment::{PaymentStatus, provider_title},
};
use leptos::prelude::*;

const SORTS: [(&str, &str); 4] =
    [("", "Newest first"), ("oldest", "Oldest first"), ("largest", "Largest first"), ("smallest", "Smallest first")];

pub fn filters(wanted: &BoardArgs) -> AnyView {
    let statuses = OrderStatus::ALL.map(|status| (status.as_str().to_owned(), status.label().to_owned()));
    let sorts = SORTS.map(|(value, name)| (value.to_owned(), name.to_owned()));
    html! {
        <form class="admin-filters" action="/admin/orders" method="get" role="search" aria-label="Orders"
            on:submit=follow("/admin/orders")>
            <div class="field field--grow">
                <label class="field__label" for="aq">"Number, e-mail, name (three letters or more) or ISBN"</label>
                <input class="input" id="aq" name="q" type="search" value=wanted.q.clone()/>
            </div>
            {select("status", "Status", &wanted.status, "Any", &statuses)}
            {select("sort", "Order", &wanted.sort, "", &sorts)}
            <button class="button button--quiet" type="submit">"Show"</button>
            {more(wanted)}
        </form>
    }
}

/// Open as long as one of them is set.
fn more(wanted: &BoardArgs) -> AnyView {
    let BoardArgs { payment, provider, from, to, min, max, book, customer, late, apart, .. } = wanted;
    let is_open =
        [payment, provider, from, to, min, max, book, customer, late, apart].iter().any(|text| !text.is_empty());
    let payments = PaymentStatus::ALL.map(|status| (status.as_str().to_owned(), status.label().to_owned()));
    let providers = use_shop().providers().into_iter().map(|name| (name.clone(), provider_title(&name).to_owned()));
    html! {
        <details class="admin-filters__more" open=is_open>
            <summary>"More filters"</summary>
            <div class="admin-filters">
                {select("payment", "Payment", payment, "Any", &payments)}
                {select("provider", "Provider", provider, "Any", &providers.collect::<Vec<_>>())}
                {input("from", "Placed from", "date", from)}
                {input("to", "Placed until", "date", to)}
                {input("min", "Total from, ₹", "text", min)}
                {input("max", "Total up to, ₹", "text", max)}
                {input("book", "Book: ISBN or number", "text", book)}
                {input("customer", "Customer’s e-mail", "text", customer)}
                {check("late", " Late", late)}
                {check("apart", " Money to look at", apart)}
                <a href="/admin/orders">"Forget all filters"</a>
            </div>
        </details>
    }
}

fn select(
    name: &'static str,
    label: &'static str,
    chosen: &str,
    any: &'static str,
    choices: &[(String, String)],
) -> AnyView {
    let id = format!("f-{name}");
    let options = choices.iter().map(|(value, name)| {
        html! { <option value=value.clone() selected=value == chosen>{name.clone()}</option> }
    });
    let any = (!any.is_empty()).then(|| html! { <option value="">{any}</option> });
    html! {
        <div class="field">
            <label class="field__label" for=id.clone()>{label}</label>
            <select class="select" id=id name=name>{any}{options.collect::<Vec<_>>()}</select>
        </div>
    }
}

fn input(name: &'static str, label: &'static str, kind: &'static str, value: &str) -> AnyView {
    let id = format!("f-{name}");
    html! {
        <div class="field">
            <label class="field__label" for=id.clone()>{label}</label>
            <input class="input" id=id name=name type=kind value=value.to_owned() autocomplete="off"/>
        </div>
    }
}

fn check(name: &'static str, label: &'static str, value: &str) -> AnyView {
    html! {
        <label class="check"><input type="checkbox" name=name value="1" checked=!value.is_empty()/>{label}</label>
    }
}
