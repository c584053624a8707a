//! Fields of forms: label, value, help, and what is wrong, with and without WASM.

use super::icon::icon;
use crate::call::Post;
use crate::html::html;
use leptos::prelude::*;

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
    pub fn view(self, form: Post, value: Option<String>) -> AnyView {
        let Self { name, label, kind, autocomplete, inputmode, help, is_optional } = self;
        let wrong = form.wrong(name);
        let is_wrong = move || wrong.with(Option::is_some);
        let value = form.typed(name).or(value).filter(|_| kind != "password");
        let (help_id, error_id) = (format!("{name}-help"), format!("{name}-error"));
        let described = {
            let (help_id, error_id) = (help.map(|_| help_id.clone()), error_id.clone());
            move || if is_wrong() { Some(error_id.clone()) } else { help_id.clone() }
        };
        html! {
            <div class=move || if is_wrong() { "field field--error" } else { "field" }>
                <label class="field__label" for=name>
                    {label}
                    {is_optional.then(|| html! { " "<span class="field__optional">"(optional)"</span> })}
                </label>
                <input class="input" id=name name=name type=kind value=value autocomplete=autocomplete
                    required=!is_optional inputmode=inputmode
                    aria-invalid=move || is_wrong().then_some("true") aria-describedby=described/>
                {help.map(|help| html! { <p class="field__help" id=help_id>{help}</p> })}
                {move || wrong.get().map(|text| html! {
                    <p class="field__error" id=error_id.clone()>{icon("alert")}<span>{text}</span></p>
                })}
            </div>
        }
    }
}
