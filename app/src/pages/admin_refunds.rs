//! Refunds on the admin's page of an order: those there are, and a form for the next one.

use crate::{
    call::{Post, PostForm, address, get, read},
    components::{
        asked::{Yes, asked as ask},
        form::Field,
        icon::icon,
        notice::refusal,
        table::{Number, Text, table},
    },
    derived::Derived,
    html::{changing, html},
    shop::use_shop,
    when,
};
use domain::{
    ErrorCode, Minor, OrderId,
    order::{OrderStatus, OrderView},
    payment::{PaymentStatus, RefundStatus, RefundView},
};
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

const FORM: &str = "refund-form";
const AMOUNT: &str = "typed_amount";
const REASON: &str = "refund-reason";
const RESTOCK: &str = "refund-restock";

/// The forms of one order page, and what they last answered.
#[derive(Clone, Copy)]
pub struct Refunds {
    create: Post,
    retry: Post,
    order: Derived<OrderView>,
}

/// What the form depends on: it stays as it is, with what was typed, while the order moves otherwise.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Scope {
    /// `None`: no money came.
    left: Option<Minor>,
    /// Copies that could come back.
    copies: u32,
    is_here: bool,
    refunds: usize,
}

impl Scope {
    fn of(order: &OrderView) -> Self {
        let with = |status| order.payments.iter().find(move |payment| payment.status == status);
        let payment = with(PaymentStatus::Captured).or_else(|| with(PaymentStatus::Refunding));
        let counted = |refund: &&RefundView| refund.status != RefundStatus::Failed;
        let left = payment.map(|payment| {
            let of_it = order.refunds.iter().filter(|refund| refund.payment_id == payment.payment_id).filter(counted);
            Minor::new(payment.amount.get() - of_it.map(|refund| refund.amount.get()).sum::<i64>())
        });
        let are_out = order.status.is_sold() && !order.refunds.iter().any(|refund| refund.restocks);
        let copies = order.lines.iter().map(|line| line.quantity.get()).sum();
        Self {
            left,
            copies: if are_out { copies } else { 0 },
            is_here: matches!(order.status, OrderStatus::Paid | OrderStatus::Fulfilling),
            refunds: order.refunds.len(),
        }
    }
}

impl Refunds {
    pub fn new(order: Derived<OrderView>) -> Self {
        let (create, retry) = (Post::new("admin/refunds/create"), Post::new("admin/refunds/retry"));
        let (live, id) = (use_shop().live, order.with_untracked(|order| order.order_id.to_string()));
        create.on_success(move |_: RefundView| {
            empty_form();
            let address = address("admin/orders/get", &[("id", &id)]);
            spawn_local(async move {
                if let Ok(order) = get(address).await.and_then(|text| read(&text)) {
                    live.set_order(order);
                }
            });
        });
        retry.on_success(move |order: OrderView| live.set_order(order));
        Self { create, retry, order }
    }

    /// The panel; nothing for an order of which no money came.
    pub fn view(self) -> AnyView {
        let scope = Derived::new(move || self.order.with(Scope::of));
        changing(move || {
            let scope = scope.get();
            (scope.left.is_some() || scope.refunds > 0).then(|| {
                html! {
                    <section class="panel" aria-labelledby="ar-h">
                        <h2 class="panel__title" id="ar-h">"Refunds"</h2>
                        {refusal(self.retry.error())}
                        {move || self.order.with(|order| self.list(order))}
                        {scope.left.filter(|left| *left > Minor::ZERO).map(|left| self.form(scope, left))}
                    </section>
                }
            })
        })
    }

    fn list(self, order: &OrderView) -> Option<AnyView> {
        if order.refunds.is_empty() {
            return None;
        }
        let id = order.order_id.to_string();
        let rows = order.refunds.iter().map(|refund| self.row(refund, &id)).collect::<Vec<_>>();
        Some(table("Refunds table", "", &[Text("Reason"), Text("State"), Text("At"), Number("Amount")], rows))
    }

    fn row(self, refund: &RefundView, order: &str) -> AnyView {
        let by = refund.by.as_ref().map(|by| html! { <p class="small muted">{format!("By {by}")}</p> });
        let restocked = refund.restocks.then(|| html! { <p class="small muted">"Copies returned to stock"</p> });
        let trouble = refund.error.as_ref().map(|error| html! { <p class="small">{error.clone()}</p> });
        let is_stuck = refund.status == RefundStatus::Requested && refund.error.is_some();
        let (refund_id, order_id, retry) = (refund.refund_id.to_string(), order.to_owned(), self.retry);
        let again = is_stuck.then(|| {
            html! {
                <PostForm to=retry>
                    <input type="hidden" name="refund_id" value=refund_id/>
                    <input type="hidden" name="order_id" value=order_id/>
                    <button class="link-button" aria-busy=move || retry.busy()>"Ask the provider again"</button>
                </PostForm>
            }
        });
        html! {
            <tr>
                <th scope="row">{refund.reason.clone()}{by}{restocked}{trouble}{again}</th>
                <td>{state(refund.status)}</td>
                <td class="nowrap">{when::short(refund.created_at)}</td>
                <td class="num">{refund.amount.with(refund.currency).to_string()}</td>
            </tr>
        }
    }

