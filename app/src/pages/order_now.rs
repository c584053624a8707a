//! Where an order stands, in one plain sentence, with what can be done about it.

use crate::{
    call::{Post, PostForm},
    components::{
        icon::icon,
        notice::refusal,
        ring::{Countdown, waiting_ring},
    },
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
    Settled(S),
}

fn look(order: &OrderView, is_paying: bool) -> Look {
    let is_under_way = |status: PaymentStatus| matches!(status, PaymentStatus::Open | PaymentStatus::Captured);
    let last = order.payments.iter().max_by_key(|payment| payment.created_at);
    match order.status {
        status if status.holds_copies() && order.cancel_asked => {
            let _ = status;
            Look::Cancelling
        }
        S::Pending => Look::Reserving,
        S::PaymentPending if is_paying && last.is_some_and(|last| is_under_way(last.status)) => Look::Confirming,
        S::PaymentPending => Look::ToPay,
        status => Look::Settled(status),
    }
}

pub fn order_now(order: Memo<OrderView>, is_paying: Memo<bool>, cancel: Post) -> AnyView {
    let look = Memo::new(move |_| order.with(|order| look(order, is_paying.get())));
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
                    Look::Settled(status) => settled(status, &order),
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
        Look::Settled(S::Failed) => "failed",
        Look::Settled(S::Cancelled | S::Expired | S::Refunded) => "ended",
        Look::Settled(_) => "paid",
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

fn reserving() -> AnyView {
    let more = muted("This takes a moment. You can leave this page open; it follows by itself.");
    sentence(waiting_ring("reserving"), "Your copies are being reserved.".into(), more)
}

fn cancelling() -> AnyView {
    sentence(waiting_ring("cancelling"), "Your order is being cancelled.".into(), muted("Nothing will be charged."))
}

fn confirming(order: &OrderView) -> AnyView {
    let again = format!("/orders/{}", order.order_id);
    let more = html! {
        <p class="muted">"Usually a few seconds. There is nothing more to do, and no need to pay again."</p>
        <p class="small"><a href=again>"I have not paid yet"</a></p>
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
        <p class="muted">"After that they go back on the shelf, and nothing is charged."</p>
        <div class="order-now__pay">
            {buttons.collect::<Vec<_>>()}
            <PostForm to=cancel>
                <input type="hidden" name="order_id" value=cancelled/>
                <button class="link-button">"Cancel this order"</button>
            </PostForm>
        </div>
    };
    let ring = html! { <Countdown order/> };
    sentence(ring, title, more)
}

fn provider_name(provider: &str) -> String {
    match provider {
        "sandbox" => "Sandbox Pay".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}

fn settled(status: S, order: &OrderView) -> AnyView {
    let amount = order.total.with(order.currency).to_string();
    let way = |href: &'static str, words: &'static str| {
        html! { <p class="actions"><a class="button" href=href>{words}</a></p> }
    };
    let (mark, title, text, way) = match status {
        S::Paid => (
            "check",
            "Paid. Your books are yours.",
            format!("{amount} reached us. We pack them next."),
            way("/books", "Find the next one"),
        ),
        S::Fulfilling => {
            ("parcel", "Paid, and being packed.", format!("{amount} reached us."), way("/books", "Find the next one"))
        }
        S::Shipped => ("truck", "Your parcel is on its way.", String::new(), way("/books", "Find the next one")),
        S::Delivered => {
            ("home", "Your parcel has arrived.", "Good reading.".into(), way("/books", "Find the next one"))
        }
        S::Expired => (
            "hourglass",
            "The time to pay ran out, so your copies went back on the shelf.",
            "Nothing was charged. If they are still there, you can order them again.".into(),
            way("/books", "Look around"),
        ),
        S::Cancelled => (
            "x",
            "This order was cancelled, and its copies went back on the shelf.",
            "If you had paid, the money is on its way back.".into(),
            way("/books", "Look through the books"),
        ),
        S::Refunded => (
            "refund",
            "The money is back with you.",
            format!("{amount} went back the way it came."),
            way("/books", "Look around"),
        ),
        S::Failed | S::Pending | S::PaymentPending => (
            "alert",
            "We could not reserve your copies; someone was a moment faster.",
            "Nothing was charged, and your books are back in the cart.".into(),
            way("/cart", "Back to the cart"),
        ),
    };
    let text = (!text.is_empty()).then(|| html! { <p class="muted">{text}</p> });
    sentence(seal(mark), title.into(), html! { {text}{way} })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_have_names() {
        assert_eq!(provider_name("sandbox"), "Sandbox Pay");
        assert_eq!(provider_name("stripe"), "Stripe");
        assert_eq!(provider_name(""), "");
    }
}
