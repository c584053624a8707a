//! Refunds on the admin's page of an order: those there are, and a form for the next one.

use crate::{
    call::{Post, PostForm},
    components::{form::Field, icon::icon, notice::refusal},
    html::html,
    when,
};
use domain::{Minor, order::OrderView, payment::PaymentStatus};
use leptos::prelude::*;

/// The panel; nothing for an order of which no money came.
pub fn refunds(order: &OrderView, form: Post) -> Option<AnyView> {
    use PaymentStatus as S;
    let holds_money = |status| matches!(status, S::Captured | S::Refunding);
    let can_refund = order.payments.iter().any(|payment| holds_money(payment.status));
    (can_refund || !order.refunds.is_empty()).then(|| {
        html! {
            <section class="panel" aria-labelledby="ar-h">
                <h2 class="panel__title" id="ar-h">"Refunds"</h2>
                {list(order)}
                {can_refund.then(|| create(order, form))}
            </section>
        }
        .into_any()
    })
}

fn list(order: &OrderView) -> Option<AnyView> {
    if order.refunds.is_empty() {
        return None;
    }
    let rows = order.refunds.iter().map(|refund| {
        let why = refund.error.clone().map(|error| html! { <p class="small">{error}</p> });
        let restocked = if refund.restocks { ", copies back on the shelf" } else { "" };
        html! {
            <tr>
                <th scope="row">{refund.reason.clone()}{restocked}{why}</th>
                <td>{refund.status.label()}</td>
                <td class="nowrap">{when::short(refund.created_at)}</td>
                <td class="num">{refund.amount.with(refund.currency).to_string()}</td>
            </tr>
        }
    });
    Some(html! {
        <div class="table-scroll">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Reason"</th><th scope="col">"State"</th>
                        <th scope="col">"At"</th><th scope="col" class="num">"Amount"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect::<Vec<_>>()}</tbody>
            </table>
        </div>
    })
}

fn create(order: &OrderView, form: Post) -> AnyView {
    let (id, all) = (order.order_id.to_string(), Minor::new(order.total.get()).with(order.currency).to_string());
    // The same for every click and reload until the order moves.
    let key = format!("refund-{id}-{}", order.version);
    let amount = Field {
        inputmode: Some("numeric"),
        is_optional: true,
        help: Some("In paise (cents). Empty: all that is left."),
        ..Field::new("amount", "Amount", "off")
    };
    let (amount, reason) = (amount.view(form, None), reason(form));
    let restock = order.status.is_sold().then(|| {
        html! {
            <label class="check">
                <input type="checkbox" name="restock" value="true"/>" The copies are back on the shelf"
            </label>
        }
    });
    html! {
        <details>
            <summary>"Send money back"</summary>
            {refusal(form.error())}
            <PostForm to=form>
                <p class="muted">{format!("The order costs {all}. It counts as refunded when the provider says so.")}</p>
                <input type="hidden" name="order_id" value=id/>
                <input type="hidden" name="idempotency_key" value=key/>
                {amount}{reason}{restock}
                <p><button class="button" aria-busy=move || form.busy()>{icon("refund")}" Send it back"</button></p>
            </PostForm>
        </details>
    }
}

/// Not a [`Field`]: another form of this page has one of that name.
fn reason(form: Post) -> AnyView {
    let wrong = form.wrong("reason");
    html! {
        <div class="field">
            <label class="field__label" for="refund-reason">"Reason"</label>
            <input class="input" id="refund-reason" name="reason" value=form.typed("reason") autocomplete="off" required=true
                aria-describedby="refund-reason-help"/>
            <p class="field__help" id="refund-reason-help">"The shopper reads it."</p>
            {move || wrong.get().map(|text| html! { <p class="field__error">{icon("alert")}<span>{text}</span></p> })}
        </div>
    }
    .into_any()
}
