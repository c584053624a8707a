//! Who did what behind the counter, with what was before and what is after.

use super::admin_orders::only_for;
use crate::{
    call::address,
    components::{admin_nav::AdminPage, get_form::follow, loaded::loaded, older::older},
    derived::Derived,
    html::html,
    shop::use_shop,
    when,
};
use domain::{
    Permission,
    people::{Actor, AuditEntry, AuditPage, Changed},
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

const PATH: &str = "/admin/audit";

#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    person: String,
    action: String,
    subject: String,
    before: String,
}

impl Wanted {
    fn read(params: &ParamsMap) -> Self {
        let text = |name: &str| params.get(name).unwrap_or_default().trim().to_owned();
        Self { person: text("person"), action: text("action"), subject: text("subject"), before: text("before") }
    }

    /// For people ([`PATH`]), or of the data.
    fn address(&self, path: &str) -> String {
        let Self { person, action, subject, before } = self;
        address(path, &[("person", person), ("action", action), ("subject", subject), ("before", before)])
    }
}

#[component]
pub fn AdminAuditPage() -> impl IntoView {
    if let Err(other) = only_for(Permission::ReadAudit, use_shop(), PATH) {
        return other;
    }
    let query = use_query_map();
    let wanted = Derived::new(move || query.with(Wanted::read));
    loaded(move || wanted.with(|wanted| wanted.address("admin/audit")), move |page| show(wanted.get_untracked(), page))
}

fn show(wanted: Wanted, page: AuditPage) -> AnyView {
    let first = (!wanted.before.is_empty()).then(|| Wanted { before: String::new(), ..wanted.clone() }.address(PATH));
    let next = page.next.map(|next| Wanted { before: next.to_string(), ..wanted.clone() }.address(PATH));
    let links = older(first, next);
    let filters = filters(wanted, page.people, page.actions);
    let body = if page.entries.is_empty() {
        html! { <p class="muted">"Nothing of the kind was done."</p> }
    } else {
        table(page.entries)
    };
    html! {
        <AdminPage title="Audit">
            <header class="page-head"><h1>"Who did what"</h1></header>
            {filters}{body}{links}
        </AdminPage>
    }
}

fn filters(wanted: Wanted, people: Vec<Actor>, actions: Vec<String>) -> AnyView {
    let people = people.into_iter().map(|actor| {
        let id = actor.account_id.to_string();
        let is_chosen = id == wanted.person;
        html! { <option value=id selected=is_chosen>{actor.name}</option> }
    });
    let actions = actions.into_iter().map(|action| {
        let (is_chosen, name) = (action == wanted.action, words(&action));
        html! { <option value=action selected=is_chosen>{name}</option> }
    });
    html! {
        <form class="admin-filters" action=PATH method="get" on:submit=follow(PATH)>
            <div class="field">
                <label class="field__label" for="au-p">"Person"</label>
                <select class="select" id="au-p" name="person">
                    <option value="">"Anybody"</option>{people.collect::<Vec<_>>()}
                </select>
            </div>
            <div class="field">
                <label class="field__label" for="au-a">"Action"</label>
                <select class="select" id="au-a" name="action">
                    <option value="">"Anything"</option>{actions.collect::<Vec<_>>()}
                </select>
            </div>
            <div class="field field--grow">
                <label class="field__label" for="au-s">"Order number, or e-mail of an account"</label>
                <input class="input" id="au-s" name="subject" type="search" value=wanted.subject/>
            </div>
            <button class="button button--quiet" type="submit">"Show"</button>
        </form>
    }
}

fn table(entries: Vec<AuditEntry>) -> AnyView {
    let rows = entries.into_iter().map(row).collect::<Vec<_>>();
    html! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Audit table">
            <table class="table admin-audit">
                <thead>
                    <tr>
                        <th scope="col">"At"</th><th scope="col">"Who"</th><th scope="col">"What"</th>
                        <th scope="col">"About"</th><th scope="col">"Before and after"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

fn row(entry: AuditEntry) -> AnyView {
    let who = entry.by.map(|actor| {
        html! { <a href=address(PATH, &[("person", &actor.account_id.to_string())])>{actor.name}</a>" " }
    });
    let (subject, about) = about(&entry.subject_kind, &entry.subject_id, entry.subject);
    let changes = entry.changes.into_iter().map(change).collect::<Vec<_>>();
    html! {
        <tr>
            <td class="nowrap"><time datetime=when::iso(entry.at)>{when::short(entry.at)}</time></td>
            <td>{who}<span class="small muted">{entry.role}</span></td>
            <th scope="row">{words(&entry.action)}</th>
            <td>{about}" "<a class="small" href=address(PATH, &[("subject", &subject)])>"all of it"</a></td>
            <td><dl class="admin-audit__changes">{changes}</dl></td>
        </tr>
    }
}

/// The text that finds all about the subject, and the way to it.
fn about(kind: &str, id: &str, name: Option<String>) -> (String, AnyView) {
    let page = match kind {
        "order" => Some(format!("/admin/orders/{id}")),
        "account" => Some(format!("/admin/customers/{id}")),
        "book" => Some(format!("/admin/books/{id}")),
        _ => None,
    };
    let name = name.unwrap_or_else(|| format!("{} {id}", words(kind)));
    let link = match page {
        Some(page) => html! { <a class="table__link" href=page>{name}</a> },
        None => html! { <span>{name}</span> },
    };
    (format!("{kind}:{id}"), link)
}

fn change(change: Changed) -> AnyView {
    let before = change.before.map(|text| html! { <del>{text}</del>" " });
    let after =
        change.after.map_or_else(|| html! { <span class="muted">"nothing"</span> }, |text| html! { <ins>{text}</ins> });
    html! { <div><dt>{words(&change.field)}</dt><dd>{before}{after}</dd></div> }
}

/// `order.ship` as words.
fn words(name: &str) -> String {
    let mut words = name.replace(['.', '_', '-'], " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_words() {
        assert_eq!(
            (words("order.ship"), words("typed_amount"), words("")),
            ("Order ship".into(), "Typed amount".into(), String::new())
        );
        assert_eq!(words("élan"), "élan");
    }
}
