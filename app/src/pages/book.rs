//! One book: its cover, its facts, and a way to buy it.

use crate::{
    api::pages::Book,
    call::{Post, PostForm, address},
    components::{
        book_card::book_cards,
        cover::cover,
        loaded::loaded,
        notice::{Tone, notice, refusal},
        page::{PLAIN, Page},
        stock::Stock,
    },
    next::encode,
    shop::use_shop,
};
use domain::{
    Quantity,
    catalog::{BookCard, BookDetail},
};
use leptos::prelude::*;
use leptos_meta::Meta;
use leptos_router::hooks::use_params_map;

#[component]
pub fn BookPage() -> impl IntoView {
    let params = use_params_map();
    let slug = Memo::new(move |_| params.with(|params| params.get("slug")).unwrap_or_default());
    loaded(move || slug.with(|slug| address("page/book", &[("slug", slug)])), show)
}

fn show(Book { book, near }: Book) -> AnyView {
    let card = book.card.clone();
    let alt = format!("Cover of {} by {}", card.title, card.authors);
    let by = format!("/books?author={}", encode(&card.authors));
    let title = format!("{} by {}", card.title, card.authors);
    view! {
        <Page title=title class=PLAIN>
            <Meta name="description" content=book.description.clone()/>
            <article class="book">
                {cover(&card.slug, "cover book__cover", alt, true)}
                <header class="book__head">
                    <h1 class="book__title">{card.title.clone()}</h1>
                    {book.subtitle.clone().map(|subtitle| view! { <p class="book__author">{subtitle}</p> })}
                    <p class="book__author">"by "<a href=by>{card.authors.clone()}</a></p>
                </header>
                <div class="book__body">
                    <BuyBox book=card on_sale=book.on_sale/>
                    <p class="book__description">{book.description.clone()}</p>
                    {facts(&book)}
                </div>
            </article>
            {shelf(near)}
        </Page>
    }
    .into_any()
}

/// Price, stock and the button; stays in reach on the phone.
#[component]
fn BuyBox(book: BookCard, on_sale: bool) -> impl IntoView {
    let live = use_shop().live;
    let add = Post::new("cart/add");
    live.take_carts(add);
    let (id, price) = (book.id, book.price.with(book.currency).to_string());
    let available = live.available(id, book.available);
    let most = Memo::new(move |_| {
        let left = available.get().unwrap_or(i64::from(Quantity::MAX));
        if on_sale { left.clamp(0, i64::from(Quantity::MAX)) } else { 0 }
    });
    let other = book.category.clone().map_or_else(|| "/books".to_owned(), |slug| format!("/books?category={slug}"));
    let choice = move || match most.get() {
        0 => view! {
            <div class="buy-box__form"><a class="button" href=other.clone()>"Find something like it"</a></div>
        }
        .into_any(),
        most => view! {
            <PostForm to=add class="buy-box__form">
                <input type="hidden" name="book_id" value=id.to_string()/>
                <div class="field buy-box__quantity">
                    <label class="field__label" for="qty">"Copies"</label>
                    <select class="select" id="qty" name="quantity">
                        {(1..=most).map(|n| view! { <option value=n.to_string()>{n}</option> }).collect_view()}
                    </select>
                </div>
                <button class="button button--primary" type="submit"
                    aria-busy=move || add.busy()>"Add to cart"</button>
            </PostForm>
        }
        .into_any(),
    };
    view! {
        {refusal(add.error())}
        {in_cart(book)}
        <section class="buy-box" aria-label="Buy this book">
            <div class="buy-box__facts">
                <p class="buy-box__price">{price}</p>" "
                {if on_sale {
                    view! { <Stock book=id available=available.get_untracked()/> }.into_any()
                } else {
                    view! { <span class="stock stock--out">"No longer sold"</span> }.into_any()
                }}
            </div>
            {choice}
        </section>
    }
}

/// Says how many copies the cart holds, whichever tab put them there.
fn in_cart(book: BookCard) -> AnyView {
    let cart = use_shop().live.cart();
    let line = Memo::new(move |_| cart.with(|cart| cart.lines.iter().find(|line| line.book_id == book.id).cloned()));
    let said = move || {
        line.get().map(|line| {
            let copies = line.quantity.get();
            let title = format!("In your cart: {copies} {}", if copies == 1 { "copy" } else { "copies" });
            let more = line.notice.map(|notice| notice.sentence(book.currency));
            let body = view! {
                {more.map(|more| view! { <p>{more}</p> })}
                <p><a href="/cart">"See the cart"</a>" or "<a href="/checkout">"go to checkout"</a>"."</p>
            };
            notice(Tone::Good, title, body)
        })
    };
    said.into_any()
}

fn facts(book: &BookDetail) -> AnyView {
    let fact = |name: &'static str, value: Option<String>| value.map(|value| view! { <dt>{name}</dt><dd>{value}</dd> });
    let year = book.card.year.map(|year| if year < 0 { format!("{} BCE", -year) } else { year.to_string() });
    let subjects = book.categories.clone().into_iter().enumerate().map(|(at, category)| {
        view! {
            {(at > 0).then_some(", ")}<a href=format!("/books?category={}", category.slug)>{category.name}</a>
        }
    });
    view! {
        <section class="panel" aria-labelledby="facts-h">
            <h2 class="panel__title" id="facts-h">"About this book"</h2>
            <dl class="facts">
                {fact("First published", year)}
                {fact("Pages", book.pages.map(|pages| pages.to_string()))}
                {fact("Language", Some(book.language.clone()).filter(|language| !language.is_empty()))}
                {fact("ISBN", book.isbn.clone())}
                {(!book.categories.is_empty()).then(|| view! { <dt>"Subject"</dt><dd>{subjects.collect_view()}</dd> })}
            </dl>
        </section>
    }
    .into_any()
}

fn shelf(near: Vec<BookCard>) -> AnyView {
    if near.is_empty() {
        return ().into_any();
    }
    view! {
        <section class="home-section" aria-labelledby="near-h">
            <div class="section-head"><h2 id="near-h">"From the same shelf"</h2></div>
            <ul class="shelf">{book_cards(near, 0)}</ul>
        </section>
    }
    .into_any()
}
