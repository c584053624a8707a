//! What the people of the shop do with an order besides its steps: notes, another address, a message sent again.

use super::admin_desk::Desk;
use crate::{
    call::{Post, PostForm},
    components::{address::address, form::Input, icon::icon, notice::refusal},
    derived::Derived,
    effect::effect,
    html::{changing, html},
    shop::use_shop,
    when,
};
use domain::{
    Permission,
    address::Address,
    desk::{OrderDesk, Told},
    order::{OrderStatus as S, OrderView},
};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

const NOTE: &str = "order-note";

/// The forms of one order page, and what they last answered.
#[derive(Clone, Copy)]
pub struct Forms {
    note: Post,
    address: Post,
    resend: Post,
    order: Derived<OrderView>,
    desk: Desk,
    /// The change of the address that the form began with: it moves on with one's own changes only.
    seen: RwSignal<i64>,
    may_serve: bool,
}

impl Forms {
    pub fn new(order: Derived<OrderView>, desk: Desk) -> Self {
        let (note, resend) = (Post::new("admin/orders/note"), Post::new("admin/orders/resend"));
        let (address, live) = (Post::new("admin/orders/address"), use_shop().live);
        note.on_success(move |answer: OrderDesk| {
            desk.data.set(answer);
            let field = document().get_element_by_id(NOTE);
            if let Some(field) = field.and_then(|field| field.dyn_into::<web_sys::HtmlTextAreaElement>().ok()) {
                field.set_value("");
            }
        });
        resend.on_success(move |answer: OrderDesk| desk.data.set(answer));
        let seen = RwSignal::new(desk.data.with_untracked(|desk| desk.address_no));
        let is_mine = StoredValue::new(false);
        address.on_success(move |order: OrderView| {
            is_mine.set_value(true);
            live.set_order(order);
        });
        effect(move || {
            let number = desk.data.with(|desk| desk.address_no);
            if is_mine.get_value() && number != seen.get_untracked() {
                is_mine.set_value(false);
                seen.set(number);
            }
        });
        Self { note, address, resend, order, desk, seen, may_serve: use_shop().may(Permission::ServeOrders) }
    }

    fn id(self) -> String {
        self.order.with_untracked(|order| order.order_id.to_string())
    }

    /// Who buys, and where it goes.
    pub fn shopper(self) -> AnyView {
        let to = Derived::new(move || self.order.with(|order| order.address.clone()));
        let is_here = Derived::new(move || {
            self.order.with(|order| matches!(order.status, S::PaymentPending | S::Paid | S::Fulfilling))
        });
        let (email, placed_at, expires_at) =
            self.order.with_untracked(|order| (order.email.clone(), order.placed_at, order.expires_at));
        let orders = self.desk.data.with_untracked(|desk| desk.customer.orders);
        let all = format!("/admin/orders?customer={}", crate::next::encode(&email));
        let count = domain::words::counted(orders.unsigned_abs(), "order", "orders");
        html! {
            <section class="panel" aria-labelledby="as-h">
                <h2 class="panel__title" id="as-h">"Shopper"</h2>
                <dl class="facts">
                    <dt>"E-mail"</dt><dd>{email}</dd>
                    <dt>"All of theirs"</dt><dd><a href=all>{count}</a></dd>
                    <dt>"Placed"</dt><dd>{when::moment(placed_at)}</dd>
                    <dt>"Pay by"</dt><dd>{when::moment(expires_at)}</dd>
                </dl>
                {changing(move || address(to.get()))}
                {changing(move || (self.may_serve && is_here.get()).then(|| self.address_form(to.get_untracked())))}
            </section>
        }
    }

