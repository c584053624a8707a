//! The cart, like a till receipt; it follows the live messages, so every tab shows the same.

use crate::{
    call::{Post, PostForm, get, read},
    components::{
        cover::cover,
        empty::{Empty, way_on},
        icon::icon,
        notice::refusal,
        page::{NARROW, Page},
        receipt::{Sums, counted, totals},
    },
    html::{changing, html},
    live::Live,
    shop::use_shop,
};
use domain::{
    Currency, Quantity,
    cart::{CartLine, CartView},
};
use leptos::{prelude::*, task::spawn_local};

#[component]
pub fn CartPage() -> impl IntoView {
    let live = use_shop().live;
    refetch_unless_fresh(live);
    let (set, remove, clear) = (Post::new("cart/set"), Post::new("cart/remove"), Post::new("cart/clear"));
    for post in [set, remove, clear] {
        live.take_carts(post);
    }
    let errors = [set, remove, clear, Post::new("cart/add")].map(Post::error);
    let cart = live.cart();
    let is_empty = Memo::new(move |_| cart.with(|cart| cart.lines.is_empty()));
    html! {
        <Page title="Cart" class=NARROW>
            {Vec::from(errors.map(refusal))}
            {move || if is_empty.get() { nothing() } else { full(cart, set, remove, clear) }}
        </Page>
    }
}

/// The page came with the cart; a later visit in the same tab asks again, in case the socket is away.
fn refetch_unless_fresh(live: Live) {
    let is_hydrating = Owner::current_shared_context().is_some_and(|context| context.during_hydration());
    Effect::new(move |_| {
        if !is_hydrating && !live.is_open().get_untracked() {
            spawn_local(async move {
                if let Ok(cart) = get("cart".to_owned()).await.and_then(|text| read(&text)) {
                    live.set_cart(cart);
                }
            });
        }
    });
}

fn nothing() -> AnyView {
    html! {
        <Empty mark=icon("bag") title="Nothing in the cart yet".into() text="The front table is a good place to begin.".into()>
            {way_on("/books", "Look through the books")}
        </Empty>
    }
}

fn full(cart: Signal<CartView>, set: Post, remove: Post, clear: Post) -> AnyView {
    let lede = move || cart.with(|cart| counted(cart.copies, cart.lines.len()));
    let lines = move || {
        let cart = cart.get();
        cart.lines.into_iter().map(|line| row(line, cart.currency, set, remove)).collect::<Vec<_>>()
    };
    let way_out = move || match cart.with(CartView::is_orderable) {
        true => html! {
            <a class="button button--primary button--block" href="/checkout">"Go to checkout"</a>
            <p class="small muted">"Copies are held for you once you place the order."</p>
        },
        false => html! {
            <p class="small muted">"Take out what is no longer there, and the rest can be ordered."</p>
        },
    };
    html! {
        <header class="page-head"><h1>"Your cart"</h1><p class="page-head__lede">{lede}</p></header>
        <section class="receipt" aria-label="Cart">
            <ul class="receipt__lines">{changing(lines)}</ul>
            {move || cart.with(|cart| totals(Sums::of_cart(cart)))}
        </section>
        <div class="cart__checkout">{changing(way_out)}</div>
        <div class="cart__after">
            <a href="/books">"Keep looking"</a>
            <PostForm to=clear><button class="link-button">"Empty the cart"</button></PostForm>
        </div>
    }
}

fn row(line: CartLine, currency: Currency, set: Post, remove: Post) -> AnyView {
    let CartLine { book_id, slug, title, authors, quantity, unit_price, line_total, available, notice } = line;
    let copies = quantity.get();
    let most = available.unwrap_or(i64::from(Quantity::MAX)).min(i64::from(Quantity::MAX));
    let is_full = i64::from(copies) >= most;
    let notice = notice.map(|notice| notice.sentence(currency));
    let [fewer, more, less] = ["One copy fewer of ", "One copy more of ", " "].map(|words| format!("{words}{title}"));
    html! {
        <li class="line">
            {cover(&slug, "cover cover--thumb", String::new(), false)}
            <div>
                <h2 class="line__title"><a href=format!("/books/{slug}")>{title}</a></h2>
                <p class="line__author">{authors}</p>
            </div>
            <p class="line__total num">{line_total.with(currency).to_string()}</p>
            {notice.map(|notice| html! { <p class="cart-line__notice" role="status">{notice}</p> })}
            <div class="cart-line__controls">
                <PostForm to=set class="stepper">
                    <input type="hidden" name="book_id" value=book_id.to_string()/>
                    <button class="stepper__button" name="quantity" value=(copies - 1).to_string()
                        aria-label=fewer>{icon("minus")}</button>
                    <span class="stepper__value"><span class="visually-hidden">"Copies: "</span>{copies}</span>
                    <button class="stepper__button" name="quantity" value=(copies + 1).to_string() disabled=is_full
                        aria-label=more>{icon("plus")}</button>
                </PostForm>
                <PostForm to=remove>
                    <input type="hidden" name="book_id" value=book_id.to_string()/>
                    <button class="link-button">"Remove"<span class="visually-hidden">{less}</span></button>
                </PostForm>
                <span class="line__each cart-line__each num">{format!("{} each", unit_price.with(currency))}</span>
            </div>
        </li>
    }
}
