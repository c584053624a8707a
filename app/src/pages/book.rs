//! One book: its cover, its facts, and a way to buy it.

use crate::{
    api::pages::{Book, BookMore},
    call::address,
    components::{
        book_card::book_cards,
        cover::cover,
        crumbs::{Crumb, crumbs},
        icon::icon,
        loaded::loaded,
        notice::{Tone, notice},
        page::{PLAIN, Page},
        stock::Stock,
    },
    derived::Derived,
    html::{changing, html},
    live::Edit,
    shop::use_shop,
};
use domain::{Quantity, cart::CartLine, catalog::BookCard, words::counted};
use leptos::{ev::SubmitEvent, form::form_data_from_event, prelude::*};
use leptos_router::hooks::use_params_map;

/// Titles of more bytes are set smaller, so that the price stays on the screen.
const LONG: usize = 60;

#[component]
pub fn BookPage() -> impl IntoView {
    let params = use_params_map();
    let slug = Derived::new(move || params.with(|params| params.get("slug")).unwrap_or_default());
    loaded(move || slug.with(|slug| address("page/book", &[("slug", slug)])), show)
}

fn show(book: Book) -> AnyView {
    #[cfg(feature = "ssr")]
    crate::ssr::head::book(&book);
    let way = crumbs(Crumb::of_book(&book));
    let Book { card, more, same_author, near } = book;
    let alt = format!("Cover of {} by {}", card.title, card.authors);
    let title = format!("{} by {}", card.title, card.authors);
    let title_class = if card.title.len() > LONG { "book__title book__title--long" } else { "book__title" };
    let facts = facts(&card, &more);
    let by = by(&card, more.by);
    let (subtitle, description) = (more.subtitle, more.description);
    html! {
        <Page title=title class=PLAIN>
            {way}
            <article class="book">
                {cover(&card.slug, "cover book__cover", alt, true)}
                <header class="book__head">
                    <h1 class=title_class>{card.title.clone()}</h1>
                    {subtitle.map(|subtitle| html! { <p class="book__author">{subtitle}</p> })}
                    <p class="book__author">"by "{by}</p>
                </header>
                <div class="book__body">
                    <BuyBox book=card on_sale=more.on_sale/>
                    {more.on_sale.then(|| html! { <p class="book__delivery">{icon("parcel")}{more.delivery}</p> })}
                    {(!description.is_empty()).then(|| html! { <p class="book__description">{description}</p> })}
                    {facts}
                </div>
            </article>
            {shelf("same-author-h", "More by this author", same_author)}
            {shelf("near-h", "From the same shelf", near)}
        </Page>
    }
}

/// Each author leads to a page of their own.
fn by(book: &BookCard, authors: Vec<(String, String)>) -> AnyView {
    if authors.is_empty() {
        return book.authors.clone().into_any();
    }
    let links = authors.into_iter().enumerate().map(|(at, (name, href))| {
        html! { {(at > 0).then_some(", ")}<a href=href>{name}</a> }
    });
    links.collect::<Vec<_>>().into_any()
}