    fn address_form(self, now: Address) -> AnyView {
        let Address { name, line1, line2, city, state, postcode, country, phone } = now;
        let fields = [
            ("name", "Name", name),
            ("line1", "Street and house number", line1),
            ("line2", "Flat, floor, landmark", line2.unwrap_or_default()),
            ("city", "City", city),
            ("state", "State", state),
            ("postcode", "Postcode", postcode),
            ("phone", "Phone", phone),
        ];
        let fields = fields.map(|(name, label, value)| {
            let input = Input {
                name: name.to_owned(),
                label: label.to_owned(),
                kind: "text".to_owned(),
                autocomplete: "off".to_owned(),
                is_optional: name == "line2",
                value,
                ..Input::default()
            };
            input.view(self.address)
        });
        let error = self.address.error();
        let seen = move || self.seen.get().to_string();
        html! {
            <details class="admin-steps__cancel" open=untrack(error).is_some()>
                <summary>"Change the address"</summary>
                {refusal(error)}
                <PostForm to=self.address class="admin-steps__form">
                    <p class="muted">"The parcel goes there. The shopper is not told by this."</p>
                    <input type="hidden" name="order_id" value=self.id()/>
                    <input type="hidden" name="country" value=country/>
                    <input type="hidden" name="seen" value=seen/>
                    {Vec::from(fields)}
                    <button class="button" aria-busy=move || self.address.busy()>"Save the address"</button>
                </PostForm>
            </details>
        }
    }

    /// Nothing for whoever may not write any; the history shows them.
    pub fn notes(self) -> Option<AnyView> {
        self.may_serve.then(|| {
            html! {
                <section class="panel" aria-labelledby="ann-h">
                    <h2 class="panel__title" id="ann-h">"Notes"</h2>
                    <p class="muted">"They stand in the history; the shopper never sees them."</p>
                    {self.note_form()}
                </section>
            }
        })
    }

    fn note_form(self) -> AnyView {
        let (post, wrong) = (self.note, self.note.wrong("note"));
        let is_wrong = move || wrong.with(Option::is_some);
        let said = changing(move || {
            wrong
                .get()
                .map(|text| html! { <p class="field__error" id="note-error">{icon("alert")}<span>{text}</span></p> })
        });
        html! {
            <PostForm to=post class="admin-steps__form">
                {refusal(move || post.error()().filter(|error| error.fields.is_empty()))}
                <input type="hidden" name="order_id" value=self.id()/>
                <div class=move || if is_wrong() { "field field--error" } else { "field" }>
                    <label class="field__label" for=NOTE>"A note"</label>
                    <textarea class="input" id=NOTE name="note" rows="3" maxlength="1000" required=true
                        aria-invalid=move || is_wrong().then_some("true")
                        aria-describedby=move || is_wrong().then_some("note-error")
                        prop:value=post.typed("note").unwrap_or_default()></textarea>
                    {said}
                </div>
                <button class="button" aria-busy=move || post.busy()>"Keep the note"</button>
            </PostForm>
        }
    }

    /// What the shopper was told, and the same once more.
    pub fn messages(self) -> AnyView {
        let rows =
            move || self.desk.data.with(|desk| desk.messages.iter().map(|told| self.told(told)).collect::<Vec<_>>());
        changing(move || {
            self.desk.data.with(|desk| !desk.messages.is_empty()).then(|| {
                html! {
                    <section class="panel" aria-labelledby="am-h">
                        <h2 class="panel__title" id="am-h">"Told the shopper"</h2>
                        {refusal(self.resend.error())}
                        <ul class="desk-list">{rows()}</ul>
                    </section>
                }
            })
        })
    }

    fn told(self, told: &Told) -> AnyView {
        let (id, post) = (told.id.to_string(), self.resend);
        let by = if told.channel == "sms" { "short message" } else { "mail" };
        let again = self.may_serve.then(|| {
            let name = format!("Send “{}” again", told.what);
            html! {
                <PostForm to=post>
                    <input type="hidden" name="order_id" value=self.id()/>
                    <input type="hidden" name="message_id" value=id/>
                    <button class="link-button" aria-label=name aria-busy=move || post.busy()>"Send again"</button>
                </PostForm>
            }
        });
        html! {
            <li>
                <p>{told.what.clone()}</p>
                <p class="small muted">{format!("{}, by {by}", when::moment(told.at))}</p>
                {again}
            </li>
        }
    }
}
