//! The board: all orders, by whatever somebody asks for; dense, calm, and alive.

use crate::{
    AppError,
    api::board::BoardArgs,
    call::{address, glance, read, resource},
    components::{
        admin_nav::AdminPage,
        icon::icon,
        notice::{Tone, notice},
    },
    derived::Derived,
    effect::effect,
    html::{changing, html},
    live::Live,
    next::login_for,
    pages::{admin_board_filters::filters, admin_bulk::Bulk, admin_quarantine::quarantine, error::error_page},
    shop::{Shop, use_shop},
};
use domain::{
    ErrorCode, OrderId, Permission,
    desk::{AtGate, Board},
    words::counted,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{components::Redirect, hooks::use_query_map, params::ParamsMap};
use std::time::Duration;

/// Changes that come together are one look at the list.
const TOGETHER: Duration = Duration::from_millis(700);
/// While Postgres is away nobody tells of its return.
const WHILE_AWAY: Duration = Duration::from_secs(5);

/// Whoever is trusted with this goes on; others are asked to log in, or told that this is not for them.
pub fn only_for(permission: Permission, shop: Shop, path: &str) -> Result<(), AnyView> {
    if shop.may(permission) {
        return Ok(());
    }
    Err(match shop.account() {
        None => html! { <Redirect path=login_for(path)/> },
        Some(_) => {
            let message = "This part is for the people of the shop.";
            error_page(AppError::new(ErrorCode::Forbidden, message))
        }
    })
}

#[component]
pub fn AdminOrdersPage() -> impl IntoView {
    let shop = use_shop();
    if let Err(other) = only_for(Permission::ReadOrders, shop, "/admin/orders") {
        return other;
    }
    let query = use_query_map();
    let wanted = Derived::new(move || query.with(wanted));
    let strange = shop.may(Permission::ReadMoney).then(|| quarantine(None));
    let data = resource(Derived::new(move || wanted.with(|wanted| address_of("admin/orders", wanted))));
    let list = move || {
        Suspend::new(async move {
            let board = data.await.0.and_then(|text| read::<Board>(&text));
            board.map_or_else(refused, |board| List::new(wanted.get_untracked(), board).view())
        })
    };
    html! {
        <AdminPage title="Orders">
            <header class="page-head"><h1>"Orders"</h1></header>
            {strange}
            {changing(move || filters(&wanted.get()))}
            <Transition>{list}</Transition>
        </AdminPage>
    }
}

fn wanted(params: &ParamsMap) -> BoardArgs {
    let text = |name: &str| params.get(name).unwrap_or_default().trim().to_owned();
    BoardArgs {
        q: text("q"),
        status: text("status"),
        payment: text("payment"),
        provider: text("provider"),
        from: text("from"),
        to: text("to"),
        min: text("min"),
        max: text("max"),
        book: text("book"),
        customer: text("customer"),
        late: text("late"),
        apart: text("apart"),
        sort: text("sort"),
        after: text("after"),
    }
}

/// The same question at another address: for people, of its data, or of its file.
pub fn address_of(path: &str, wanted: &BoardArgs) -> String {
    let BoardArgs { q, status, payment, provider, from, to, min, max, book, customer, late, apart, sort, after } =
        wanted;
    let named = [
        ("q", q),
        ("status", status),
        ("payment", payment),
        ("provider", provider),
        ("from", from),
        ("to", to),
        ("min", min),
        ("max", max),
        ("book", book),
        ("customer", customer),
        ("late", late),
        ("apart", apart),
        ("sort", sort),
        ("after", after),
    ];
    address(path, &named.map(|(name, value)| (name, value.as_str())))
}

/// What was asked for cannot be; the form above keeps it.
fn refused(AppError(error): AppError) -> AnyView {
    let fields = error.fields.into_iter().map(|(name, wrong)| html! { <p>{format!("{name}: {wrong}")}</p> });
    notice(Tone::Bad, error.message, fields.collect::<Vec<_>>())
}

/// The list as it stands, and what is chosen of it.
#[derive(Clone, Copy)]
struct List {
    wanted: StoredValue<BoardArgs>,
    board: RwSignal<Board>,
    /// Orders that glow: changed since the page was made.
    changed: RwSignal<Vec<OrderId>>,
    bulk: Bulk,
    /// A look at the list is due; its number, so that an older answer never replaces a newer one.
    is_due: StoredValue<bool>,
    look: StoredValue<u32>,
}

impl List {
    fn new(wanted: BoardArgs, board: Board) -> Self {
        let list = Self {
            wanted: StoredValue::new(wanted),
            board: RwSignal::new(board),
            changed: RwSignal::default(),
            bulk: Bulk::new(),
            is_due: StoredValue::new(false),
            look: StoredValue::new(0),
        };
        list.bulk.on_done(move || list.look_soon());
        list.follow(use_shop().live);
        effect(move || {
            if list.board.with(|board| board.waiting.is_some()) {
                set_timeout(move || list.look_soon(), WHILE_AWAY);
            }
        });
        list
    }

    /// Looks again whenever an order changed, and when the socket is back after a while in which nobody told.
    fn follow(self, live: Live) {
        live.follow_admin_orders();
        let news = live.admin_orders();
        let mut is_first = true;
        effect(move || {
            news.track();
            if !std::mem::take(&mut is_first) {
                self.look_soon();
            }
        });
        effect(move || {
            if live.is_open().get() {
                self.look_soon();
            }
        });
    }

    fn look_soon(self) {
        if self.is_due.try_get_value() != Some(false) {
            return;
        }
        self.is_due.set_value(true);
        let look = move || {
            let Some(wanted) = self.wanted.try_get_value() else { return };
            self.is_due.set_value(false);
            self.look.update_value(|look| *look += 1);
            let number = self.look.get_value();
            spawn_local(async move {
                let board = glance(address_of("admin/orders", &wanted)).await.and_then(|text| read::<Board>(&text));
                if let (Ok(board), Some(true)) = (board, self.look.try_with_value(|look| *look == number)) {
                    self.show(board);
                }
            });
        };
        set_timeout(look, TOGETHER);
    }

    fn show(self, board: Board) {
        if board.waiting.is_some() {
            return self.board.update(|shown| shown.waiting = board.waiting);
        }
        let known = |row: &domain::desk::BoardRow| {
            self.board.with_untracked(|old| {
                old.orders
                    .iter()
                    .any(|old| (old.order.order_id, old.order.version) == (row.order.order_id, row.order.version))
            })
        };
        let changed = board.orders.iter().filter(|row| !known(row)).map(|row| row.order.order_id).collect();
        self.changed.set(changed);
        self.board.set(board);
    }

    fn view(self) -> AnyView {
        let caption = move || {
            if self.board.with(|board| board.waiting.is_some()) {
                return "As it was when Postgres last answered".to_owned();
            }
            let about = self.board.with(|board| board.book.clone()).map(|book| format!(" with “{book}”"));
            let count = self.board.with(|board| board.orders.len());
            let more = if self.board.with(|board| board.next.is_some()) { ", and more on the next page" } else { "" };
            let orders = counted(count as u64, "order", "orders");
            format!("{orders}{}{more}", about.unwrap_or_default())
        };
        let rows = move || self.board.with(|board| board.orders.clone());
        let table = html! {
            <div class="table-scroll" tabindex="0" role="region" aria-label="Orders table">
                <table class="table board">
                    <caption>{caption}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{self.bulk.all(self.board)}</th>
                            <th scope="col">"Order"</th><th scope="col">"Placed"</th><th scope="col">"Shopper"</th>
                            <th scope="col">"Status"</th><th scope="col">"Payment"</th><th scope="col">"Books"</th>
                            <th scope="col" class="num">"Copies"</th><th scope="col" class="num">"Total"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=rows key=|row| (row.order.order_id, row.order.version, row.payment, row.is_late, row.money_apart)
                            children=move |row| super::admin_board_row::row(row, self.bulk, self.changed)/>
                    </tbody>
                </table>
            </div>
        };
        html! {
            {changing(move || self.board.with(|board| board.waiting.as_ref().map(waiting)))}
            {self.bulk.view(table)}
            {changing(move || self.board.with(|board| board.orders.is_empty() && board.waiting.is_none()).then(nothing))}
            {move || self.links()}
        }
    }

    fn links(self) -> AnyView {
        let wanted = self.wanted.get_value();
        let first = (!wanted.after.is_empty()).then(|| {
            let href = address_of("/admin/orders", &BoardArgs { after: String::new(), ..wanted.clone() });
            html! { <li><a class="pagination__link" rel="prev" href=href>{icon("left")}" First page"</a></li> }
        });
        let next = self.board.with(|board| board.next.clone()).map(|after| {
            let href = address_of("/admin/orders", &BoardArgs { after, ..wanted.clone() });
            html! { <li><a class="pagination__link" rel="next" href=href>"Next page "{icon("right")}</a></li> }
        });
        let file = address_of("/api/admin/orders.csv", &BoardArgs { after: String::new(), ..wanted });
        html! {
            <nav class="pagination" aria-label="Pages">
                <ul class="pagination__list">{first}{next}</ul>
                <a class="button button--quiet" href=file rel="external" download="">"Download all of these as CSV"</a>
            </nav>
        }
    }
}

/// All that is known while Postgres is away.
fn waiting(gate: &AtGate) -> AnyView {
    let orders = gate.orders.iter().map(|order| {
        let href = format!("/admin/orders/{}", order.order_id);
        let about = format!(" {}, {}", order.email, order.total.with(order.currency));
        html! { <li><a href=href>{order.number.to_string()}</a>{about}</li> }
    });
    let said = format!("Postgres is away. {} at the gate.", counted(gate.count, "order waits", "orders wait"));
    let more = html! {
        <p>"Shoppers go on buying. What waits is written down as soon as Postgres is back, and listed here by itself."</p>
        <ul>{orders.collect::<Vec<_>>()}</ul>
    };
    notice(Tone::Warn, said, more)
}

fn nothing() -> AnyView {
    html! { <p class="muted">"No order is like that. "<a href="/admin/orders">"See all orders"</a></p> }
}
