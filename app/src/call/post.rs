//! Forms that change something: plain HTML forms, which the browser sends without leaving the page once WASM is there.

use super::{Answer, post, read};
use crate::derived::Derived;
use crate::effect::effect;
use crate::html::html;
use crate::shop::use_shop;
use domain::ApiError;
use leptos::{ev::SubmitEvent, form::form_data_from_event, prelude::*, task::spawn_local};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use wasm_bindgen::JsCast;

/// A server function that forms of this page send to, and what it last answered.
#[derive(Clone, Copy)]
pub struct Post {
    /// Like `account/login`.
    name: StoredValue<String>,
    answer: RwSignal<Option<Answer>>,
    is_pending: RwSignal<bool>,
    /// Of the same form sent without WASM: its refusal and what was typed.
    flashed: RwSignal<Option<ApiError>>,
    typed: StoredValue<BTreeMap<String, String>>,
}

impl Post {
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let flash = use_shop().flash(&name);
        let (typed, flashed) = flash.map(|flash| (flash.values, flash.error)).unwrap_or_default();
        Self {
            name: StoredValue::new(name),
            answer: RwSignal::new(None),
            is_pending: RwSignal::new(false),
            flashed: RwSignal::new(flashed),
            typed: StoredValue::new(typed),
        }
    }

    /// Runs with every answer that is no refusal.
    pub fn on_success<T: DeserializeOwned>(self, then: impl Fn(T) + 'static) {
        effect(move || {
            let read = self.answer.with(|answer| answer.as_ref()?.as_ref().ok().and_then(|text| read::<T>(text).ok()));
            if let Some(value) = read {
                then(value);
            }
        });
    }

    /// The last refusal.
    pub fn error(self) -> impl Fn() -> Option<ApiError> + Copy + Send + Sync + 'static {
        move || {
            self.answer.with(|answer| match answer {
                Some(Err(error)) => Some(error.0.clone()),
                Some(Ok(_)) => None,
                None => self.flashed.get(),
            })
        }
    }

    /// The last refusal has been dealt with.
    pub fn forget_error(self) {
        self.flashed.set(None);
        self.answer.set(None);
    }

    /// What is wrong with a field.
    pub fn wrong(self, field: impl Into<String>) -> Derived<Option<String>> {
        let (error, field) = (self.error(), field.into());
        Derived::new(move || error()?.fields.remove(&field))
    }

    /// What was typed into a field before the form was refused.
    pub fn typed(self, field: &str) -> Option<String> {
        self.typed.with_value(|typed| typed.get(field).cloned())
    }

    /// For `aria-busy` of buttons.
    pub fn busy(self) -> Option<&'static str> {
        self.is_pending.get().then_some("true")
    }

    fn send(self, event: &SubmitEvent) {
        event.prevent_default();
        self.go(body_of(event));
    }

    /// The same without a form. One sending at a time: a second click while the first is on its way is the same click.
    pub fn go(self, body: String) {
        if self.is_pending.get_untracked() {
            return;
        }
        self.is_pending.set(true);
        let name = self.name.get_value();
        spawn_local(async move {
            let answer = post(&name, body).await;
            // The page may be gone by now.
            self.is_pending.try_set(false);
            self.answer.try_set(Some(answer));
        });
    }

    fn url(self) -> String {
        self.name.with_value(|name| format!("/api/{name}"))
    }

    /// After a refusal that names fields, the cursor goes to the first of them.
    fn lead_to_wrong_field(self) {
        effect(move || {
            let names_fields =
                |answer: &Option<Answer>| matches!(answer, Some(Err(error)) if !error.0.fields.is_empty());
            if self.answer.with(names_fields) {
                request_animation_frame(|| {
                    let field = document().query_selector("[aria-invalid]").ok().flatten();
                    if let Some(field) = field.and_then(|field| field.dyn_into::<web_sys::HtmlElement>().ok()) {
                        let _ = field.focus();
                    }
                });
            }
        });
    }
}

/// The fields of a form, encoded.
fn body_of(event: &SubmitEvent) -> String {
    let data = form_data_from_event(event).ok();
    let params = data.and_then(|data| web_sys::UrlSearchParams::new_with_str_sequence_sequence(&data).ok());
    params.map(|params| String::from(params.to_string())).unwrap_or_default()
}

/// The form itself; works as it stands when there is no WASM. Buttons elsewhere on the page may name its `id`.
#[component]
pub fn PostForm(
    to: Post,
    #[prop(optional)] class: &'static str,
    #[prop(optional)] id: &'static str,
    children: Children,
) -> impl IntoView {
    let [class, id] = [class, id].map(|text| (!text.is_empty()).then_some(text));
    to.lead_to_wrong_field();
    html! {
        <form id=id class=class action=to.url() method="post" on:submit=move |event| to.send(&event)>{children()}</form>
    }
}
