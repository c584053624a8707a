//! Buttons that edit the cart: plain forms, whose clicks are edits of this tab once WASM is there.

use crate::{
    html::html,
    live::{Edit, Live},
};
use domain::BookId;
use leptos::{ev::MouseEvent, prelude::*};

/// `name`: the server function, like `cart/set`.
pub fn edit_form(name: &'static str, class: &'static str, book: Option<BookId>, buttons: AnyView) -> AnyView {
    let class = (!class.is_empty()).then_some(class);
    html! {
        <form class=class action=format!("/api/{name}") method="post">
            {book.map(|book| html! { <input type="hidden" name="book_id" value=book.to_string()/> })}
            {buttons}
        </form>
    }
}

impl Live {
    /// A click on a form's button: an edit, instead of leaving the page.
    pub fn click(self, event: &MouseEvent, edit: Edit) {
        event.prevent_default();
        self.edit(edit);
    }
}
