//! The way from the shelves to this page.

use crate::{api::pages::Book, html::html};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A page that this one belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crumb {
    pub name: String,
    pub href: String,
}

impl Crumb {
    pub fn all_books() -> Self {
        Self { name: "Books".to_owned(), href: "/books".to_owned() }
    }

    pub fn of_book(book: &Book) -> Vec<Self> {
        let category = book.more.categories.first();
        let category =
            category.map(|shelf| Self { name: shelf.name.clone(), href: format!("/categories/{}", shelf.slug) });
        [Self::all_books()].into_iter().chain(category).collect()
    }
}

pub fn crumbs(crumbs: Vec<Crumb>) -> AnyView {
    if crumbs.is_empty() {
        return ().into_any();
    }
    let steps =
        crumbs.into_iter().map(|Crumb { name, href }| html! { <li><a class="crumbs__link" href=href>{name}</a></li> });
    html! {
        <nav class="crumbs" aria-label="You are here"><ol class="crumbs__list">{steps.collect::<Vec<_>>()}</ol></nav>
    }
}
