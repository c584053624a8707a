//! A page made of a few plain forms, as the server describes it: settings of an account, a new password.

use crate::{
    api::sheet::{Form, Part, Sheet},
    call::{Post, address},
    components::{
        icon::icon,
        loaded::loaded,
        notice::{Tone, notice, refusal},
        page::{NARROW, Page, keep_out_of_search},
    },
    html::html,
};
use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_location};

#[component]
pub fn SheetPage() -> impl IntoView {
    keep_out_of_search();
    let here = use_location();
    let at = move || format!("{}?{}", here.pathname.get(), here.search.get().trim_start_matches('?'));
    loaded(move || address("page/sheet", &[("at", &at())]), show)
}

fn show(sheet: Sheet) -> AnyView {
    let Sheet { title, lede, back, done, parts, elsewhere } = sheet;
    if let Some(elsewhere) = elsewhere {
        return html! { <Redirect path=elsewhere/> };
    }
    let mut actions: Vec<&String> = parts.iter().flat_map(|part| &part.forms).map(|form| &form.action).collect();
    actions.dedup();
    let refusals = actions.into_iter().map(|action| refusal(Post::new(action).error())).collect::<Vec<_>>();
    let back = back.map(|(href, name)| {
        html! { <a class="page-head__back" href=href>{icon("left")}{format!(" {name}")}</a> }
    });
    html! {
        <Page title=title.clone() class=NARROW>
            <header class="page-head">
                {back}
                <h1>{title}</h1>
                {(!lede.is_empty()).then(|| html! { <p class="page-head__lede">{lede}</p> })}
            </header>
            {done.map(|done| notice(Tone::Good, done, ()))}
            {refusals}
            <div class="account">{parts.into_iter().map(part).collect::<Vec<_>>()}</div>
        </Page>
    }
}

fn part(part: Part) -> AnyView {
    let Part { title, lines, is_address, forms, links } = part;
    let lines = lines.into_iter().map(|line| match is_address {
        true => html! { {line}<br/> },
        false => html! { <p>{line}</p> },
    });
    let lines = lines.collect::<Vec<_>>();
    let lines = match is_address {
        true => html! { <address class="address">{lines}</address> },
        false => lines.into_any(),
    };
    let is_row = forms.iter().all(|form| form.is_small);
    let links = links.into_iter().map(|(href, name)| html! { <a class="button button--small" href=href>{name}</a> });
    let links = links.collect::<Vec<_>>();
    html! {
        <section class="panel account__part">
            {(!title.is_empty()).then(|| html! { <h2 class="panel__title">{title}</h2> })}
            {lines}
            <div class=if is_row { "actions" } else { "account__forms" }>
                {links}{forms.into_iter().map(form).collect::<Vec<_>>()}
            </div>
        </section>
    }
}

/// A plain form also with WASM: what it does shows on another page.
fn form(form: Form) -> AnyView {
    let Form { action, hidden, inputs, button, is_small } = form;
    let hidden = hidden.into_iter().map(|(name, value)| html! { <input type="hidden" name=name value=value/> });
    let hidden = hidden.collect::<Vec<_>>();
    let post = Post::new(action.clone());
    let class = if is_small { "button button--small button--quiet" } else { "button button--primary" };
    html! {
        <form class="form" action=format!("/api/{action}") method="post">
            {hidden}
            {(!inputs.is_empty()).then(|| html! {
                <div class="fields">{inputs.into_iter().map(|input| input.view(post)).collect::<Vec<_>>()}</div>
            })}
            <p><button class=class type="submit">{button}</button></p>
        </form>
    }
}
