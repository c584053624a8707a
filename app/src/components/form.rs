//! Fields of forms: label, value, help, and what is wrong, with and without WASM.

use super::icon::icon;
use crate::call::Post;
use crate::derived::Derived;
use crate::html::html;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// One labelled field of a form that a page writes itself.
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
        let input = Input {
            name: self.name.to_owned(),
            label: self.label.to_owned(),
            kind: self.kind.to_owned(),
            autocomplete: self.autocomplete.to_owned(),
            inputmode: self.inputmode.map(str::to_owned),
            help: self.help.map(str::to_owned),
            value: value.unwrap_or_default(),
            choices: Vec::new(),
            is_optional: self.is_optional,
            is_asked_later: false,
            is_half: false,
        };
        input.view(form)
    }
}

/// The same as the server says it, for forms that the browser knows nothing of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    pub name: String,
    pub label: String,
    /// Of the `<input>`, or `select`; a `checkbox` is ticked when its value is `on`.
    pub kind: String,
    pub autocomplete: String,
    pub inputmode: Option<String>,
    pub help: Option<String>,
    pub value: String,
    /// Values and their names: of a select, or proposed for a text.
    pub choices: Vec<(String, String)>,
    pub is_optional: bool,
    /// Needed only if another choice on the page says so: the server insists, the browser does not.
    pub is_asked_later: bool,
    /// Where there is room, two of them stand side by side.
    pub is_half: bool,
}

impl Input {
    pub fn view(self, form: Post) -> AnyView {
        let (wrong, typed) = (form.wrong(self.name.clone()), form.typed(&self.name));
        if self.kind == "checkbox" {
            let is_checked = typed.unwrap_or(self.value) == "on";
            return html! {
                <label class="check field--whole">
                    <input type="checkbox" name=self.name value="on" checked=is_checked/>{self.label}
                </label>
            };
        }
        let is_wrong = move || wrong.with(Option::is_some);
        let base = if self.is_half { "field" } else { "field field--whole" };
        let (help_id, error_id) = (format!("{}-help", self.name), format!("{}-error", self.name));
        let help = self.help.clone().map(|help| html! { <p class="field__help" id=help_id.clone()>{help}</p> });
        let error = {
            let error_id = error_id.clone();
            move || {
                wrong.get().map(|text| {
                    html! { <p class="field__error" id=error_id.clone()>{icon("alert")}<span>{text}</span></p> }
                })
            }
        };
        let described = {
            let help_id = self.help.is_some().then_some(help_id);
            move || if is_wrong() { Some(error_id.clone()) } else { help_id.clone() }
        };
        let (id, label, is_optional) = (self.name.clone(), self.label.clone(), self.is_optional);
        html! {
            <div class=move || format!("{base}{}", if is_wrong() { " field--error" } else { "" })>
                <label class="field__label" for=id>
                    {label}
                    {is_optional.then(|| html! { " "<span class="field__optional">"(optional)"</span> })}
                </label>
                {self.control(typed, wrong, described)}
                {help}
                {error}
            </div>
        }
    }

    /// Of a plain form that came back, the first wrong one has the cursor.
    fn control(
        self,
        typed: Option<String>,
        wrong: Derived<Option<String>>,
        described: impl Fn() -> Option<String> + Clone + Send + 'static,
    ) -> AnyView {
        let is_required = !self.is_optional && !self.is_asked_later;
        let Self { name, kind, autocomplete, inputmode, value, choices, .. } = self;
        let is_wrong = move || wrong.with(Option::is_some);
        let came_back_wrong = wrong.with_untracked(Option::is_some);
        let value = typed.unwrap_or(value);
        if kind == "select" {
            let choices = choices.into_iter().map(|(choice, name)| {
                let is_chosen = choice == value;
                html! { <option value=choice selected=is_chosen>{name}</option> }
            });
            return html! {
                <select class="select" id=name.clone() name=name autocomplete=autocomplete autofocus=came_back_wrong
                    required=is_required aria-invalid=move || is_wrong().then_some("true") aria-describedby=described>
                    {choices.collect::<Vec<_>>()}
                </select>
            };
        }
        let value = Some(value).filter(|value| kind != "password" && !value.is_empty());
        let list = (!choices.is_empty()).then(|| format!("{name}-list"));
        let proposed = list.clone().map(|list| {
            let choices = choices.into_iter().map(|(choice, _)| html! { <option value=choice></option> });
            html! { <datalist id=list>{choices.collect::<Vec<_>>()}</datalist> }
        });
        html! {
            <input class="input" id=name.clone() name=name type=kind value=value autocomplete=autocomplete
                inputmode=inputmode list=list autofocus=came_back_wrong required=is_required
                aria-invalid=move || is_wrong().then_some("true") aria-describedby=described/>
            {proposed}
        }
    }
}
