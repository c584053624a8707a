//! The form of a book: every field that an import knows.

use crate::{
    call::Post,
    components::{form::Input, icon::icon},
    html::{changing, html},
};
use domain::catalog::desk::BookForm;
use leptos::prelude::*;

/// The fields, filled in.
pub fn fields(post: Post, book: &BookForm) -> AnyView {
    let title =
        Input { help: help("Its address follows it; the old one leads on."), ..input("title", "Title", &book.title) };
    let inputs = [
        title,
        Input { is_optional: true, ..input("subtitle", "Subtitle", &book.subtitle) },
        Input {
            is_optional: true,
            help: help("Several are parted by ;"),
            ..input("authors", "Authors", &book.authors)
        },
        half(Input {
            inputmode: Some("decimal".into()),
            help: help("Like 499 or 499.50"),
            ..input("price", "Price", &book.price)
        }),
        half(Input {
            is_optional: true,
            help: help("Empty: the ISBN"),
            ..input("sku", "SKU, the shop's own number", &book.sku)
        }),
        half(Input { is_optional: true, inputmode: Some("numeric".into()), ..input("isbn13", "ISBN", &book.isbn13) }),
        half(Input {
            is_optional: true,
            help: help("A code like en or hi"),
            ..input("language", "Language", &book.language)
        }),
        half(Input { is_optional: true, ..input("year", "Year", &book.year) }),
        half(Input { is_optional: true, inputmode: Some("numeric".into()), ..input("pages", "Pages", &book.pages) }),
        Input {
            is_optional: true,
            help: help("Names parted by ; — the main one first, new ones are made"),
            ..input("categories", "Categories", &book.categories)
        },
        half(Input {
            is_optional: true,
            inputmode: Some("numeric".into()),
            help: help("The higher, the further up in lists"),
            ..input("popularity", "How well known", &book.popularity)
        }),
    ];
    let inputs = inputs.into_iter().map(|input| input.view(post)).collect::<Vec<_>>();
    html! { <div class="fields">{inputs}{description(post, &book.description)}</div> }
}

pub fn input(name: &str, label: &str, value: &str) -> Input {
    Input {
        name: name.into(),
        label: label.into(),
        kind: "text".into(),
        autocomplete: "off".into(),
        value: value.into(),
        ..Input::default()
    }
}

fn help(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn half(input: Input) -> Input {
    Input { is_half: true, ..input }
}

fn description(post: Post, value: &str) -> AnyView {
    let wrong = post.wrong("description");
    let is_wrong = move || wrong.with(Option::is_some);
    let value = post.typed("description").unwrap_or_else(|| value.to_owned());
    let error = move || {
        wrong.get().map(|why| {
            html! { <p class="field__error" id="description-error">{icon("alert")}<span>{why}</span></p> }
        })
    };
    html! {
        <div class=move || if is_wrong() { "field field--whole field--error" } else { "field field--whole" }>
            <label class="field__label" for="description">
                "Description "<span class="field__optional">"(optional)"</span>
            </label>
            <textarea class="input" id="description" name="description" rows="6" maxlength="5000"
                aria-invalid=move || is_wrong().then_some("true")
                aria-describedby=move || is_wrong().then_some("description-error")>{value}</textarea>
            {changing(error)}
        </div>
    }
}
