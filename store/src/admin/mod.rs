//! What admins see and do. Callers have checked the role.

pub mod audit;
pub mod customers;
mod queries;
pub mod staff;

use crate::{
    Store,
    error::{During, Error},
};
use domain::order::{OrderNumber, OrderPage, OrderStatus, OrderSummary};

/// Orders on one page.
const PAGE_SIZE: u32 = 50;
/// Last page served; past it a search should be narrower.
const MAX_PAGE: u32 = 10_000;
/// Longest search text, in characters; the rest is cut.
const MAX_SEARCH: usize = 254;

/// Orders, newest first, optionally of one status or matching an order number or e-mail; 50 a page, pages from 1.
pub async fn orders(
    store: &Store,
    status: Option<OrderStatus>,
    search: Option<&str>,
    page: u32,
) -> Result<OrderPage, Error> {
    let page = page.clamp(1, MAX_PAGE);
    let search: Option<String> =
        search.map(|text| text.trim().chars().filter(|c| !c.is_control()).take(MAX_SEARCH).collect());
    let search = search.filter(|text| !text.is_empty());
    let number = search.as_deref().and_then(|text| OrderNumber::parse(text).ok());
    let filter = queries::Filter {
        status: status.map(OrderStatus::as_str),
        // A whole order number is looked for as such, anything else within e-mail addresses and numbers.
        text: search.filter(|_| number.is_none()).map(|text| like(&text)),
        number: number.map(String::from),
    };
    let offset = i64::from(page - 1) * i64::from(PAGE_SIZE);
    let pg = store.postgres("admin.orders").await?;
    let total = queries::count(pg, &filter).await.during("admin.orders")?;
    let rows = queries::orders(pg, &filter, i64::from(PAGE_SIZE), offset).await.during("admin.orders")?;
    let orders = rows.into_iter().map(OrderSummary::try_from).collect::<Result<_, _>>()?;
    Ok(OrderPage { orders, total, page, page_size: PAGE_SIZE })
}

/// For a list whose filters are mostly absent: it is planned anew for those that are there, each time. The plan that the
/// server keeps for all of them alike reads the whole table.
async fn planned_anew(store: &Store, operation: &'static str) -> Result<sqlx::PgTransaction<'static>, Error> {
    let mut tx = store.postgres(operation).await?.begin().await.during(operation)?;
    sqlx::raw_sql("SET LOCAL plan_cache_mode = force_custom_plan").execute(&mut *tx).await.during(operation)?;
    Ok(tx)
}

/// A pattern that finds the text anywhere, with the pattern's own signs taken literally.
fn like(text: &str) -> String {
    let escaped: String =
        text.chars().flat_map(|c| matches!(c, '%' | '_' | '\\').then_some('\\').into_iter().chain([c])).collect();
    format!("%{escaped}%")
}
