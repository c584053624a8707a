//! The checkout: where the parcel goes, what it costs, one button. Its key makes a double click one order.

use super::checkout_news::{TAKE, news};
use crate::{
    api::{
        orders::TYPED,
        pages::{AddressStep, Checkout},
    },
    call::{self, Post, PostForm},
    components::{
        address::address,
        empty::{Empty, way_on},
        icon::icon,
        loaded::loaded,
        page::{NARROW, Page},
        receipt::{Sums, cart_lines, compact_lines, counted, totals},
    },
    html::html,
    shop::use_shop,
};
use domain::{ApiError, cart::CartView, order::Placed};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

const FORM: &str = "checkout";

#[component]
pub fn CheckoutPage() -> impl IntoView {
    let (place, take) = (Post::new("orders/place"), Post::new(TAKE));
    // How often the page looked at the cart again, and what it showed before that.
    let looks = RwSignal::new((0, place.typed("seen").unwrap_or_default()));
    let showing = StoredValue::new(String::new());
    let look_again = move || looks.update(|looks| *looks = (looks.0 + 1, showing.get_value()));
    // Such a refusal means that the cart is not what the page shows (any more): look again, so that the next click
    // has the right key and total. One that came with the page is about what the page shows.
    Effect::new(move |was_new: Option<bool>| {
        let is_about_cart = |error: &ApiError| error.code.status() == 409;
        if place.error()().as_ref().is_some_and(is_about_cart) && was_new.is_some() {
            look_again();
        }
        true
    });
    let live = use_shop().live;
    take.on_success(move |cart: CartView| {
        live.set_cart(cart);
        place.forget_error();
        look_again();
    });
    // Edits that were still under way when the page was asked for are not in it.
    let is_settled = live.is_settled();
    Effect::new(move |was_settled: Option<bool>| {
        if was_settled == Some(false) && is_settled.get() {
            looks.update(|looks| looks.0 += 1);
        }
        is_settled.get()
    });
    let navigate = use_navigate();
    place.on_success(move |placed: Placed| {
        navigate(&format!("/orders/{}", placed.order_id), NavigateOptions::default());
    });
    let address = move || {
        looks.with(|(looks, seen)| {
            let looks = if *looks == 0 { String::new() } else { looks.to_string() };
            call::address("page/checkout", &[("look", &looks), ("seen", seen)])
        })
    };
    loaded(address, move |checkout: Checkout| {
        showing.set_value(checkout.seen.clone());
        show(checkout, place, take)
    })
}

fn show(checkout: Checkout, place: Post, take: Post) -> AnyView {
    let news = news(&checkout, FORM, place, take);
    let Checkout { cart, key, seen, address, delivery, .. } = checkout;
    if cart.lines.is_empty() {
        return html! {
            <Page title="Checkout" class=NARROW>
                {news}
                <Empty mark=icon("bag") title="Nothing to check out".into() text="Your cart is empty just now.".into()>
                    {way_on("/books", "Look through the books")}
                </Empty>
            </Page>
        };
    }
    let expected = cart.total.get().to_string();
    html! {
        <Page title="Checkout" class=NARROW>
            <header class="page-head">
                <a class="page-head__back" href="/cart">{icon("left")}" Back to the cart"</a>
                <h1>"Where shall we send them?"</h1>
            </header>
            <ol class="steps" aria-label="Steps">
                <li class="steps__step steps__step--done">"Cart"</li>
                <li class="steps__step" aria-current="step">"Checkout"</li>
                <li class="steps__step">"Payment"</li>
            </ol>
            {news}
            {summary(&cart)}
            <PostForm to=place class="form" id=FORM>
                <input type="hidden" name="idempotency_key" value=key/>
                <input type="hidden" name="expected_total" value=expected/>
                <input type="hidden" name="seen" value=seen/>
                {address_step(address, place)}
                {delivery_step(delivery)}
                {place_step(&cart, place)}
            </PostForm>
        </Page>
    }
}

fn summary(cart: &CartView) -> AnyView {
    html! {
        <details class="fold">
            <summary class="fold__summary">
                {counted(cart.copies, cart.lines.len())}
                <span class="fold__total num">{cart.total.with(cart.currency).to_string()}</span>
            </summary>
            <div class="fold__body">
                {compact_lines(cart_lines(cart), cart.currency)}
                {totals(Sums::of_cart(cart))}
            </div>
        </details>
    }
}

/// First step: where the parcel goes, and how its shopper is reached.
fn address_step(step: AddressStep, form: Post) -> AnyView {
    let AddressStep { contact, book, inputs } = step;
    let chosen = form.typed("address_id");
    let is_chosen = |id: &str, is_default: bool| chosen.as_ref().map_or(is_default, |chosen| chosen == id);
    let gone = form.wrong("address_id");
    let has_book = !book.is_empty();
    let choices = book.into_iter().map(|entry| {
        let id = entry.id.to_string();
        let is_chosen = is_chosen(&id, entry.is_default);
        html! {
            <label class="choice">
                <input type="radio" name="address_id" value=id checked=is_chosen/>{address(entry.address)}
            </label>
        }
    });
    let choices = choices.collect::<Vec<_>>();
    let another = has_book.then(|| {
        let is_typed = is_chosen(TYPED, false);
        html! {
            <label class="choice">
                <input type="radio" name="address_id" value=TYPED checked=is_typed/>"Another address"
            </label>
        }
    });
    html! {
        <fieldset class="fieldset addresses">
            <legend class="fieldset__legend">"Contact and address"</legend>
            {contact.map(|contact| contact.view(form))}
            {choices}
            {another}
            {move || gone.get().map(|text| html! { <p class="field__error">{icon("alert")}<span>{text}</span></p> })}
            <div class="fields addresses__new">
                {inputs.into_iter().map(|input| input.view(form)).collect::<Vec<_>>()}
            </div>
        </fieldset>
    }
}

/// Second step: there is one way, and what it costs.
fn delivery_step(promise: String) -> AnyView {
    html! {
        <section class="fieldset" aria-labelledby="delivery-h">
            <h2 class="fieldset__legend" id="delivery-h">"Delivery"</h2>
            <p>{promise}</p>
        </section>
    }
}

/// Third step.
fn place_step(cart: &CartView, place: Post) -> AnyView {
    let total = cart.total.with(cart.currency);
    html! {
        <section class="checkout__place" aria-labelledby="place-h">
            <h2 class="fieldset__legend" id="place-h">"Summary"</h2>
            {totals(Sums::of_cart(cart))}
            <button class="button button--primary button--block" type="submit" aria-busy=move || place.busy()>
                {format!("Place order · {total}")}
            </button>
            <p class="small muted">"This holds your copies while you pay, on the next page."</p>
        </section>
    }
}
