//! The front of the shop: a search, one shelf, the subjects.

use crate::{
    api::pages::Home,
    components::{
        book_card::book_cards,
        loaded::loaded,
        page::{PLAIN, Page},
        search::Search,
    },
    html::html,
};
use domain::words::{counted, number};
use leptos::prelude::*;

#[component]
pub fn HomePage() -> impl IntoView {
    loaded(|| "page/home".to_owned(), show)
}

fn show(home: Home) -> AnyView {
    #[cfg(feature = "ssr")]
    crate::ssr::head::home(home.titles);
    let subjects = home.categories.into_iter().map(|category| {
        html! {
            <li class="subject-index__item">
                <a class="subject-index__link" href=format!("/categories/{}", category.slug)>
                    <span class="subject-index__name">{category.name}</span>
                    <span class="subject-index__count">
                        {number(category.books.unsigned_abs())}<span class="visually-hidden">" titles"</span>
                    </span>
                </a>
            </li>
        }
    });
    html! {
        <Page title="A bookshop" class=PLAIN>
            <section class="home-hero">
                <h1 class="home-hero__title">"What would you like to read?"</h1>
                <div class="home-hero__search">
                    <Search class="search search--large" id="home-q" has_word=true/>
                    <p class="home-hero__tries">
                        "Or try "<a href="/books?q=tagore">"Tagore"</a>" "<a href="/books?q=detective">"a detective"</a>" "
                        <a href="/books?q=river">"rivers"</a>
                    </p>
                </div>
            </section>
            <section aria-labelledby="table-h">
                <div class="section-head">
                    <h2 id="table-h">"On the front table"</h2>
                    <a class="section-head__more" href="/books">{format!("All {}", counted(home.titles.unsigned_abs(), "book", "books"))}</a>
                </div>
                <ul class="standing">{book_cards(home.shelf, 6)}</ul>
            </section>
            <section class="home-section" aria-labelledby="subjects-h">
                <div class="section-head"><h2 id="subjects-h">"Wander by subject"</h2></div>
                <ul class="subject-index">{subjects.collect::<Vec<_>>()}</ul>
            </section>
            <section class="home-section" aria-labelledby="new-h">
                <div class="section-head">
                    <h2 id="new-h">"Just unpacked"</h2>
                    <a class="section-head__more" href="/books?sort=newest">"More new arrivals"</a>
                </div>
                <ul class="shelf">{book_cards(home.newest, 0)}</ul>
            </section>
        </Page>
    }
}
