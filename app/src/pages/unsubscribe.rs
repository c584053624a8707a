//! The end of a kind of mail, by hand: mail programs do the same without showing anything.

use crate::{
    api::mail::Unsubscribing,
    call::address,
    components::{
        empty::{Empty, way_on},
        icon::icon,
        loaded::loaded,
        page::{NARROW, Page, keep_out_of_search},
    },
    html::html,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

#[component]
pub fn UnsubscribePage() -> impl IntoView {
    keep_out_of_search();
    let params = use_params_map();
    let token = move || params.with(|params| params.get("token").unwrap_or_default());
    let token_now = token;
    loaded(
        move || address("page/unsubscribe", &[("token", &token())]),
        move |page: Unsubscribing| show(page, untrack(token_now)),
    )
}

fn show(page: Unsubscribing, token: String) -> AnyView {
    let Unsubscribing { what, is_done } = page;
    if is_done {
        let text = format!("We will send you no more {what}. Mails about your orders still come.");
        return html! {
            <Page title="Unsubscribed" class=NARROW>
                <Empty mark=icon("check") title="Done".into() text=text>{way_on("/books", "Look through the books")}</Empty>
            </Page>
        };
    }
    let text = format!("No more {what}? Mails about your orders still come.");
    html! {
        <Page title="Unsubscribe" class=NARROW>
            <Empty mark=icon("info") title="Fewer mails".into() text=text>
                <form class="actions" action=format!("/mail/unsubscribe/{token}") method="post">
                    <button class="button button--primary">"Unsubscribe"</button>
                    <a class="button button--quiet" href="/">"Keep them"</a>
                </form>
            </Empty>
        </Page>
    }
}
