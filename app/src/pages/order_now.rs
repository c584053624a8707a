//! Where an order stands, in one plain sentence, with what can be done about it.

use super::order_money::Money;
use crate::{
    call::{Post, PostForm},
    components::{
        icon::icon,
        notice::refusal,
        order_after::buy_again,
        ring::{Countdown, waiting_ring},
    },
    derived::Derived,
    html::html,
    shop::use_shop,
    when,
};
use domain::{
    order::{OrderStatus as S, OrderView},
    payment::{PaymentStarted, PaymentStatus},
};
use leptos::prelude::*;

/// The states that look different; the countdown is not built anew while one lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Reserving,
    Cancelling,
    ToPay,
    Confirming,
    Settled { status: S, money: Money },
}

fn look(order: &OrderView, is_paying: bool) -> Look {
    let is_under_way = |status: PaymentStatus| matches!(status, PaymentStatus::Open | PaymentStatus::Captured);
    let last = order.payments.iter().max_by_key(|payment| payment.created_at);
    match order.status {
        S::Pending | S::PaymentPending if order.cancel_asked => Look::Cancelling,
        S::Pending => Look::Reserving,
        S::PaymentPending if is_paying && last.is_some_and(|last| is_under_way(last.status)) => Look::Confirming,
        S::PaymentPending => Look::ToPay,
        status => Look::Settled { status, money: Money::of(order) },
    }
}

pub fn order_now(order: Derived<OrderView>, is_paying: Derived<bool>, cancel: Post) -> AnyView {
    let look = Derived::new(move || order.with(|order| look(order, is_paying.get())));
    let pay = Post::new("payments/init");
    pay.on_success(|started: PaymentStarted| {
        let _ = window().location().set_href(&started.redirect_url);
    });
    let class = move || format!("order-now order-now--{}", modifier(look.get()));
    html! {
        {refusal(pay.error())}
        <section class=class aria-live="polite">
            {move || {
                let order = order.get_untracked();
                match look.get() {
                    Look::Reserving => reserving(),
                    Look::Cancelling => cancelling(),
                    Look::Confirming => confirming(&order),
                    Look::ToPay => to_pay(order, pay, cancel),
                    Look::Settled { status, money } => settled(status, money, &order),
                }
            }}
        </section>
    }
}

const fn modifier(look: Look) -> &'static str {
    match look {
        Look::Reserving | Look::Cancelling => "pending",
        Look::ToPay => "payment-pending",
        Look::Confirming => "confirming",
        Look::Settled { status: S::Failed, .. } => "failed",
        Look::Settled { status, money } if money.leaves(status) => "ended",
        Look::Settled { status: S::Cancelled | S::Expired | S::Refunded, .. } => "ended",
        Look::Settled { .. } => "paid",
    }
}

fn sentence(mark: AnyView, title: String, more: AnyView) -> AnyView {
    html! {
        {mark}
        <div class="order-now__text"><h1 class="order-now__sentence">{title}</h1>{more}</div>
    }
}

fn seal(name: &'static str) -> AnyView {
    html! { <div class="order-now__seal">{icon(name)}</div> }
}

fn muted(text: &'static str) -> AnyView {
    html! { <p class="muted">{text}</p> }
}

/// Without scripts a page cannot follow by itself. As text, because a browser with scripts does not parse what is inside.
fn look_again() -> AnyView {
    html! { <noscript inner_html="<p><a href=\"\">Look again</a></p>"></noscript> }
}

fn reserving() -> AnyView {
    let more = html! {
        <p class="muted">"This takes a moment. You can leave this page open; it follows by itself."</p>
        {look_again()}
    };
    sentence(waiting_ring("reserving"), "Your copies are being reserved.".into(), more)
}

fn cancelling() -> AnyView {
    sentence(waiting_ring("cancelling"), "Your order is being cancelled.".into(), muted("Nothing will be charged."))
}

fn confirming(order: &OrderView) -> AnyView {
    let again = format!("/orders/{}", order.order_id);
    let more = html! {
        <p class="muted">"Usually a few seconds; if no word comes, we ask the bank ourselves. There is no need to pay again."</p>
        <p class="small"><a href=again>"I have not paid yet"</a></p>
        {look_again()}
    };
    sentence(waiting_ring("confirming"), "We are waiting for the bank to confirm your payment.".into(), more)
}