    fn form(self, scope: Scope, left: Minor) -> AnyView {
        let (form, order) = (self.create, self.order);
        let (id, most) = order.with_untracked(|order| (order.order_id, left.with(order.currency).to_string()));
        // The same for every click and reload until the order moves.
        let key = move || order.with(|order| format!("refund-{id}-{}", order.version));
        let amount = Field {
            inputmode: Some("decimal"),
            is_optional: true,
            help: Some("Like 499 or 499.50. Empty: all that is left."),
            ..Field::new(AMOUNT, "Amount", "off")
        };
        let (amount, reason, restock) = (amount.view(form, None), reason(form), restock(form, scope));
        let error = form.error();
        let asked = Derived::new(move || error().filter(|error| error.code == ErrorCode::NeedsConfirmation));
        let refused = move || error().filter(|error| error.code != ErrorCode::NeedsConfirmation);
        let is_open = untrack(error).is_some();
        html! {
            <details class="admin-refund" id=FORM open=is_open>
                <summary>"Send money back"</summary>
                {refusal(refused)}
                <PostForm to=form class="admin-steps__form">
                    <p class="muted">{format!("At most {most}. It counts as refunded when the provider says so.")}</p>
                    <input type="hidden" name="order_id" value=id.to_string()/>
                    <input type="hidden" name="idempotency_key" value=key/>
                    <input type="hidden" name="ask" value="true"/>
                    {amount}{reason}{restock}
                    {changing(move || asked.get().map_or_else(|| first_button(form), |asked| ask(form, asked, yes(id), ())))}
                </PostForm>
            </details>
        }
    }
}

/// What was typed is sent: the next refund does not begin with it.
fn empty_form() {
    let input = |id| document().get_element_by_id(id).and_then(|input| input.dyn_into::<HtmlInputElement>().ok());
    for typed in [AMOUNT, REASON].into_iter().filter_map(input) {
        typed.set_value("");
    }
    if let Some(restock) = input(RESTOCK) {
        restock.set_checked(false);
    }
    if let Some(form) = document().get_element_by_id(FORM) {
        let _ = form.remove_attribute("open");
    }
}

fn first_button(form: Post) -> AnyView {
    html! { <button class="button" aria-busy=move || form.busy()>{icon("refund")}" Send it back"</button> }
}

fn yes(order: OrderId) -> Yes {
    Yes { label: "Yes, send it back", icon: "refund", id: "refund-asked", back: format!("/admin/orders/{order}") }
}

/// Not a [`Field`]: another form of this page has one of that name.
fn reason(form: Post) -> AnyView {
    let wrong = form.wrong("reason");
    let is_wrong = move || wrong.with(Option::is_some);
    html! {
        <div class=move || if is_wrong() { "field field--error" } else { "field" }>
            <label class="field__label" for=REASON>"Reason"</label>
            <input class="input" id=REASON name="reason" value=form.typed("reason") autocomplete="off" required=true
                aria-invalid=move || is_wrong().then_some("true")
                aria-describedby=move || if is_wrong() { "refund-reason-error" } else { "refund-reason-help" }/>
            <p class="field__help" id="refund-reason-help">"The shopper reads it."</p>
            {error_of(wrong, "refund-reason-error")}
        </div>
    }
}

/// Nothing when no copies are out.
fn restock(form: Post, scope: Scope) -> Option<AnyView> {
    let words = match scope.copies {
        0 => return None,
        1 => " The copy returns to stock".to_owned(),
        copies => format!(" The {copies} copies return to stock"),
    };
    let wrong = form.wrong("restock");
    let is_ticked = form.typed("restock").is_some();
    let help = scope
        .is_here
        .then(|| html! { <p class="field__help">"Before the parcel has left: only when all the money goes back."</p> });
    Some(html! {
        <div class=move || if wrong.with(Option::is_some) { "field field--error" } else { "field" }>
            <label class="check">
                <input type="checkbox" id=RESTOCK name="restock" value="true" checked=is_ticked
                    aria-describedby=move || wrong.with(Option::is_some).then_some("refund-restock-error")/>{words}
            </label>
            {help}
            {error_of(wrong, "refund-restock-error")}
        </div>
    })
}

fn error_of(wrong: Derived<Option<String>>, id: &'static str) -> AnyView {
    changing(move || {
        wrong.get().map(|text| html! { <p class="field__error" id=id>{icon("alert")}<span>{text}</span></p> })
    })
}

/// Icon, word and colour, as orders have them.
fn state(status: RefundStatus) -> AnyView {
    let (slug, mark) = match status {
        RefundStatus::Requested => ("payment-pending", "clock"),
        RefundStatus::Confirmed => ("refunded", "refund"),
        RefundStatus::Failed => ("failed", "alert"),
    };
    html! { <span class=format!("status status--{slug}")>{icon(mark)}{status.label()}</span> }
}
