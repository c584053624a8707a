//! Forms: what was refused, what was typed, and fields that show both, with and without WASM.

use super::icon::icon;
use crate::{AppError, shop::use_shop};
use domain::ApiError;
use leptos::{prelude::*, server_fn::ServerFn};
use std::collections::BTreeMap;

/// What a form knows about its last sending.
#[derive(Clone, Copy)]
pub struct FormState {
    pub error: Signal<Option<ApiError>>,
    pub is_pending: Signal<bool>,
    typed: StoredValue<BTreeMap<String, String>>,
}

impl FormState {
    /// `name`: the form's server function, like `account/login`.
    pub fn new<S>(action: ServerAction<S>, name: &'static str) -> Self
    where
        S: ServerFn<Error = AppError> + Clone + Send + Sync + 'static,
        S::Output: Send + Sync + 'static,
    {
        let flash = use_shop().flash(name);
        let typed = StoredValue::new(flash.as_ref().map(|flash| flash.values.clone()).unwrap_or_default());
        let flashed = StoredValue::new(flash.map(|flash| flash.error));
        let (value, pending) = (action.value(), action.pending());
        let error = Signal::derive(move || {
            value.with(|value| match value {
                Some(Err(error)) => Some(error.0.clone()),
                Some(Ok(_)) => None,
                None => flashed.get_value(),
            })
        });
        Self { error, is_pending: pending.into(), typed }
    }

    /// What was typed into a field before the form was refused.
    pub fn typed(self, name: &str) -> Option<String> {
        self.typed.with_value(|typed| typed.get(name).cloned())
    }

    fn wrong(self, name: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || self.error.with(|error| error.as_ref()?.fields.get(name).cloned()))
    }
}

/// One labelled field.
#[derive(Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub kind: &'static str,
    pub autocomplete: &'static str,
    pub inputmode: Option<&'static str>,
    pub help: Option<&'static str>,
    pub is_optional: bool,
}

impl Field {
    pub const fn new(name: &'static str, label: &'static str, autocomplete: &'static str) -> Self {
        Self { name, label, kind: "text", autocomplete, inputmode: None, help: None, is_optional: false }
    }

    /// `value`: what stands in it at first; what was typed before wins.
    pub fn view(self, form: FormState, value: Option<String>) -> AnyView {
        let Self { name, label, kind, autocomplete, inputmode, help, is_optional } = self;
        let wrong = form.wrong(name);
        let is_wrong = move || wrong.with(Option::is_some);
        let value = form.typed(name).or(value).filter(|_| kind != "password");
        let (help_id, error_id) = (format!("{name}-help"), format!("{name}-error"));
        let described = {
            let (help_id, error_id) = (help.map(|_| help_id.clone()), error_id.clone());
            move || if is_wrong() { Some(error_id.clone()) } else { help_id.clone() }
        };
        view! {
            <div class=move || if is_wrong() { "field field--error" } else { "field" }>
                <label class="field__label" for=name>
                    {label}
                    {is_optional.then(|| view! { " "<span class="field__optional">"(optional)"</span> })}
                </label>
                <input class="input" id=name name=name type=kind value=value autocomplete=autocomplete
                    required=!is_optional inputmode=inputmode
                    aria-invalid=move || is_wrong().then_some("true") aria-describedby=described/>
                {help.map(|help| view! { <p class="field__help" id=help_id>{help}</p> })}
                {move || wrong.get().map(|text| view! {
                    <p class="field__error" id=error_id.clone()>{icon("alert")}<span>{text}</span></p>
                })}
            </div>
        }
        .into_any()
    }
}
