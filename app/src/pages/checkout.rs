//! The checkout: where the parcel goes, what it costs, one button. Its key makes a double click one order.

use super::checkout_news::{TAKE, news};
use crate::{
    api::pages::Checkout,
    call::{self, Post, PostForm},
    components::{
        address::COUNTRIES,
        empty::{Empty, way_on},
        form::Field,
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
        if place.error().with(|error| error.as_ref().is_some_and(is_about_cart)) && was_new.is_some() {
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
    let Checkout { cart, key, seen, .. } = checkout;
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
    let total = cart.total.with(cart.currency).to_string();
    let expected = cart.total.get().to_string();
    html! {
        <Page title="Checkout" class=NARROW>
            <header class="page-head">
                <a class="page-head__back" href="/cart">{icon("left")}" Back to the cart"</a>
                <h1>"Where shall we send them?"</h1>
            </header>
            <ol class="steps" aria-label="Steps">
                <li class="steps__step steps__step--done">"Cart"</li>
                <li class="steps__step" aria-current="step">"Address"</li>
                <li class="steps__step">"Payment"</li>
            </ol>
            {news}
            {summary(&cart)}
            <PostForm to=place class="form" id=FORM>
                <input type="hidden" name="idempotency_key" value=key/>
                <input type="hidden" name="expected_total" value=expected/>
                <input type="hidden" name="seen" value=seen/>
                {contact(place)}
                {delivery(place)}
                <div class="checkout__place">
                    <button class="button button--primary button--block" type="submit" aria-busy=move || place.busy()>
                        {format!("Place order · {total}")}
                    </button>
                    <p class="small muted">"This holds your copies while you pay, on the next page."</p>
                </div>
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

/// Guests say where we can write to them.
fn contact(form: Post) -> AnyView {
    if use_shop().account().is_some() {
        return ().into_any();
    }
    let help = Some("For news of this order. Nothing else.");
    let email = Field { kind: "email", help, ..Field::new("email", "E-mail", "email") };
    html! {
        <fieldset class="fieldset">
            <legend class="fieldset__legend">"How we reach you"</legend>
            {email.view(form, None)}
        </fieldset>
    }
}

fn delivery(form: Post) -> AnyView {
    let line2 = Field { is_optional: true, ..Field::new("line2", "Area or landmark", "address-line2") };
    let pin = Field { inputmode: Some("numeric"), ..Field::new("postcode", "PIN code", "postal-code") };
    let help = Some("Only for the courier.");
    let phone = Field { kind: "tel", inputmode: Some("tel"), help, ..Field::new("phone", "Phone", "tel") };
    let name = use_shop().account().map(|account| account.name);
    let countries = COUNTRIES.map(|(code, name)| html! { <option value=code>{name}</option> });
    html! {
        <fieldset class="fieldset">
            <legend class="fieldset__legend">"Delivery address"</legend>
            {Field::new("name", "Full name", "name").view(form, name)}
            {Field::new("line1", "House and street", "address-line1").view(form, None)}
            {line2.view(form, None)}
            <div class="field-row">
                {Field::new("city", "City", "address-level2").view(form, None)}
                {Field::new("state", "State", "address-level1").view(form, None)}
            </div>
            <div class="field-row">
                {pin.view(form, None)}
                <div class="field">
                    <label class="field__label" for="country">"Country"</label>
                    <select class="select" id="country" name="country" autocomplete="country">{Vec::from(countries)}</select>
                </div>
            </div>
            {phone.view(form, None)}
        </fieldset>
    }
}
