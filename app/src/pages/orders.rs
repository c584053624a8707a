//! The shopper's own orders.

use crate::{
    components::{
        empty::{Empty, way_on},
        icon::icon,
        loaded::loaded,
        notice::{Tone, notice},
        order_row::order_row,
        page::{NARROW, Page},
    },
    html::{changing, html},
    shop::use_shop,
};
use domain::order::OrderList;
use leptos::prelude::*;

#[component]
pub fn OrdersPage() -> impl IntoView {
    loaded(|| "orders".to_owned(), show)
}

fn show(OrderList { orders, is_whole }: OrderList) -> AnyView {
    let shop = use_shop();
    if orders.is_empty() && is_whole {
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
            {(!is_whole).then(others_later)}
            <ul class="order-rows">{changing(rows)}</ul>
        </Page>
    }
}

/// Postgres is away.
fn others_later() -> AnyView {
    let body =
        html! { <p>"Nothing happened to the others; they are here again in a moment. "<a href="">"Look again"</a></p> };
    notice(Tone::Warn, "Just now we can only show the orders that are being reserved", body)
}
