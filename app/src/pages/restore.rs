//! The link in a mail about a forgotten cart: its books, and a button that puts them back. Following the link changes
//! nothing, because programs that check mails follow links, too.

use crate::{
    api::mail::Offer,
    call::address,
    components::{
        loaded::loaded,
        notice::{Tone, notice},
        page::{NARROW, Page, keep_out_of_search},
        receipt::{cart_lines, compact_lines, counted},
    },
    html::html,
};
use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_params_map};

#[component]
pub fn RestorePage() -> impl IntoView {
    keep_out_of_search();
    let params = use_params_map();
    let token = move || params.with(|params| params.get("token").unwrap_or_default());
    let token_now = token;
    loaded(move || address("page/offer", &[("token", &token())]), move |offer: Offer| show(offer, untrack(token_now)))
}

fn show(offer: Offer, token: String) -> AnyView {
    let Offer { books, is_in_cart } = offer;
    if is_in_cart {
        return html! { <Redirect path="/cart"/> };
    }
    let gone = books.lines.iter().filter_map(|line| {
        let sentence = line.notice.as_ref()?.sentence(books.currency);
        Some(html! { <li>{format!("“{}”: {sentence}", line.title)}</li> })
    });
    let gone = gone.collect::<Vec<_>>();
    let titles = books.lines.iter().filter(|line| line.notice.is_none()).count();
    let gone = (!gone.is_empty())
        .then(|| notice(Tone::Warn, "Not all of them are still to be had", html! { <ul>{gone}</ul> }));
    let way_on = match titles {
        0 => html! {
            <p>"None of them can be ordered right now."</p>
            <p class="actions"><a class="button button--primary" href="/books">"Look through the books"</a></p>
        },
        // A plain form: the answer is another page, and what could not come along is said there.
        _ => html! {
            <form action="/api/cart/restore" method="post">
                <input type="hidden" name="token" value=token/>
                <button class="button button--primary button--block">"Put them in my cart"</button>
            </form>
            <p class="small muted">"What is in your cart already stays as it is. Prices are those of today."</p>
        },
    };
    html! {
        <Page title="Your books" class=NARROW>
            <header class="page-head">
                <h1>"These were in your cart"</h1>
                <p class="page-head__lede">{counted(books.copies, titles)}</p>
            </header>
            <section class="receipt" aria-label="Books">{compact_lines(cart_lines(&books), books.currency)}</section>
            {gone}
            <div class="cart__checkout">{way_on}</div>
        </Page>
    }
}
