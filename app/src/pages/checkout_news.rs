//! What stands between the shopper and their order: what is short, what changed since they looked, what was refused.

use crate::{
    api::pages::Checkout,
    call::Post,
    components::{
        notice::{Tone, notice, refusal},
        page::focus_once_shown,
    },
    html::html,
};
use domain::{
    ApiError, Currency, ErrorCode, Minor,
    cart::{CartLine, CartView, Changes, LineNotice, Shown},
};
use leptos::prelude::*;

/// Takes the fields of the checkout along, so that nothing typed is lost without WASM.
pub const TAKE: &str = "cart/take_what_is_left";

/// `form`: the id of the checkout's form.
pub fn news(checkout: &Checkout, form: &'static str, place: Post, take: Post) -> AnyView {
    let cart = &checkout.cart;
    let is_short = cart.short_lines().next().is_some();
    let has_changed = checkout.changes.is_some();
    // The tables below say more than those refusals do.
    let is_told = move |error: &ApiError| match error.code {
        ErrorCode::InsufficientStock | ErrorCode::NotOrderable => is_short,
        ErrorCode::CartChanged => has_changed,
        _ => false,
    };
    let refused = place.error();
    let refused = move || refused().filter(|error| !is_told(error));
    if is_short || has_changed || untrack(refused).is_some() {
        focus_once_shown("news");
    }
    html! {
        <div id="news" tabindex="-1" aria-live="polite">
            {refusal(take.error())}
            {refusal(refused)}
            {is_short.then(|| short(cart, form, take))}
            {checkout.changes.as_ref().map(|changes| changed(cart, changes, (!is_short).then_some(form)))}
        </div>
    }
}

fn short(cart: &CartView, form: &'static str, take: Post) -> AnyView {
    let rows = cart.short_lines().map(|(line, left)| {
        html! {
            <tr>
                <th scope="row">{line.title.clone()}</th>
                <td class="num">{line.quantity.get()}</td>
                <td class="num">{left_of(line, left)}</td>
            </tr>
        }
    });
    let rows = rows.collect::<Vec<_>>();
    let is_nothing_left = cart.lines.iter().all(|line| line.left() == Some(0));
    let words = if is_nothing_left { "Take them out of the cart" } else { "Take what is left" };
    let click = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        take.go(String::new());
    };
    let body = html! {
        <table class="compare">
            <thead><tr><th scope="col">"Book"</th><th scope="col">"Wanted"</th><th scope="col">"Left"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
        <p class="actions">
            <button class="button button--primary" type="submit" form=form formaction=format!("/api/{TAKE}") formnovalidate
                on:click=click aria-busy=move || take.busy()>{words}</button>
        </p>
    };
    notice(Tone::Bad, "Somebody was quicker: not all of it is left", body)
}

fn left_of(line: &CartLine, left: u32) -> String {
    match left {
        0 if line.notice == Some(LineNotice::Retired) => "no longer sold".to_owned(),
        0 => "sold out".to_owned(),
        left => left.to_string(),
    }
}

/// With a `form` that can be placed as it is now, a button does so.
fn changed(cart: &CartView, changes: &Changes, form: Option<&'static str>) -> AnyView {
    let money = |amount: Minor| amount.with(cart.currency).to_string();
    let (was, now) = (money(changes.total_was), money(cart.total));
    let title = if was == now {
        format!("Your order is another one, and still comes to {now}")
    } else {
        format!("Your order comes to {now} now; it was {was}")
    };
    let lines = changes.lines.iter().map(|change| {
        let gone = "not in the cart";
        row(change.title.clone(), shown(change.was, cart.currency, gone), shown(change.now, cart.currency, gone))
    });
    let lines = lines.collect::<Vec<_>>();
    let fee = |fee: Minor| if fee == Minor::ZERO { "Free".to_owned() } else { money(fee) };
    let delivery = (changes.delivery_was != cart.delivery)
        .then(|| row("Delivery".to_owned(), fee(changes.delivery_was), fee(cart.delivery)));
    let button = form.map(|form| {
        html! {
            <p class="actions">
                <button class="button button--primary" type="submit" form=form>{format!("Place order · {now}")}</button>
            </p>
        }
    });
    let body = html! {
        <table class="compare">
            <thead><tr><th scope="col">"Book"</th><th scope="col">"You saw"</th><th scope="col">"Now"</th></tr></thead>
            <tbody>{lines}{delivery}</tbody>
            <tfoot>{row("Total".to_owned(), was, now.clone())}</tfoot>
        </table>
        {button}
    };
    notice(Tone::Warn, title, body)
}

fn row(what: String, was: String, now: String) -> AnyView {
    html! { <tr><th scope="row">{what}</th><td class="num">{was}</td><td class="num">{now}</td></tr> }
}

fn shown(shown: Option<Shown>, currency: Currency, gone: &str) -> String {
    shown.map_or_else(|| gone.to_owned(), |shown| format!("{} × {}", shown.copies, shown.each.with(currency)))
}
