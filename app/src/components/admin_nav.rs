//! The frame of every page behind the counter: its links, then the page.

use super::page::{Page, WIDE};
use crate::{html::html, shop::use_shop};
use domain::Permission;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Address, name, and what somebody must be trusted with to go there.
const LINKS: [(&str, &str, Permission); 8] = [
    ("/admin", "Dashboard", Permission::ReadFigures),
    ("/admin/orders", "Orders", Permission::ReadOrders),
    ("/admin/books", "Books", Permission::ReadCatalogue),
    ("/admin/customers", "Customers", Permission::ReadCustomers),
    ("/admin/work", "Work", Permission::ReadWork),
    ("/admin/health", "Health", Permission::ReadWork),
    ("/admin/staff", "People", Permission::ManageStaff),
    ("/admin/audit", "Audit", Permission::ReadAudit),
];

/// `title`: without “admin”, which comes by itself.
#[component]
pub fn AdminPage(#[prop(into)] title: String, children: Children) -> impl IntoView {
    html! {
        <AdminNav/>
        <Page title=format!("{title}, admin") class=WIDE>{children()}</Page>
    }
}

/// What this person may go to.
#[component]
fn AdminNav() -> impl IntoView {
    let (shop, path) = (use_shop(), use_location().pathname);
    let link = |(href, name, _): (&'static str, &'static str, Permission)| {
        let current = move || path.with(|path| is_under(path, href)).then_some("page");
        html! { <li><a class="admin-nav__link" href=href aria-current=current>{name}</a></li> }
    };
    let links = LINKS.into_iter().filter(|(_, _, permission)| shop.may(*permission)).map(link).collect::<Vec<_>>();
    html! {
        <nav class="admin-nav" aria-label="Shop">
            <ul class="admin-nav__list">{links}</ul>
        </nav>
    }
}

/// Whether a page belongs to a link: the dashboard is only itself.
fn is_under(path: &str, link: &str) -> bool {
    let path = path.trim_end_matches('/');
    path == link || (link != "/admin" && path.strip_prefix(link).is_some_and(|rest| rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_belongs_to_one_link() {
        let of =
            |path| LINKS.map(|(link, ..)| link).into_iter().filter(|link| is_under(path, link)).collect::<Vec<_>>();
        assert_eq!(of("/admin/"), ["/admin"]);
        assert_eq!(of("/admin/orders/6f96"), ["/admin/orders"]);
        assert!(of("/admin/ordersheet").is_empty());
    }
}
