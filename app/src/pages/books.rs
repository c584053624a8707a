//! Lists of books: a search, an author, a category or everything; filters, order and page, all of it in the address.

use crate::{
    api::pages::{Group, List},
    call::address,
    components::{
        book_card::book_cards,
        crumbs::crumbs,
        facets::{chosen, facets},
        get_form::follow,
        icon::icon,
        loaded::loaded,
        page::{PLAIN, Page},
        pagination::pagination,
    },
    html::html,
};
use domain::catalog::Sort;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

#[component]
pub fn BooksPage() -> impl IntoView {
    let location = use_location();
    let here = move || {
        let (path, search) = (location.pathname.get(), location.search.get());
        if search.is_empty() { path } else { format!("{path}?{search}") }
    };
    loaded(move || address("page/books", &[("at", &here())]), show)
}

fn show(list: List) -> AnyView {
    #[cfg(feature = "ssr")]
    crate::ssr::head::list(&list);
    let List { title, lede, books, page, pages, here, action, form, sort, chosen: on, groups, crumbs: way } = list;
    let mark = if here.contains('?') { '&' } else { '?' };
    let body = if books.is_empty() {
        nothing(!on.is_empty(), &here)
    } else {
        html! {
            {order(action, form, sort, &groups)}
            <h2 class="visually-hidden">"Titles"</h2>
            <ul class="shelf">{book_cards(books, 5)}</ul>
            {pagination(page, pages, |page| if page > 1 { format!("{here}{mark}page={page}") } else { here.clone() })}
        }
    };
    html! {
        <Page title=title.clone() class=PLAIN>
            <div class="books">
                <div class="books__head">{crumbs(way)}<h1>{title}</h1><p class="muted">{lede}</p>{chosen(on)}</div>
                {facets(groups)}
                <div class="books__content">{body}</div>
            </div>
        </Page>
    }
}

fn order(action: String, form: Vec<(String, String)>, sort: Sort, groups: &[Group]) -> AnyView {
    let kept = form.into_iter().map(|(name, value)| html! { <input type="hidden" name=name value=value/> });
    let options = Sort::ALL.map(|option| {
        html! { <option value=option.as_str() selected=option == sort>{option.label()}</option> }
    });
    let narrow = (!groups.is_empty()).then(|| {
        html! {
            <button class="button button--quiet facets-open" type="button" popovertarget="facets">"Narrow down"</button>
        }
    });
    html! {
        <form class="filters" action=action.clone() method="get" on:submit=follow(action)>
            {kept.collect::<Vec<_>>()}
            <div class="field">
                <label class="field__label" for="sort">"Sort by"</label>
                <select class="select" id="sort" name="sort" prop:value=sort.as_str()>{Vec::from(options)}</select>
            </div>
            <button class="button button--quiet" type="submit">"Sort"</button>
            {narrow}
        </form>
    }
}

/// `is_narrowed`: fewer filters may find something.
fn nothing(is_narrowed: bool, here: &str) -> AnyView {
    let advice = if is_narrowed {
        "Nothing is left with all these filters. Take one off above, or start again."
    } else {
        "Try fewer words, only the author’s surname, or look through a subject."
    };
    let search = here.split_once("q=").map(|(_, q)| q.split('&').next().unwrap_or(q));
    let wider = search.filter(|_| is_narrowed).map(|q| {
        html! { <a class="button button--primary" href=format!("/books?q={q}")>"Search everything for it"</a> }
    });
    let all = if wider.is_some() { "button button--quiet" } else { "button button--primary" };
    html! {
        <div class="empty">
            <div class="empty__arch">{icon("search")}</div>
            <h2>"No book by that name here"</h2>
            <p class="empty__text">{advice}</p>
            <p class="actions">{wider}<a class=all href="/books">"See all books"</a></p>
        </div>
    }
}
