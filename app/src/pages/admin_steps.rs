//! What an admin can do next with an order: exactly what the table of transitions allows.

use crate::{
    call::{Post, PostForm},
    components::{form::Field, icon::icon, notice::refusal},
    derived::Derived,
    html::{changing, html},
    shop::use_shop,
};
use domain::{
    order::{Cause, OrderStatus as S, OrderView},
    payment::PaymentStatus,
};
use leptos::prelude::*;

/// The forms of one order page, and what they last answered.
#[derive(Clone, Copy)]
pub struct Steps {
    fulfil: Post,
    ship: Post,
    deliver: Post,
    cancel: Post,
    order: Derived<OrderView>,
}

/// What the forms depend on: they stay as they are, with what was typed, while the order moves otherwise.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Scope {
    status: S,
    /// All the money of a paid order is on its way back: nothing is packed or sent any more.
    is_refunding: bool,
}

impl Steps {
    pub fn new(order: Derived<OrderView>) -> Self {
        let post = |name| {
            let post = Post::new(name);
            let live = use_shop().live;
            post.on_success(move |order: OrderView| live.set_order(order));
            post
        };
        Self {
            fulfil: post("admin/orders/fulfil"),
            ship: post("admin/orders/ship"),
            deliver: post("admin/orders/deliver"),
            cancel: post("admin/orders/cancel"),
            order,
        }
    }

    /// The panel; nothing when nothing is left to do.
    pub fn view(self) -> AnyView {
        let id = self.order.with_untracked(|order| order.order_id.to_string());
        let scope = Derived::new(move || {
            self.order.with(|order| {
                let is_paid = order.payments.iter().any(|payment| payment.status == PaymentStatus::Captured);
                Scope { status: order.status, is_refunding: order.status.is_sold() && !is_paid }
            })
        });
        changing(move || self.panel(scope.get(), &id))
    }

    fn panel(self, Scope { status, is_refunding }: Scope, id: &str) -> Option<AnyView> {
        let keeps = is_refunding && status != S::Shipped;
        let next = if keeps { going_back(status) } else { self.next(status, id) };
        let may_cancel = !is_refunding && status.may(S::Cancelled, Cause::AdminCancelled);
        let cancel = may_cancel.then(|| self.cancel_form(status, id.to_owned()));
        let answers = [self.fulfil, self.ship, self.deliver, self.cancel].map(|post| refusal(post.error()));
        (next.is_some() || cancel.is_some()).then(|| {
            html! {
                <section class="panel" aria-labelledby="an-h">
                    <h2 class="panel__title" id="an-h">"Next"</h2>
                    {Vec::from(answers)}
                    <div class="admin-steps">{next}{cancel}</div>
                </section>
            }
        })
    }

    fn next(self, status: S, id: &str) -> Option<AnyView> {
        if status.may(S::Fulfilling, Cause::FulfilmentStarted) {
            return Some(button(self.fulfil, id, "parcel", " Start packing"));
        }
        if status.may(S::Shipped, Cause::HandedToCarrier) {
            return Some(self.ship_form(id));
        }
        status.may(S::Delivered, Cause::Arrived).then(|| button(self.deliver, id, "home", " It has arrived"))
    }

    fn ship_form(self, id: &str) -> AnyView {
        let carrier = Field::new("carrier", "Carrier", "off").view(self.ship, None);
        let tracking = Field { is_optional: true, ..Field::new("tracking", "Tracking number", "off") };
        let (tracking, id, busy) = (tracking.view(self.ship, None), id.to_owned(), self.ship);
        html! {
            <PostForm to=self.ship class="admin-steps__form">
                <input type="hidden" name="order_id" value=id/>
                {carrier}{tracking}
                <button class="button button--primary" aria-busy=move || busy.busy()>{icon("truck")}" Hand to carrier"</button>
            </PostForm>
        }
    }

    fn cancel_form(self, status: S, id: String) -> AnyView {
        let help = match status {
            S::PaymentPending => "The copies go back on the shelf; nothing was charged.",
            _ => "The copies go back on the shelf, and the money goes back to the shopper.",
        };
        let reason = Field { help: Some("The shopper reads it."), ..Field::new("reason", "Reason", "off") };
        let (reason, busy) = (reason.view(self.cancel, None), self.cancel);
        html! {
            <details class="admin-steps__cancel">
                <summary>"Cancel this order"</summary>
                <PostForm to=self.cancel class="admin-steps__form">
                    <p class="muted">{help}</p>
                    <input type="hidden" name="order_id" value=id/>
                    {reason}
                    <button class="button" aria-busy=move || busy.busy()>{icon("x")}" Cancel the order"</button>
                </PostForm>
            </details>
        }
    }
}

/// Nothing for what was delivered.
fn going_back(status: S) -> Option<AnyView> {
    let words = "All the money of this order is on its way back, so it stays here.";
    (status != S::Delivered).then(|| html! { <p class="muted">{words}</p> })
}

fn button(to: Post, id: &str, mark: &'static str, words: &'static str) -> AnyView {
    let id = id.to_owned();
    html! {
        <PostForm to=to>
            <input type="hidden" name="order_id" value=id/>
            <button class="button button--primary" aria-busy=move || to.busy()>{icon(mark)}{words}</button>
        </PostForm>
    }
}
