//! The board of all orders: what is asked for, as texts of an address, and several orders taken on at once.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
#[cfg(feature = "ssr")]
use domain::desk::BulkStep;
use domain::desk::{Board, BulkDone};
#[cfg(feature = "ssr")]
use domain::{ApiError, OrderId, Permission, UnixMillis, order::OrderStatus, payment::PaymentStatus};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};
#[cfg(feature = "ssr")]
use store::admin::board::{self, Bulk, Sort, Wanted};

/// By what the board may be narrowed; the address of its page carries the same names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BoardArgs {
    pub q: String,
    pub status: String,
    pub payment: String,
    pub provider: String,
    /// Days of the shop's calendar, both included: `2026-11-21`.
    pub from: String,
    pub to: String,
    /// Amounts as people type them.
    pub min: String,
    pub max: String,
    pub book: String,
    pub customer: String,
    pub late: String,
    pub apart: String,
    pub sort: String,
    pub after: String,
}

#[server(name = AdminOrders, prefix = "/api", endpoint = "admin/orders", input = GetUrl)]
pub async fn orders(#[server(flatten)] query: BoardArgs) -> Result<Board, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::ReadOrders)?;
    Ok(board::page(caller.store(), &wanted(&query)?).await?)
}

/// `orders[]`: their ids; or all of them in `chosen`, separated by commas. With `ask` nothing happens before `agreed` is the
/// mark that `needs_confirmation` gave.
#[server(name = BulkOrders, prefix = "/api", endpoint = "admin/orders/bulk")]
pub async fn bulk(
    #[server(default)] orders: Vec<String>,
    #[server(default)] chosen: String,
    #[server(default)] step: String,
    #[server(default)] carrier: String,
    #[server(default)] reason: String,
    #[server(default)] ask: String,
    #[server(default)] agreed: String,
) -> Result<BulkDone, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::ReadOrders)?;
    let step = BulkStep::parse(&step).ok_or_else(|| AppError::bad_request("“step” must be fulfil, ship or cancel."))?;
    let admin = caller.require(match step {
        BulkStep::Fulfil | BulkStep::Ship => Permission::ShipOrders,
        BulkStep::Cancel => Permission::ServeOrders,
    })?;
    let named = orders.iter().map(String::as_str).chain(chosen.split(',')).filter(|id| !id.is_empty());
    let orders = named.map(|id| id.parse().map_err(|_| AppError::bad_request("“orders” must be ids of orders.")));
    let orders = orders.collect::<Result<Vec<OrderId>, AppError>>()?;
    let agreed = args::flag("ask", &ask)?.then_some(agreed);
    Ok(board::bulk(caller.store(), &admin, Bulk { step, orders, carrier, reason, agreed }).await?)
}

/// Every wrong text is named.
#[cfg(feature = "ssr")]
pub fn wanted(query: &BoardArgs) -> Result<Wanted, AppError> {
    let mut wrong = Wrong::default();
    let search: String = query.q.trim().chars().filter(|c| !c.is_control()).take(domain::catalog::MAX_QUERY).collect();
    let day = |text: &str, days: i64| crate::when::start_of_day(text).map(|at: UnixMillis| at.plus(days * 86_400_000));
    let amount = |text: &str| domain::Minor::parse_typed(text).ok();
    let wanted = Wanted {
        search: Some(search).filter(|text| !text.is_empty()),
        status: wrong.read("status", &query.status, "Choose one of the list.", |text| text.parse::<OrderStatus>().ok()),
        payment: wrong.read("payment", &query.payment, "Choose one of the list.", PaymentStatus::parse),
        provider: wrong.read("provider", &query.provider, "Choose one of the list.", word),
        from: wrong.read("from", &query.from, "Write a day like 2026-11-21.", |text| day(text, 0)),
        until: wrong.read("to", &query.to, "Write a day like 2026-11-21.", |text| day(text, 1)),
        min: wrong.read("min", &query.min, "Write an amount like 499.", amount),
        max: wrong.read("max", &query.max, "Write an amount like 499.", amount),
        book: wrong.read("book", &query.book, "Write an ISBN, or a book's number.", word),
        customer: wrong.read(
            "customer",
            &query.customer,
            "Write a whole e-mail address, or an account's number.",
            |text| text.parse().ok(),
        ),
        is_late: args::flag("late", &query.late)?,
        money_apart: args::flag("apart", &query.apart)?,
        sort: wrong.read("sort", &query.sort, "Choose one of the list.", Sort::parse).unwrap_or_default(),
        after: wrong.read("after", &query.after, "This page is not of this list.", |text| text.parse().ok()),
    };
    wrong.end()?;
    Ok(wanted)
}

#[cfg(feature = "ssr")]
fn word(text: &str) -> Option<String> {
    (text.chars().count() <= 200 && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// Collects what is wrong with each text.
#[cfg(feature = "ssr")]
#[derive(Default)]
struct Wrong(std::collections::BTreeMap<String, String>);

#[cfg(feature = "ssr")]
impl Wrong {
    fn read<T>(&mut self, name: &str, text: &str, say: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let value = read(text);
        if value.is_none() {
            self.0.insert(name.to_owned(), say.to_owned());
        }
        value
    }

    fn end(self) -> Result<(), ApiError> {
        if self.0.is_empty() { Ok(()) } else { Err(ApiError::fields(self.0)) }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_a_whole() {
        let query = BoardArgs {
            q: " asha ".into(),
            status: "PAID".into(),
            from: "2026-11-20".into(),
            to: "2026-11-20".into(),
            min: "499".into(),
            customer: "Asha@Example.org".into(),
            late: "1".into(),
            ..BoardArgs::default()
        };
        let wanted = wanted(&query).unwrap();
        assert_eq!((wanted.search.as_deref(), wanted.status), (Some("asha"), Some(OrderStatus::Paid)));
        let (from, until) = (wanted.from.unwrap(), wanted.until.unwrap());
        assert_eq!((until.since(from), crate::when::clock(from)), (86_400_000, "12:00 am".into()));
        assert_eq!((wanted.min.map(domain::Minor::get), wanted.is_late), (Some(49_900), true));
    }

    #[test]
    fn every_wrong_text_is_named() {
        let query =
            BoardArgs { from: "soon".into(), max: "much".into(), status: "GONE".into(), ..BoardArgs::default() };
        let fields = wanted(&query).unwrap_err().0.fields;
        assert_eq!(fields.into_keys().collect::<Vec<_>>(), ["from", "max", "status"]);
    }
}
