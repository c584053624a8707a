//! A page made of a few plain forms, as the server writes it: settings of an account, a new password.

use crate::{
    api::sheet::Sheet,
    call::address,
    components::{
        loaded::loaded,
        page::{NARROW, Page, keep_out_of_search},
    },
    html::html,
};
use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_location};

#[component]
pub fn SheetPage() -> impl IntoView {
    keep_out_of_search();
    let here = use_location();
    let at = move || format!("{}?{}", here.pathname.get(), here.search.get().trim_start_matches('?'));
    loaded(move || address("page/sheet", &[("at", &at())]), show)
}

fn show(sheet: Sheet) -> AnyView {
    match sheet.elsewhere {
        Some(elsewhere) => html! { <Redirect path=elsewhere/> },
        None => html! { <Page title=sheet.title class=NARROW><div inner_html=sheet.html></div></Page> },
    }
}
