//! What payment providers said that does not fit the shop's books; nothing when there is nothing. Who may send money back may
//! also let it go, for a reason.

use crate::{
    AppError,
    call::{Post, PostForm, address, read, resource},
    components::{
        asked::{Yes, asked as ask},
        icon::icon,
        loaded::whole,
        notice::refusal,
        table::{Text, table},
    },
    derived::Derived,
    html::{changing, html},
    pages::error::error_page,
    shop::use_shop,
    when,
};
use domain::{
    ErrorCode, Permission,
    payment::{Quarantined, provider_title},
};
use leptos::prelude::*;

/// All of it, or what names this order. While Postgres is away, the page around it says so.
pub fn quarantine(order: Option<String>) -> AnyView {
    let order = order.unwrap_or_default();
    let data = resource(Derived::new(move || address("admin/payments/quarantined", &[("order_id", &order)])));
    let shown = move || {
        Suspend::new(async move {
            match data.await.0.and_then(|text| read(&text)) {
                Ok(events) => panel(events),
                Err(AppError(error)) if error.code == ErrorCode::NotReady => ().into_any(),
                Err(error) => error_page(error),
            }
        })
    };
    html! { <Transition>{whole(shown)}</Transition> }
}

fn panel(events: Vec<Quarantined>) -> AnyView {
    let events = RwSignal::new(events);
    let let_go = Post::new("admin/payments/let_go");
    // On an order's page only what names it was shown.
    let_go.on_success(move |left: Vec<Quarantined>| {
        events.update(|events| events.retain(|event| left.iter().any(|left| left.id == event.id)));
    });
    changing(move || events.with(|events| (!events.is_empty()).then(|| list(events, let_go))))
}

fn list(events: &[Quarantined], let_go: Post) -> AnyView {
    let rows = events.iter().cloned().map(row).collect::<Vec<_>>();
    let form = use_shop().may(Permission::Refund).then(|| form(events, let_go));
    html! {
        <section class="panel panel--apart" aria-labelledby="aq-h">
            <h2 class="panel__title" id="aq-h">"Payments to look at"</h2>
            <p class="muted">"A provider said something that does not fit our books. It was kept apart, and no order was paid by it."</p>
            {table("Payments to look at", "", &[Text("No."), Text("What is wrong"), Text("Provider"), Text("Event"), Text("Order"), Text("At")], rows)}
            {form}
        </section>
    }
}

fn row(event: Quarantined) -> AnyView {
    let order = event.order_id.zip(event.number).map(|(id, number)| {
        html! { <a class="table__link" href=format!("/admin/orders/{id}")>{number}</a> }
    });
    html! {
        <tr>
            <td class="num">{event.id}</td>
            <th scope="row">{sentence(&event.why)}</th>
            <td>{provider_title(&event.provider).to_owned()}</td>
            <td>{event.kind}</td>
            <td class="nowrap">{order}</td>
            <td class="nowrap">{when::short(event.received_at)}</td>
        </tr>
    }
}

/// Notes are written for logs, and begin small.
fn sentence(note: &str) -> String {
    let mut letters = note.chars();
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    first + letters.as_str()
}

fn form(events: &[Quarantined], post: Post) -> AnyView {
    let (error, wrong) = (post.error(), post.wrong("reason"));
    let asked = Derived::new(move || error().filter(|error| error.code == ErrorCode::NeedsConfirmation));
    let refused = move || error().filter(|error| error.code != ErrorCode::NeedsConfirmation);
    let chosen = post.typed("event_id");
    let choices = events.iter().map(move |event| {
        let (id, why) = (event.id.to_string(), sentence(&event.why));
        let is_chosen = chosen.as_deref() == Some(id.as_str());
        html! { <option value=id.clone() selected=is_chosen>{format!("{id}: {why}")}</option> }
    });
    let choices = choices.collect::<Vec<_>>();
    let is_wrong = move || wrong.with(Option::is_some);
    let said = changing(move || {
        wrong
            .get()
            .map(|text| html! { <p class="field__error" id="let-go-error">{icon("alert")}<span>{text}</span></p> })
    });
    html! {
        <details class="admin-refund" open=untrack(error).is_some()>
            <summary>"Let one of them go"</summary>
            {refusal(refused)}
            <PostForm to=post class="admin-steps__form">
                <p class="muted">"When you have dealt with it at the provider. The shop then stops telling of it."</p>
                <input type="hidden" name="ask" value="true"/>
                <div class="field">
                    <label class="field__label" for="let-go-event">"Which"</label>
                    <select class="select" id="let-go-event" name="event_id">{choices}</select>
                </div>
                <div class=move || if is_wrong() { "field field--error" } else { "field" }>
                    <label class="field__label" for="let-go-reason">"What became of it"</label>
                    <input class="input" id="let-go-reason" name="reason" autocomplete="off" required=true
                        value=post.typed("reason") aria-invalid=move || is_wrong().then_some("true")
                        aria-describedby=move || is_wrong().then_some("let-go-error")/>
                    {said}
                </div>
                {changing(move || asked.get().map_or_else(|| first_button(post), |asked| ask(post, asked, yes(), ())))}
            </PostForm>
        </details>
    }
}

fn first_button(post: Post) -> AnyView {
    html! { <button class="button" aria-busy=move || post.busy()>"Let it go"</button> }
}

fn yes() -> Yes {
    Yes { label: "Yes, let it go", icon: "check", id: "let-go-asked", back: "/admin/orders".to_owned() }
}
