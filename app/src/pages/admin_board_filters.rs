//! By what the board may be narrowed: a plain form whose address is the state of the page.

use crate::{
    api::board::BoardArgs,
    components::filters::{filters as form, input, search, select},
    html::html,
    shop::use_shop,
};
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
    let fields = [
        search("q", "Number, e-mail, name (three letters or more) or ISBN", &wanted.q),
        select("status", "Status", &wanted.status, "Any", statuses),
        select("sort", "Order", &wanted.sort, "", sorts),
    ];
    form("/admin/orders", "Orders", Vec::from(fields), more(wanted))
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
                {select("payment", "Payment", payment, "Any", payments)}
                {select("provider", "Provider", provider, "Any", providers)}
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

fn check(name: &'static str, label: &'static str, value: &str) -> AnyView {
    html! {
        <label class="check"><input type="checkbox" name=name value="1" checked=!value.is_empty()/>{label}</label>
    }
}
