//! A book on a shelf.

use super::{cover::cover, stock::Stock};
use crate::html::html;
use domain::catalog::BookCard;
use leptos::prelude::*;

/// `is_early`: in the first view.
pub fn book_card(book: BookCard, is_early: bool) -> AnyView {
    let price = book.price.with(book.currency).to_string();
    html! {
        <li class="book-card">
            {cover(&book.slug, "cover", String::new(), is_early)}
            <div class="book-card__text">
                <h3 class="book-card__title">
                    <a class="book-card__link" href=format!("/books/{}", book.slug)>{book.title}</a>
                </h3>
                <p class="book-card__author">{book.authors}</p>
                <p class="book-card__meta">
                    <span class="price">{price}</span>" "<Stock book=book.id available=book.available/>
                </p>
            </div>
        </li>
    }
}

/// The cards of a list; the first `early` covers are loaded at once.
pub fn book_cards(books: Vec<BookCard>, early: usize) -> Vec<AnyView> {
    books.into_iter().enumerate().map(|(at, book)| book_card(book, at < early)).collect()
}
