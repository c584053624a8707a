//! A second word before something is done: the consequence, as the server names it, and the button that brings it about.

use super::{
    icon::icon,
    notice::{Tone, notice},
    page::focus_once_shown,
};
use crate::{call::Post, html::html};
use domain::ApiError;
use leptos::{ev::MouseEvent, prelude::*};

/// The button, and the way back from the question.
pub struct Yes {
    pub label: &'static str,
    pub icon: &'static str,
    /// Of the question on its page.
    pub id: &'static str,
    /// The page without the question, for browsers without scripts.
    pub back: String,
}

/// Stands in the form that was refused with `needs_confirmation`; `also`: what else the form has to send.
pub fn asked(post: Post, refusal: ApiError, yes: Yes, also: impl IntoView + 'static) -> AnyView {
    focus_once_shown(yes.id);
    let mark = refusal.fields.get("agreed").cloned();
    let not_now = move |event: MouseEvent| {
        event.prevent_default();
        post.forget_error();
    };
    let buttons = html! {
        {also.into_any()}
        <div class="actions">
            <button class="button button--primary" name="agreed" value=mark aria-busy=move || post.busy()>
                {icon(yes.icon)}" "{yes.label}
            </button>
            <a class="button button--quiet" href=yes.back on:click=not_now>"Not now"</a>
        </div>
    };
    html! { <div class="asked" id=yes.id tabindex="-1">{notice(Tone::Warn, refusal.message, buttons)}</div> }
}
