//! Tables behind the counter: whoever has no room for one moves it sideways.

pub use Column::{Heard, Number, Text};

use crate::html::html;
use leptos::prelude::*;

/// The head of a column.
#[derive(Clone, Copy)]
pub enum Column {
    Text(&'static str),
    Number(&'static str),
    /// For those who hear the page.
    Heard(&'static str),
}

/// `name`: what the whole is called; `class`: of the table, besides its own.
pub fn table(name: &'static str, class: &'static str, columns: &[Column], rows: impl IntoView + 'static) -> AnyView {
    let head = |column: &Column| match *column {
        Text(name) => html! { <th scope="col">{name}</th> },
        Number(name) => html! { <th scope="col" class="num">{name}</th> },
        Heard(name) => html! { <th scope="col"><span class="visually-hidden">{name}</span></th> },
    };
    let heads = columns.iter().map(head).collect::<Vec<_>>();
    let class = if class.is_empty() { "table".to_owned() } else { format!("table {class}") };
    html! {
        <div class="table-scroll" tabindex="0" role="region" aria-label=name>
            <table class=class>
                <thead><tr>{heads}</tr></thead>
                <tbody>{rows.into_any()}</tbody>
            </table>
        </div>
    }
}
