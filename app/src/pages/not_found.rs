//! 404: for addresses that were never a page, and for things that are not there.

use crate::components::{
    empty::Empty,
    page::{NARROW, Page, set_status},
    search::Search,
};
use crate::html::html;
use leptos::prelude::*;

#[component]
pub fn NotFound() -> impl IntoView {
    set_status(404);
    let text = "The address may be mistyped, or what was here has left the shop. Search for it, or start from the front table.";
    html! {
        <Page title="No such page" class=NARROW>
            <Empty mark="404".into_any() title="This page is not on any shelf".into() text=text.into()>
                <Search class="search" id="lost-q" has_word=true/>
                <p class="actions"><a class="button" href="/">"To the front table"</a></p>
            </Empty>
        </Page>
    }
}