fn to_pay(order: OrderView, pay: Post, cancel: Post) -> AnyView {
    let copies: u32 = order.lines.iter().map(|line| line.quantity.get()).sum();
    let held = if copies == 1 { "Your copy is".to_owned() } else { format!("Your {copies} copies are") };
    let title = format!("{held} held until {} (India). Pay by then and they are yours.", when::clock(order.expires_at));
    let title = if copies == 1 { title.replace("they are yours", "it is yours") } else { title };
    let id = order.order_id.to_string();
    let amount = order.total.with(order.currency).to_string();
    let cancelled = id.clone();
    let buttons = use_shop().providers().into_iter().map(|provider| {
        let words = format!(" Pay {amount} with {}", provider_name(&provider));
        let id = id.clone();
        html! {
            <PostForm to=pay>
                <input type="hidden" name="order_id" value=id/>
                <input type="hidden" name="provider" value=provider/>
                <button class="button button--primary button--block"
                    aria-busy=move || pay.busy()>{icon("lock")}{words}</button>
            </PostForm>
        }
    });
    let more = html! {
        <div class="order-now__pay">
            {buttons.collect::<Vec<_>>()}
            <PostForm to=cancel>
                <input type="hidden" name="order_id" value=cancelled/>
                <button class="link-button">"Cancel this order"</button>
            </PostForm>
        </div>
        <p class="muted">"Otherwise what you chose goes back on the shelf, and nothing is charged."</p>
    };
    let ring = html! { <Countdown order/> };
    sentence(ring, title, more)
}

/// As the button says it: "Pay ₹499 with …".
fn provider_name(provider: &str) -> String {
    match provider {
        "sandbox" => "Sandbox Pay",
        "stripe" => "card (Stripe)",
        "razorpay" => "UPI, card or netbanking (Razorpay)",
        other => other,
    }
    .to_owned()
}

fn settled(status: S, money: Money, order: &OrderView) -> AnyView {
    let (mark, title) = match money.leaves(status) {
        true => ("refund", "Your money is on its way back."),
        false => outcome(status),
    };
    let texts = money.sentences(status, order).into_iter().map(|text| html! { <p class="muted">{text}</p> });
    let (href, words) = match status {
        S::Failed | S::Pending | S::PaymentPending => ("/cart", "Back to the cart"),
        S::Expired | S::Cancelled | S::Refunded => ("/books", "Look through the books"),
        S::Paid | S::Fulfilling | S::Shipped | S::Delivered => ("/books", "Find the next one"),
    };
    // Whoever came too late most likely still wants the books.
    let again = matches!(status, S::Expired | S::Cancelled).then(|| buy_again(order));
    let more = html! {
        {texts.collect::<Vec<_>>()}
        <div class="actions">{again}<a class="button" href=href>{words}</a></div>
    };
    sentence(seal(mark), title.into(), more)
}

/// Icon and sentence of an order that waits for nothing more from the shopper.
const fn outcome(status: S) -> (&'static str, &'static str) {
    match status {
        S::Paid => ("check", "Paid. Your books are yours."),
        S::Fulfilling => ("parcel", "Paid, and being packed."),
        S::Shipped => ("truck", "Your parcel is on its way."),
        S::Delivered => ("home", "Your parcel has arrived."),
        S::Expired => ("hourglass", "The time to pay ran out, so your copies went back on the shelf."),
        S::Cancelled => ("x", "This order was cancelled, and its copies went back on the shelf."),
        S::Refunded => ("refund", "The money is back with you."),
        S::Failed | S::Pending | S::PaymentPending => {
            ("alert", "We could not reserve your copies; someone was a moment faster.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_have_names() {
        assert_eq!(provider_name("sandbox"), "Sandbox Pay");
        assert_eq!(provider_name("stripe"), "card (Stripe)");
        assert_eq!(provider_name("razorpay"), "UPI, card or netbanking (Razorpay)");
        assert_eq!(provider_name("else"), "else");
    }
}
