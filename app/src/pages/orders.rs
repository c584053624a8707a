//! The shopper's own orders.

use crate::{
    api::orders::Orders,
    components::{
        empty::{Empty, way_on},
        icon::icon,
        loaded::loaded,
        order_row::order_row,
        page::{NARROW, Page},
    },
    html::{changing, html},
    shop::use_shop,
};
use leptos::prelude::*;

#[component]
pub fn OrdersPage() -> impl IntoView {
    loaded(|| "orders".to_owned(), |list: Orders| show(list.orders))
}

fn show(orders: Vec<domain::order::OrderSummary>) -> AnyView {
    let shop = use_shop();
    if orders.is_empty() {
        let is_guest = shop.account().is_none();
        let text = "When you order something it appears here, with everything that happens to it.";
        return html! {
            <Page title="Your orders" class=NARROW>
                <Empty mark=icon("parcel") title="No orders yet".into() text=text.into()>
                    {way_on("/books", "Find a book")}
                    {is_guest.then(|| html! { <p><a href="/login?next=/orders">"Log in"</a>" to see those of your account."</p> })}
                </Empty>
            </Page>
        };
    }
    let rows = move || shop.live.refresh(&orders).into_iter().map(order_row).collect::<Vec<_>>();
    html! {
        <Page title="Your orders" class=NARROW>
            <header class="page-head"><h1>"Your orders"</h1></header>
            <ul class="order-rows">{changing(rows)}</ul>
        </Page>
    }
}
