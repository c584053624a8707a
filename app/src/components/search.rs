//! The search field: in the header, on the home page, and where somebody got lost. `public/search.js` adds suggestions.

use super::{get_form::follow, icon::icon};
use crate::html::html;
use domain::catalog::MAX_QUERY;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// `class`: modifiers of `search`. `has_word`: the button shows its word.
#[component]
pub fn Search(class: &'static str, id: &'static str, #[prop(optional)] has_word: bool) -> impl IntoView {
    let query = use_query_map();
    let q = move || query.with(|query| query.get("q")).unwrap_or_default();
    html! {
        <form class=class action="/books" method="get" role="search" on:submit=follow("/books")>
            <label class="visually-hidden" for=id>"Search by title, author or ISBN"</label>
            <input class="search__input" id=id name="q" type="text" value=q prop:value=q
                placeholder="Title, author or ISBN" inputmode="search" enterkeyhint="search" autocomplete="off" maxlength=MAX_QUERY.to_string()/>
            <button class="search__button" type="submit">
                {icon("search")}
                <span class=if has_word { "" } else { "visually-hidden" }>"Search"</span>
            </button>
        </form>
    }
}
