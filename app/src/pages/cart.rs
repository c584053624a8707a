//! The cart, like a till receipt; it follows the live messages, so every tab shows the same.

use crate::{
    call::{Post, PostForm, get, read},
    components::{
        cover::cover,
        edit_form::edit_form,
        empty::{Empty, way_on},
        icon::icon,
        notice::refusal,
        page::{NARROW, Page},
        receipt::{Sums, counted, totals},
    },
    derived::Derived,
    effect::effect,
    html::{changing, html},
    live::{Edit, Live},
    shop::use_shop,
};
use domain::{
    BookId, Currency, Quantity,
    cart::{CartLine, CartView, LineNotice},
};
use leptos::{prelude::*, task::spawn_local};

#[component]
pub fn CartPage() -> impl IntoView {
    let live = use_shop().live;
    refetch_unless_fresh(live);
    live.watch_cart();
    let take = Post::new("cart/take_what_is_left");
    take.on_success(move |cart: CartView| live.set_cart(cart));
    let cart = live.cart();
    let is_empty = Derived::new(move || cart.with(|cart| cart.lines.is_empty()));
    html! {
        <Page title="Cart" class=NARROW>
            {refusal(take.error())}
            {move || if is_empty.get() { nothing() } else { full(live, take) }}
        </Page>
    }
}

/// The page came with the cart; a later visit in the same tab asks again, in case the socket is away.
fn refetch_unless_fresh(live: Live) {
    let is_hydrating = Owner::current_shared_context().is_some_and(|context| context.during_hydration());
    effect(move || {
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

fn full(live: Live, take: Post) -> AnyView {
    let cart = live.cart();
    let lede = move || cart.with(|cart| counted(cart.copies, cart.lines.len()));
    let lines = move || {
        let cart = cart.get();
        cart.lines.into_iter().map(|line| row(live, line, cart.currency)).collect::<Vec<_>>()
    };
    html! {
        <header class="page-head"><h1>"Your cart"</h1><p class="page-head__lede">{lede}</p></header>
        <section class="receipt" aria-label="Cart">
            <ul class="receipt__lines">{changing(lines)}</ul>
            {move || cart.with(|cart| totals(Sums::of_cart(cart)))}
        </section>
        <div class="cart__checkout">{changing(move || cart.with(|cart| way_out(cart, take)))}</div>
        <div class="cart__after">
            <a href="/books">"Keep looking"</a>
            {edit_form("cart/clear", "", None, html! {
                <button class="link-button" on:click=move |event| live.click(&event, Edit::Clear)>"Empty the cart"</button>
            })}
        </div>
    }
}

fn way_out(cart: &CartView, take: Post) -> AnyView {
    let short = cart.short_lines().map(|(line, left)| match left {
        0 => format!("“{}” cannot be ordered now", line.title),
        1 => format!("only 1 copy of “{}” is left", line.title),
        left => format!("only {left} copies of “{}” are left", line.title),
    });
    let short = short.collect::<Vec<_>>().join("; ");
    if short.is_empty() {
        return html! {
            <a class="button button--primary button--block" href="/checkout">"Go to checkout"</a>
            <p class="small muted">"Copies are held for you once you place the order."</p>
        };
    }
    html! {
        <PostForm to=take>
            <input type="hidden" name="next" value="/cart"/>
            <button class="button button--primary button--block" aria-describedby="not-now" aria-busy=move || take.busy()>
                "Take what is left"
            </button>
        </PostForm>
        <p class="small" id="not-now">{format!("Somebody was quicker: {short}. The rest is ready to go.")}</p>
    }
}

fn row(live: Live, line: CartLine, currency: Currency) -> AnyView {
    let most = line.available.unwrap_or(i64::from(Quantity::MAX)).min(i64::from(Quantity::MAX));
    let (is_full, is_retired) = (i64::from(line.quantity) >= most, line.notice == Some(LineNotice::Retired));
    let each = (line.quantity.get() > 1).then(|| format!("{} each", line.unit_price.with(currency)));
    let said = notice(live, &line, currency);
    let CartLine { book_id, slug, title, authors, quantity, line_total, .. } = line;
    let less = format!(" {title}");
    html! {
        <li class=move || if live.is_changed(book_id) { "line line--changed" } else { "line" }>
            {cover(&slug, "cover cover--thumb", String::new(), false)}
            <div>
                <h2 class="line__title"><a href=format!("/books/{slug}")>{title.clone()}</a></h2>
                <p class="line__author">{authors}</p>
            </div>
            <p class="line__total num">{line_total.with(currency).to_string()}</p>
            {said}
            <div class="cart-line__controls">
                {(!is_retired).then(|| stepper(live, book_id, &title, quantity, is_full))}
                {edit_form("cart/remove", "", Some(book_id), html! {
                    <button class="link-button" on:click=move |event| live.click(&event, Edit::Remove { book: book_id })>
                        "Remove"<span class="visually-hidden">{less}</span>
                    </button>
                })}
                {each.map(|each| html! { <span class="line__each cart-line__each num">{each}</span> })}
            </div>
        </li>
    }
}

/// One fewer, one more. Without WASM the buttons say how many the line shall have.
fn stepper(live: Live, book: BookId, title: &str, quantity: Quantity, is_full: bool) -> AnyView {
    let copies = quantity.get();
    let [fewer, more] = ["fewer", "more"].map(|word| format!("One copy {word} of {title}"));
    let step = move |by| move |event| live.click(&event, Edit::Step { book, by, new: None });
    edit_form(
        "cart/set",
        "stepper",
        Some(book),
        html! {
            <button class="stepper__button" name="quantity" value=(copies - 1).to_string()
                aria-label=fewer on:click=step(-1)>{icon("minus")}</button>
            <span class="stepper__value"><span class="visually-hidden">"Copies: "</span>{copies}</span>
            <button class="stepper__button" name="quantity" value=(copies + 1).to_string() disabled=is_full
                aria-label=more on:click=step(1)>{icon("plus")}</button>
        },
    )
}

/// What the shopper should know about the line; a new price stays until they say that they have read it.
fn notice(live: Live, line: &CartLine, currency: Currency) -> Option<AnyView> {
    let book = line.book_id;
    let notice = line.notice.as_ref()?;
    let (words, got_it) = match notice {
        LineNotice::PriceChanged { was } => {
            let words = format!("Was {}, now {}.", was.with(currency), line.unit_price.with(currency));
            let button = html! {
                <button class="link-button" on:click=move |event| live.click(&event, Edit::Seen { book: Some(book) })>
                    "Got it"<span class="visually-hidden">{format!(": the new price of {}", line.title)}</span>
                </button>
            };
            (words, Some(edit_form("cart/seen", "", Some(book), button)))
        }
        other => (other.sentence(currency), None),
    };
    let class = if line.is_gone() { "cart-line__notice cart-line__notice--gone" } else { "cart-line__notice" };
    Some(html! { <div class=class role="status"><p>{words}</p>{got_it}</div> })
}
