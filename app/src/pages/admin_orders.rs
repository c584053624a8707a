//! All orders, for admins: dense, calm, and alive.

use crate::{
    call::address,
    components::{admin_nav::AdminPage, get_form::follow, loaded::loaded, pagination::pagination, status::status},
    derived::Derived,
    html::{changing, html},
    next::login_for,
    pages::{admin_quarantine::quarantine, error::error_page},
    shop::{Shop, use_shop},
    when,
};
use domain::{
    ErrorCode, Permission,
    order::{OrderPage, OrderStatus, OrderSummary},
};
use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_query_map, params::ParamsMap};

#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    q: String,
    status: Option<OrderStatus>,
    page: u32,
}

impl Wanted {
    fn read(params: &ParamsMap) -> Self {
        let text = |name: &str| params.get(name).unwrap_or_default().trim().to_owned();
        Self { q: text("q"), status: text("status").parse().ok(), page: text("page").parse().unwrap_or(1).max(1) }
    }

    /// The address of a page of this list: for people (`/admin/orders`) or of its data.
    fn address(&self, path: &str, page: u32) -> String {
        let status = self.status.map(OrderStatus::as_str).unwrap_or_default();
        let page = if page > 1 { page.to_string() } else { String::new() };
        address(path, &[("q", &self.q), ("status", status), ("page", &page)])
    }

    /// Whether a changed order belongs on this page of the list, as far as the browser can tell.
    fn takes(&self, order: &OrderSummary) -> bool {
        self.q.is_empty() && self.page == 1 && self.status.is_none_or(|status| status == order.status)
    }
}

/// Whoever is trusted with this goes on; others are asked to log in, or told that this is not for them.
pub fn only_for(permission: Permission, shop: Shop, path: &str) -> Result<(), AnyView> {
    if shop.may(permission) {
        return Ok(());
    }
    Err(match shop.account() {
        None => html! { <Redirect path=login_for(path)/> },
        Some(_) => {
            let message = "This part is for the people of the shop.";
            error_page(crate::AppError::new(ErrorCode::Forbidden, message))
        }
    })
}

#[component]
pub fn AdminOrdersPage() -> impl IntoView {
    if let Err(other) = only_for(Permission::ReadOrders, use_shop(), "/admin/orders") {
        return other;
    }
    let query = use_query_map();
    let wanted = Derived::new(move || query.with(Wanted::read));
    loaded(
        move || wanted.with(|wanted| wanted.address("admin/orders", wanted.page)),
        move |page| show(wanted.get_untracked(), page),
    )
}

fn show(wanted: Wanted, page: OrderPage) -> AnyView {
    let live = use_shop().live;
    live.follow_admin_orders();
    let size = u64::from(page.page_size.max(1));
    let pages = u32::try_from(page.total.max(0).cast_unsigned().div_ceil(size)).unwrap_or(u32::MAX).max(1);
    let caption = match page.total {
        1 => "1 order".to_owned(),
        total => format!("{total} orders, newest first"),
    };
    let (filters, links) =
        (filters(&wanted), pagination(page.page, pages, |number| wanted.address("/admin/orders", number)));
    let strange = quarantine(None);
    let rows = move || {
        let news = live.admin_orders().get();
        merged(&page.orders, &news, &wanted).into_iter().map(|(order, is_news)| row(order, is_news)).collect::<Vec<_>>()
    };
    html! {
        <AdminPage title="Orders">
            <header class="page-head"><h1>"Orders"</h1></header>
            {strange}{filters}
            <div class="table-scroll" tabindex="0" role="region" aria-label="Orders table">
                <table class="table">
                    <caption>{caption}</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Order"</th><th scope="col">"Placed"</th><th scope="col">"Shopper"</th>
                            <th scope="col">"Status"</th><th scope="col">"First title"</th>
                            <th scope="col" class="num">"Copies"</th><th scope="col" class="num">"Total"</th>
                        </tr>
                    </thead>
                    <tbody>{changing(rows)}</tbody>
                </table>
            </div>
            {links}
        </AdminPage>
    }
}

/// The page's orders with what live messages said since; new ones come first. True: changed since the page was made.
fn merged(page: &[OrderSummary], news: &[OrderSummary], wanted: &Wanted) -> Vec<(OrderSummary, bool)> {
    let is_listed = |order: &&OrderSummary| page.iter().any(|old| old.order_id == order.order_id);
    let fresh = news.iter().filter(|order| !is_listed(order) && wanted.takes(order));
    let known = page.iter().map(|old| {
        let newer = news.iter().find(|order| order.order_id == old.order_id && order.version > old.version);
        (newer.unwrap_or(old).clone(), newer.is_some())
    });
    fresh.map(|order| (order.clone(), true)).chain(known).collect()
}

fn row(order: OrderSummary, is_news: bool) -> AnyView {
    html! {
        <tr class=if is_news { "row--changed" } else { "" }>
            <th scope="row">
                <a class="table__link" href=format!("/admin/orders/{}", order.order_id)>{order.number.to_string()}</a>
            </th>
            <td class="nowrap">{when::short(order.placed_at)}</td>
            <td>{order.email}</td>
            <td>{status(order.status)}</td>
            <td>{order.first_title}</td>
            <td class="num">{order.copies}</td>
            <td class="num">{order.total.with(order.currency).to_string()}</td>
        </tr>
    }
}

fn filters(wanted: &Wanted) -> AnyView {
    let chosen = wanted.status;
    let options = OrderStatus::ALL.map(|status| {
        html! { <option value=status.as_str() selected=chosen == Some(status)>{status.label()}</option> }
    });
    html! {
        <form class="admin-filters" action="/admin/orders" method="get" on:submit=follow("/admin/orders")>
            <div class="field field--grow">
                <label class="field__label" for="aq">"Number or e-mail"</label>
                <input class="input" id="aq" name="q" type="search" value=wanted.q.clone()/>
            </div>
            <div class="field">
                <label class="field__label" for="ast">"Status"</label>
                <select class="select" id="ast" name="status">
                    <option value="">"Any"</option>{Vec::from(options)}
                </select>
            </div>
            <button class="button button--quiet" type="submit">"Show"</button>
        </form>
    }
}
