//! The filters of a list: links, each with the number of books behind it. Beside the list on a desk; on a phone they come
//! up over it, which the browser does by itself (popover), also without scripts.

use super::icon::icon;
use crate::api::pages::{Choice, Group};
use crate::html::html;
use domain::words::number;
use leptos::prelude::*;

pub fn facets(groups: Vec<Group>) -> AnyView {
    let groups = groups.into_iter().map(|Group { title, choices }| {
        html! {
            <section class="facets__group">
                <h3 class="facets__title">{title}</h3>
                <ul class="facets__list">{choices.into_iter().map(facet).collect::<Vec<_>>()}</ul>
            </section>
        }
    });
    html! {
        <aside class="facets" id="facets" popover="auto" aria-labelledby="facets-h">
            <div class="facets__head">
                <h2 class="facets__heading" id="facets-h">"Narrow down"</h2>
                <button class="button button--small facets-open" type="button" popovertarget="facets">"Done"</button>
            </div>
            {groups.collect::<Vec<_>>()}
        </aside>
    }
}

fn facet(Choice { name, books, href, is_on }: Choice) -> AnyView {
    html! {
        <li>
            <a class="facet" href=href aria-current=is_on.then_some("true")>
                {name}
                {books.map(|books| html! {
                    <span class="facet__count">{number(books.into())}<span class="visually-hidden">" titles"</span></span>
                })}
            </a>
        </li>
    }
}

/// The filters that are on, each a way to be rid of it.
pub fn chosen(choices: Vec<Choice>) -> AnyView {
    if choices.is_empty() {
        return ().into_any();
    }
    let chips = choices.into_iter().map(|choice| {
        html! {
            <li>
                <a class="chip" href=choice.href>
                    <span class="visually-hidden">"Without "</span>{choice.name}{icon("x")}
                </a>
            </li>
        }
    });
    html! { <ul class="chosen" aria-label="Filters that are on">{chips.collect::<Vec<_>>()}</ul> }
}
