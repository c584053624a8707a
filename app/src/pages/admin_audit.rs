//! Who did what behind the counter, with what was before and what is after.

use super::admin_orders::only_for;
use crate::{
    call::address,
    components::{
        admin_nav::AdminPage,
        filters::{filters, search, select},
        loaded::loaded,
        older::older,
        table::{Text, table},
    },
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
    let filters = narrow(&wanted, page.people, page.actions);
    let body = if page.entries.is_empty() {
        html! { <p class="muted">"Nothing of the kind was done."</p> }
    } else {
        list(page.entries)
    };
    html! {
        <AdminPage title="Audit">
            <header class="page-head"><h1>"Who did what"</h1></header>
            {filters}{body}{links}
        </AdminPage>
    }
}

fn narrow(wanted: &Wanted, people: Vec<Actor>, actions: Vec<String>) -> AnyView {
    let people = people.into_iter().map(|actor| (actor.account_id.to_string(), actor.name));
    let actions = actions.into_iter().map(|action| (action.clone(), words(&action)));
    let fields = [
        select("person", "Person", &wanted.person, "Anybody", people),
        select("action", "Action", &wanted.action, "Anything", actions),
        search("subject", "Order number, or e-mail of an account", &wanted.subject),
    ];
    filters(PATH, "Audit", Vec::from(fields), ())
}

fn list(entries: Vec<AuditEntry>) -> AnyView {
    let rows = entries.into_iter().map(row).collect::<Vec<_>>();
    table(
        "Audit table",
        "admin-audit",
        &[Text("At"), Text("Who"), Text("What"), Text("About"), Text("Before and after")],
        rows,
    )
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
