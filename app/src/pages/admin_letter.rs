//! One dead letter: all that belongs to it, and the two ways on.

use super::{admin_orders::only_for, admin_work::kind};
use crate::{
    call::{Post, PostForm, address},
    components::{
        admin_nav::AdminPage,
        asked::{Yes, asked as ask},
        form::Field,
        icon::icon,
        loaded::loaded,
        notice::{Tone, notice, refusal},
    },
    derived::Derived,
    html::{changing, html},
    shop::use_shop,
    when,
};
use domain::{ErrorCode, Permission, work::LetterView};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

#[component]
pub fn AdminLetterPage() -> impl IntoView {
    let params = use_params_map();
    let id = Derived::new(move || params.with(|params| params.get("id")).unwrap_or_default());
    let path = format!("/admin/work/letters/{}", id.get_untracked());
    if let Err(other) = only_for(Permission::ReadWork, use_shop(), &path) {
        return other;
    }
    loaded(move || id.with(|id| address("admin/work/letter", &[("id", id)])), show)
}

fn show(letter: LetterView) -> AnyView {
    let title = format!("Dead letter {}", letter.row.id);
    let letter = RwSignal::new(letter);
    let (retry, discard) = (Post::new("admin/work/retry"), Post::new("admin/work/discard"));
    for post in [retry, discard] {
        post.on_success(move |now: LetterView| letter.set(now));
    }
    let may_run = use_shop().may(Permission::RunWork);
    let heading = title.clone();
    let discard_error = discard.error();
    let refused = move || discard_error().filter(|error| error.code != ErrorCode::NeedsConfirmation);
    let state = Derived::new(move || letter.with(|letter| letter.state.clone()));
    html! {
        <AdminPage title=title>
            <header class="page-head">
                <a class="page-head__back" href="/admin/work">{icon("left")}" Work"</a>
                <h1>{heading}</h1>
            </header>
            {refusal(retry.error())}{refusal(refused)}
            <div class="admin-order">
                <div class="order__side">{move || letter.with(facts)}</div>
                <div class="order__side">
                    {changing(move || {
                        let is_parked = state.with(|state| state == "parked");
                        let letter = letter.get_untracked();
                        if is_parked && may_run { Some(ways_on(&letter, retry, discard)) } else { ended(&letter) }
                    })}
                </div>
            </div>
        </AdminPage>
    }
}

fn facts(letter: &LetterView) -> AnyView {
    let row = &letter.row;
    let at = |at: Option<domain::UnixMillis>| at.map_or_else(|| "unknown".to_owned(), when::moment);
    html! {
        <section class="panel" aria-label="What it is">
            <dl class="facts">
                <dt>"From"</dt><dd>{kind(&row.source).to_owned()}</dd>
                <dt>"About"</dt><dd class="admin-work__key">{row.key.clone()}</dd>
                <dt>"Attempts"</dt><dd>{row.attempts}</dd>
                <dt>"First failure"</dt><dd>{at(row.first_failed_at)}</dd>
                <dt>"Last failure"</dt><dd>{at(row.last_failed_at)}</dd>
                <dt>"Given up"</dt><dd>{when::moment(row.parked_at)}</dd>
            </dl>
        </section>
        <section class="panel" aria-labelledby="al-e">
            <h2 class="panel__title" id="al-e">"Error"</h2>
            <p class="admin-work__error">{row.error.clone()}</p>
        </section>
        <section class="panel" aria-labelledby="al-p">
            <h2 class="panel__title" id="al-p">"Payload"</h2>
            <pre class="admin-work__payload" tabindex="0">{letter.payload.clone()}</pre>
        </section>
    }
}

fn ended(letter: &LetterView) -> Option<AnyView> {
    let at = letter.ended_at.map(when::moment).unwrap_or_default();
    let (words, more) = match letter.state.as_str() {
        "retried" => (format!("Tried again, {at}"), None),
        "discarded" => (format!("Let go, {at}"), letter.reason.clone()),
        _ => return None,
    };
    Some(notice(Tone::Good, words, more.map(|reason| html! { <p>{reason}</p> })))
}

fn ways_on(letter: &LetterView, retry: Post, discard: Post) -> AnyView {
    let id = letter.row.id.to_string();
    let again = match letter.may_retry {
        true => {
            let id = id.clone();
            html! {
                <PostForm to=retry>
                    <p class="muted">"It goes back to where it came from, with ten fresh attempts."</p>
                    <input type="hidden" name="id" value=id/>
                    <button class="button button--primary" aria-busy=move || retry.busy()>{icon("refund")}" Try again"</button>
                </PostForm>
            }
        }
        false => {
            html! { <p class="muted">"There is nothing to try again: this order has ended, and its copies are back on sale."</p> }
        }
    };
    let reason = Field {
        help: Some("Kept with the letter, and in the audit log."),
        ..Field::new("reason", "Why it may go", "off")
    };
    let reason = reason.view(discard, None);
    let error = discard.error();
    let asked = Derived::new(move || error().filter(|error| error.code == ErrorCode::NeedsConfirmation));
    let is_open = untrack(error).is_some();
    html! {
        <section class="panel" aria-labelledby="al-n">
            <h2 class="panel__title" id="al-n">"Next"</h2>
            <div class="admin-steps">
                {again}
                <details class="admin-steps__cancel" open=is_open>
                    <summary>"Let it go"</summary>
                    <PostForm to=discard class="admin-steps__form">
                        <input type="hidden" name="id" value=id.clone()/>
                        <input type="hidden" name="ask" value="true"/>
                        {reason}
                        {changing(move || asked.get().map_or_else(|| first_button(discard), |asked| ask(discard, asked, yes(&id), ())))}
                    </PostForm>
                </details>
            </div>
        </section>
    }
}

fn first_button(form: Post) -> AnyView {
    html! { <button class="button" aria-busy=move || form.busy()>{icon("trash")}" Let it go"</button> }
}

fn yes(letter: &str) -> Yes {
    Yes { label: "Yes, let it go", icon: "trash", id: "letter-asked", back: format!("/admin/work/letters/{letter}") }
}