/// Price, stock and the button; stays in reach on the phone.
#[component]
fn BuyBox(book: BookCard, on_sale: bool) -> impl IntoView {
    let live = use_shop().live;
    let (id, price) = (book.id, book.price.with(book.currency).to_string());
    let available = live.available(id, book.available);
    let most = Derived::new(move || {
        let left = available.get().unwrap_or(i64::from(Quantity::MAX));
        if on_sale { left.clamp(0, i64::from(Quantity::MAX)) } else { 0 }
    });
    let other = book.category.clone().map_or_else(|| "/books".to_owned(), |slug| format!("/categories/{slug}"));
    let new = new_line(&book);
    let add = move |event: SubmitEvent| {
        event.prevent_default();
        let chosen = form_data_from_event(&event).ok().and_then(|form| form.get("quantity").as_string());
        let by = chosen.and_then(|chosen| chosen.parse().ok()).unwrap_or(1);
        live.edit(Edit::Step { book: id, by, new: Some(Box::new(new.clone())) });
    };
    let choice = move || match most.get() {
        0 => html! {
            <div class="buy-box__form"><a class="button" href=other.clone()>"Find something like it"</a></div>
        },
        most => html! {
            <form class="buy-box__form" action="/api/cart/add" method="post" on:submit=add.clone()>
                <input type="hidden" name="book_id" value=id.to_string()/>
                <div class="field buy-box__quantity">
                    <label class="field__label" for="qty">"Copies"</label>
                    <select class="select" id="qty" name="quantity">
                        {(1..=most).map(|n| html! { <option value=n.to_string()>{n}</option> }).collect::<Vec<_>>()}
                    </select>
                </div>
                <button class="button button--primary" type="submit">"Add to cart"</button>
            </form>
        },
    };
    html! {
        <section class="buy-box" aria-label="Buy this book">
            {in_cart(book)}
            <div class="buy-box__facts" aria-live="polite">
                <p class="buy-box__price">{price}</p>" "
                {if on_sale {
                    html! { <Stock book=id available=available.get_untracked()/> }
                } else {
                    html! { <span class="stock stock--out">"No longer sold"</span> }
                }}
            </div>
            {changing(choice)}
        </section>
    }
}

/// The book's line, as long as the server has not answered with its own.
fn new_line(book: &BookCard) -> CartLine {
    CartLine {
        book_id: book.id,
        slug: book.slug.clone(),
        title: book.title.clone(),
        authors: book.authors.clone(),
        quantity: Quantity::ONE,
        unit_price: book.price,
        line_total: book.price,
        available: book.available,
        notice: None,
    }
}

/// Says how many copies the cart holds, whichever tab put them there.
fn in_cart(book: BookCard) -> AnyView {
    let cart = use_shop().live.cart();
    // Only what is said: whoever has the focus in it keeps it when the server answers.
    let line = Derived::new(move || {
        cart.with(|cart| {
            let line = cart.lines.iter().find(|line| line.book_id == book.id)?;
            Some((line.quantity.get(), line.notice.clone()))
        })
    });
    let said = move || {
        line.get().map(|(copies, notice_of_line)| {
            let title = format!("In your cart: {}", counted(copies.into(), "copy", "copies"));
            let more = notice_of_line.map(|notice| notice.sentence(book.currency));
            let body = html! {
                {more.map(|more| html! { <p>{more}</p> })}
                <p><a href="/cart">"See the cart"</a>" or "<a href="/checkout">"go to checkout"</a>"."</p>
            };
            notice(Tone::Good, title, body)
        })
    };
    changing(said)
}

fn facts(card: &BookCard, book: &BookMore) -> AnyView {
    let fact = |name: &'static str, value: Option<String>| value.map(|value| html! { <dt>{name}</dt><dd>{value}</dd> });
    let year = card.year.map(|year| if year < 0 { format!("{} BCE", -year) } else { year.to_string() });
    let subjects = book.categories.clone().into_iter().enumerate().map(|(at, category)| {
        html! {
            {(at > 0).then_some(", ")}<a href=format!("/categories/{}", category.slug)>{category.name}</a>
        }
    });
    html! {
        <section class="panel" aria-labelledby="facts-h">
            <h2 class="panel__title" id="facts-h">"About this book"</h2>
            <dl class="facts">
                {fact("First published", year)}
                {fact("Pages", book.pages.map(|pages| pages.to_string()))}
                {fact("Language", Some(book.language.clone()).filter(|language| !language.is_empty()))}
                {fact("ISBN", book.isbn.clone())}
                {(!book.categories.is_empty()).then(|| html! { <dt>"Subject"</dt><dd>{subjects.collect::<Vec<_>>()}</dd> })}
            </dl>
        </section>
    }
}

fn shelf(id: &'static str, title: &'static str, books: Vec<BookCard>) -> AnyView {
    if books.is_empty() {
        return ().into_any();
    }
    html! {
        <section class="home-section" aria-labelledby=id>
            <div class="section-head"><h2 id=id>{title}</h2></div>
            <ul class="shelf">{book_cards(books, 0)}</ul>
        </section>
    }
}
