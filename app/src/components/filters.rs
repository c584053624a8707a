//! By what a list behind the counter is narrowed: a plain form whose address is the state of the page.

use super::get_form::follow;
use crate::html::html;
use leptos::prelude::*;

/// `to`: the page of the list; `more`: what stands behind the button.
pub fn filters(
    to: &'static str,
    name: &'static str,
    fields: impl IntoView + 'static,
    more: impl IntoView + 'static,
) -> AnyView {
    html! {
        <form class="admin-filters" action=to method="get" role="search" aria-label=name on:submit=follow(to)>
            {fields.into_any()}
            <button class="button button--quiet" type="submit">"Show"</button>
            {more.into_any()}
        </form>
    }
}

pub fn search(name: &'static str, label: &'static str, value: &str) -> AnyView {
    field("field field--grow", name, label, |id| {
        html! { <input class="input" id=id name=name type="search" value=value.to_owned()/> }
    })
}

pub fn input(name: &'static str, label: &'static str, kind: &'static str, value: &str) -> AnyView {
    field("field", name, label, |id| {
        html! { <input class="input" id=id name=name type=kind value=value.to_owned() autocomplete="off"/> }
    })
}

/// `any`: what is chosen when nothing is; none of the choices if it is empty.
pub fn select(
    name: &'static str,
    label: &'static str,
    chosen: &str,
    any: &'static str,
    choices: impl IntoIterator<Item = (String, String)>,
) -> AnyView {
    let option = |(value, name): (String, String)| {
        let is_chosen = value == chosen;
        html! { <option value=value selected=is_chosen>{name}</option> }
    };
    let options = choices.into_iter().map(option).collect::<Vec<_>>();
    let any = (!any.is_empty()).then(|| html! { <option value="">{any}</option> });
    field("field", name, label, |id| html! { <select class="select" id=id name=name>{any}{options}</select> })
}

fn field(class: &'static str, name: &str, label: &'static str, input: impl FnOnce(String) -> AnyView) -> AnyView {
    let id = format!("f-{name}");
    html! { <div class=class><label class="field__label" for=id.clone()>{label}</label>{input(id)}</div> }
}
