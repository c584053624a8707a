//! The subjects beside a list.

use crate::html::html;
use domain::catalog::Category;
use leptos::prelude::*;

pub fn category_nav(categories: Vec<Category>, current: &str) -> AnyView {
    let chip = |href: String, name: String, count: Option<i64>, is_current: bool| {
        html! {
            <li>
                <a class="chip" href=href aria-current=is_current.then_some("page")>
                    {name}
                    {count.map(|count| html! { <span class="chip__count">{count}</span> })}
                </a>
            </li>
        }
    };
    let all = chip("/books".into(), "All".into(), None, current.is_empty());
    let chips = categories.into_iter().map(|c| {
        let is_current = c.slug == current;
        chip(format!("/books?category={}", c.slug), c.name, Some(c.books), is_current)
    });
    html! {
        <nav class="category-nav" aria-labelledby="cat-h">
            <h2 class="category-nav__title" id="cat-h">"Subjects"</h2>
            <ul class="category-nav__list">{all}{chips.collect::<Vec<_>>()}</ul>
        </nav>
    }
}
