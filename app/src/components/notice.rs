//! Short messages above the content.

use super::icon::icon;
use crate::html::{changing, html};
use domain::ApiError;
use leptos::prelude::*;

/// What a notice is about; bad ones interrupt a screen reader, others wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Warn,
    Bad,
}

pub fn notice(tone: Tone, title: impl Into<String>, body: impl IntoView + 'static) -> AnyView {
    let (class, mark, role) = match tone {
        Tone::Good => ("notice notice--good", "check", "status"),
        Tone::Warn => ("notice notice--warn", "info", "status"),
        Tone::Bad => ("notice notice--bad", "alert", "alert"),
    };
    html! {
        <div class="notices">
            <div class=class role=role>
                {icon(mark)}
                <div class="notice__body"><p class="notice__title">{title.into()}</p>{body.into_any()}</div>
            </div>
        </div>
    }
}

/// A refusal, when there is one.
pub fn refusal(error: impl Fn() -> Option<ApiError> + Send + 'static) -> AnyView {
    changing(move || error().map(|error| notice(Tone::Bad, error.message, ())))
}
