//! An order that was lost with the gate's data, for whoever holds its receipt.

use crate::{
    components::{
        empty::Empty,
        icon::icon,
        page::{NARROW, Page, set_status},
    },
    html::html,
};
use domain::ApiError;
use leptos::prelude::*;

/// `lost`: what the shop says about it.
pub fn order_lost(lost: ApiError) -> AnyView {
    set_status(lost.code.status());
    html! {
        <Page title="Order lost" class=NARROW>
            <Empty mark=icon("alert") title="We lost this order, and you paid nothing".into() text=lost.message>
                <p class="empty__text">
                    "Its copies are back on sale. What is no longer in your cart you find among the books."
                </p>
                <p class="actions">
                    <a class="button button--primary" href="/cart">"See your cart"</a>
                    <a class="button button--quiet" href="/books">"Look through the books"</a>
                    <a class="button button--quiet" href="/orders">"Your orders"</a>
                </p>
            </Empty>
        </Page>
    }
}
