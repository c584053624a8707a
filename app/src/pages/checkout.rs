//! The checkout: where the parcel goes, what it costs, one button. Its key makes a double click one order.

use crate::{
    api::{
        orders::PlaceOrder,
        pages::{self, Checkout},
    },
    components::{
        empty::{Empty, way_on},
        form::{Field, FormState},
        icon::icon,
        loaded::loaded,
        notice::refusal,
        page::{NARROW, Page},
        receipt::{Sums, cart_lines, compact_lines, counted, totals},
    },
    shop::use_shop,
};
use domain::cart::CartView;
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

/// Where the shop delivers; a longer list comes with more couriers.
const COUNTRIES: [(&str, &str); 1] = [("IN", "India")];

#[component]
pub fn CheckoutPage() -> impl IntoView {
    let place = ServerAction::<PlaceOrder>::new();
    let form = FormState::new(place, "orders/place");
    // A refusal often means that the cart is not what the page shows (any more): look again.
    let refusals = Memo::new(move |_| {
        let is_refused = place.value().with(|value| matches!(value, Some(Err(_))));
        (is_refused, if is_refused { place.version().get() } else { 0 })
    });
    let data = Resource::new(move || refusals.get(), |_| pages::checkout());
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(placed)) = place.value().get() {
            navigate(&format!("/orders/{}", placed.order_id), NavigateOptions::default());
        }
    });
    loaded(data, move |checkout| show(checkout, place, form))
}

fn show(Checkout { cart, key }: Checkout, place: ServerAction<PlaceOrder>, form: FormState) -> AnyView {
    if cart.lines.is_empty() {
        return view! {
            <Page title="Checkout" class=NARROW>
                {refusal(form.error)}
                <Empty mark=icon("bag") title="Nothing to check out".into() text="Your cart is empty just now.".into()>
                    {way_on("/books", "Look through the books")}
                </Empty>
            </Page>
        }
        .into_any();
    }
    let total = cart.total.with(cart.currency).to_string();
    let expected = cart.total.get().to_string();
    let busy = move || form.is_pending.get().then_some("true");
    view! {
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
            {refusal(form.error)}
            {summary(&cart)}
            <ActionForm action=place attr:class="form">
                <input type="hidden" name="idempotency_key" value=key/>
                <input type="hidden" name="expected_total" value=expected/>
                {contact(form)}
                {address(form)}
                <div class="checkout__place">
                    <button class="button button--primary button--block" type="submit" aria-busy=busy>
                        {format!("Place order · {total}")}
                    </button>
                    <p class="small muted">"This holds your copies while you pay, on the next page."</p>
                </div>
            </ActionForm>
        </Page>
    }
    .into_any()
}

fn summary(cart: &CartView) -> AnyView {
    view! {
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
    .into_any()
}

/// Guests say where we can write to them.
fn contact(form: FormState) -> AnyView {
    if use_shop().account().is_some() {
        return ().into_any();
    }
    let help = Some("For news of this order. Nothing else.");
    let email = Field { kind: "email", help, ..Field::new("email", "E-mail", "email") };
    view! {
        <fieldset class="fieldset">
            <legend class="fieldset__legend">"How we reach you"</legend>
            {email.view(form, None)}
        </fieldset>
    }
    .into_any()
}

fn address(form: FormState) -> AnyView {
    let line2 = Field { is_optional: true, ..Field::new("line2", "Area or landmark", "address-line2") };
    let pin = Field { inputmode: Some("numeric"), ..Field::new("postcode", "PIN code", "postal-code") };
    let help = Some("Only for the courier.");
    let phone = Field { kind: "tel", inputmode: Some("tel"), help, ..Field::new("phone", "Phone", "tel") };
    let name = use_shop().account().map(|account| account.name);
    let countries = COUNTRIES.map(|(code, name)| view! { <option value=code>{name}</option> });
    view! {
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
                    <select class="select" id="country" name="country" autocomplete="country">{countries.collect_view()}</select>
                </div>
            </div>
            {phone.view(form, None)}
        </fieldset>
    }
    .into_any()
}
