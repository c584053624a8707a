//! SQL of the board, put together from what was asked.

use super::{
    Wanted,
    late::{Late, Limit, Since},
    wanted::Customer,
};
use crate::{error::Error, orders::SummaryRow, world::to_timestamp};
use domain::{
    Minor, Owner,
    desk::BoardRow,
    order::{OrderStatus, OrderSummary},
    payment::PaymentStatus,
};
use sqlx::{PgExecutor, Postgres, QueryBuilder};
use std::collections::HashSet;
use time::OffsetDateTime;
use uuid::Uuid;

/// What the words of a search turned out to mean.
pub(super) struct Asked {
    pub number: Option<String>,
    /// Only these, few as they are.
    pub among: Option<HashSet<Uuid>>,
    /// A LIKE pattern in lower case that many orders fit.
    pub words: Option<String>,
    /// One that many bought.
    pub book: Option<domain::BookId>,
    pub late: Late,
}

/// How far a page looks for its orders.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Among the next orders of the list, so many: a page of what is common.
    Near(i64),
    /// Among all that follow: what is rare is found by what makes it rare.
    Far,
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    #[sqlx(flatten)]
    order: SummaryRow,
    name: String,
    payment: Option<String>,
    provider: Option<String>,
    money_apart: bool,
}

impl Row {
    /// Time in microseconds, as Postgres keeps it; total; id.
    pub fn place(&self) -> (i64, i64, Uuid) {
        (micros(self.order.placed_at), self.order.total_minor, self.order.id)
    }

    pub fn read(self, late: &Late) -> Result<BoardRow, Error> {
        let order = OrderSummary::try_from(self.order)?;
        Ok(BoardRow {
            is_late: late.is(&order),
            order,
            name: self.name,
            payment: self.payment.as_deref().and_then(PaymentStatus::parse),
            provider: self.provider,
            money_apart: self.money_apart,
        })
    }
}

pub(super) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1000)).unwrap_or(i64::MAX)
}

/// Money of the order `o` that fits nothing, and that nobody has seen to.
const IS_APART: &str = "EXISTS (SELECT FROM webhook_inbox i WHERE i.order_id = o.id AND i.outcome = 'quarantined'
    AND NOT EXISTS (SELECT FROM dead_letters d
      WHERE d.source = 'webhook_inbox' AND d.key = i.id::text AND d.state = 'discarded'))";

pub(super) async fn rows(
    db: impl PgExecutor<'_>,
    wanted: &Wanted,
    asked: &Asked,
    reach: Reach,
    most: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let mut sql = QueryBuilder::new(
        "SELECT o.id, o.number, o.status, o.version, o.total_minor, o.currency, o.email, o.placed_at, o.expires_at,
           (SELECT coalesce(sum(i.quantity), 0) FROM order_items i WHERE i.order_id = o.id) AS copies,
           coalesce((SELECT i.title FROM order_items i WHERE i.order_id = o.id ORDER BY i.line_no LIMIT 1), '')
             AS first_title,
           (SELECT count(*) FROM order_items i WHERE i.order_id = o.id) AS titles,
           coalesce(o.address ->> 'name', '') AS name, p.status AS payment, p.provider, ",
    );
    sql.push(IS_APART).push(" AS money_apart FROM (");
    page(&mut sql, wanted, asked, reach, most);
    sql.push(
        ") page JOIN orders o ON o.id = page.id LEFT JOIN LATERAL (
           SELECT status, provider FROM payments WHERE order_id = o.id ORDER BY created_at DESC, id LIMIT 1) p ON true",
    );
    sort(&mut sql, wanted);
    sql.build_query_as().persistent(false).fetch_all(db).await
}

/// The orders of one page. What stands before `OFFSET 0` is planned for itself: near, one order after the other is looked at;
/// far, nobody hopes to meet the first few soon.
fn page(sql: &mut QueryBuilder<Postgres>, wanted: &Wanted, asked: &Asked, reach: Reach, most: i64) {
    sql.push("SELECT o.id FROM (SELECT o.* FROM ");
    match &asked.among {
        None => sql.push("orders o"),
        Some(among) => sql
            .push("unnest(")
            .push_bind(among.iter().copied().collect::<Vec<_>>())
            .push(") AS among (id) CROSS JOIN LATERAL (SELECT * FROM orders WHERE id = among.id OFFSET 0) o"),
    };
    sql.push(" WHERE true");
    along(sql, wanted);
    match reach {
        Reach::Near(orders) => {
            sort(sql, wanted);
            sql.push(" LIMIT ").push_bind(orders).push(") o WHERE true");
            filters(sql, wanted, asked, " OFFSET 0)");
        }
        Reach::Far => {
            filters(sql, wanted, asked, ")");
            sql.push(" OFFSET 0) o");
        }
    }
    sort(sql, wanted);
    sql.push(" LIMIT ").push_bind(most);
}

/// What the index knows along which the list is read.
fn along(sql: &mut QueryBuilder<Postgres>, wanted: &Wanted) {
    if wanted.sort.is_by_total() {
        amounts(sql, wanted);
    } else {
        status(sql, wanted);
        dates(sql, wanted);
    }
    after(sql, wanted);
}

/// Each look into another table ends with `end`.
fn filters(sql: &mut QueryBuilder<Postgres>, wanted: &Wanted, asked: &Asked, end: &str) {
    if wanted.sort.is_by_total() {
        status(sql, wanted);
        dates(sql, wanted);
    } else {
        amounts(sql, wanted);
    }
    if wanted.is_late {
        late(sql, asked.late.of(wanted.status));
    }
    match &wanted.customer {
        Some(Customer::Account(id)) => {
            sql.push(" AND o.owner = ").push_bind(Owner::Account(*id).to_string());
        }
        Some(Customer::Email(email)) => {
            sql.push(" AND o.email = ").push_bind(email.as_str().to_owned());
        }
        None => {}
    }
    payment(sql, wanted, end);
    if let Some(book) = asked.book {
        sql.push(" AND EXISTS (SELECT FROM order_items i WHERE i.order_id = o.id AND i.book_id = ");
        sql.push_bind(book.get()).push(end);
    }
    if let Some(number) = &asked.number {
        sql.push(" AND o.number = ").push_bind(number.clone());
    }
    if let Some(pattern) = &asked.words {
        sql.push(" AND EXISTS (SELECT FROM order_words w WHERE w.order_id = o.id AND w.words LIKE ");
        sql.push_bind(pattern.clone()).push(end);
    }
    if wanted.money_apart {
        sql.push(" AND ").push(IS_APART);
    }
}

fn status(sql: &mut QueryBuilder<Postgres>, wanted: &Wanted) {
    if let Some(status) = wanted.status {
        sql.push(" AND o.status = ").push_bind(status.as_str());
    }
}

fn dates(sql: &mut QueryBuilder<Postgres>, wanted: &Wanted) {
    if let Some(from) = wanted.from {
        sql.push(" AND o.placed_at >= ").push_bind(to_timestamp(from));
    }
    if let Some(until) = wanted.until {
        sql.push(" AND o.placed_at < ").push_bind(to_timestamp(until));
    }
}

fn amounts(sql: &mut QueryBuilder<Postgres>, wanted: &Wanted) {
    if let Some(min) = wanted.min {
        sql.push(" AND o.total_minor >= ").push_bind(min.get());
    }
    if let Some(max) = wanted.max {
        sql.push(" AND o.total_minor <= ").push_bind(Minor::get(max));
    }
}

fn late(sql: &mut QueryBuilder<Postgres>, limits: impl Iterator<Item = Limit>) {
    sql.push(" AND (false");
    for limit in limits {
        sql.push(" OR (o.status = ").push_bind(limit.status.as_str());
        sql.push(match limit.since {
            Since::Placed => " AND o.placed_at < ",
            Since::Due => " AND o.expires_at < ",
        });
        sql.push_bind(to_timestamp(limit.at)).push(")");
    }
    sql.push(")");
}

fn payment(sql: &mut QueryBuilder<Postgres>, wanted: &Wanted, end: &str) {
    if wanted.payment.is_none() && wanted.provider.is_none() {
        return;
    }
    sql.push(" AND EXISTS (SELECT FROM payments p WHERE p.order_id = o.id");
    if let Some(payment) = wanted.payment {
        sql.push(" AND p.status = ").push_bind(payment.as_str());
    }
    if let Some(provider) = &wanted.provider {
        sql.push(" AND p.provider = ").push_bind(provider.clone());
    }
    sql.push(end);
}

fn after(sql: &mut QueryBuilder<Postgres>, wanted: &Wanted) {
    let Some(place) = wanted.after else { return };
    let sign = if wanted.sort.is_descending() { "<" } else { ">" };
    if wanted.sort.is_by_total() {
        sql.push(" AND (o.total_minor, o.id) ").push(sign).push(" (").push_bind(place.key);
    } else {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(place.key) * 1000);
        let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        sql.push(" AND (o.placed_at, o.id) ").push(sign).push(" (").push_bind(at);
    }
    sql.push(", ").push_bind(place.id).push(")");
}

fn sort(sql: &mut QueryBuilder<Postgres>, wanted: &Wanted) {
    let column = if wanted.sort.is_by_total() { "o.total_minor" } else { "o.placed_at" };
    let way = if wanted.sort.is_descending() { "DESC" } else { "ASC" };
    sql.push(format!(" ORDER BY {column} {way}, o.id {way}"));
}

/// Orders with these words, in no order. Planned for the words: what finds rare ones would read all of the common ones.
pub(super) async fn with_words(db: impl PgExecutor<'_>, pattern: &str, most: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    let sql = sqlx::query_scalar("SELECT order_id FROM order_words WHERE words LIKE $1 LIMIT $2");
    sql.bind(pattern).bind(most).persistent(false).fetch_all(db).await
}

/// Orders of this book, in no order.
pub(super) async fn with_book(db: impl PgExecutor<'_>, book: i64, most: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("SELECT order_id FROM order_items WHERE book_id = $1 LIMIT $2", book, most).fetch_all(db).await
}

pub(super) async fn book(
    db: impl PgExecutor<'_>,
    id: Option<i64>,
    isbn: Option<&str>,
    named: &str,
) -> Result<Option<(i64, String)>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT id, title FROM books WHERE id = $1 OR isbn13 = $2 OR slug = $3 OR sku = $3 ORDER BY id LIMIT 1",
        id,
        isbn,
        named
    );
    Ok(row.fetch_optional(db).await?.map(|row| (row.id, row.title)))
}

/// What is about to happen to some orders at once.
pub(super) struct Stake {
    pub orders: i64,
    /// Those that were paid, and what of that would go back.
    pub paid: i64,
    pub money_minor: i64,
}

pub(super) async fn stake(db: impl PgExecutor<'_>, orders: &[Uuid]) -> Result<Stake, sqlx::Error> {
    sqlx::query_as!(
        Stake,
        r#"SELECT count(*) AS "orders!", count(p.id) AS "paid!",
             coalesce(sum(p.amount_minor - coalesce(back.sum, 0)), 0)::bigint AS "money_minor!"
           FROM orders o LEFT JOIN payments p ON p.order_id = o.id AND p.status = 'captured'
           LEFT JOIN LATERAL (SELECT sum(amount_minor)::bigint AS sum FROM refunds
             WHERE payment_id = p.id AND status IN ('requested', 'confirmed')) AS back ON true
           WHERE o.id = ANY($1)"#,
        orders
    )
    .fetch_one(db)
    .await
}

/// The numbers of these orders.
pub(super) async fn numbers(db: impl PgExecutor<'_>, orders: &[Uuid]) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    let rows = sqlx::query!("SELECT id, number FROM orders WHERE id = ANY($1)", orders);
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.id, row.number)).collect())
}

/// A row of the export.
#[derive(sqlx::FromRow)]
pub(super) struct Line {
    pub id: Uuid,
    pub number: String,
    pub status: String,
    pub placed_at: OffsetDateTime,
    pub email: String,
    pub name: String,
    pub city: String,
    pub state: String,
    pub postcode: String,
    pub copies: i64,
    pub books: String,
    pub subtotal_minor: i64,
    pub delivery_minor: i64,
    pub total_minor: i64,
    pub currency: String,
    pub provider: Option<String>,
    pub payment: Option<String>,
    pub refunded_minor: i64,
    pub carrier: Option<String>,
    pub tracking: Option<String>,
    pub shipped_at: Option<OffsetDateTime>,
}

impl Line {
    pub fn place(&self) -> (i64, i64, Uuid) {
        (micros(self.placed_at), self.total_minor, self.id)
    }

    /// The word for it that people know.
    pub fn state_of_order(&self) -> String {
        self.status.parse::<OrderStatus>().map_or_else(|_| self.status.clone(), |status| status.label().to_owned())
    }
}

pub(super) async fn lines(
    db: impl PgExecutor<'_>,
    wanted: &Wanted,
    asked: &Asked,
    reach: Reach,
    most: i64,
) -> Result<Vec<Line>, sqlx::Error> {
    let mut sql = QueryBuilder::new(
        "SELECT o.id, o.number, o.status, o.placed_at, o.email, coalesce(o.address ->> 'name', '') AS name,
           coalesce(o.address ->> 'city', '') AS city, coalesce(o.address ->> 'state', '') AS state,
           coalesce(o.address ->> 'postcode', '') AS postcode, coalesce(i.copies, 0) AS copies,
           coalesce(i.books, '') AS books, o.subtotal_minor, o.delivery_minor, o.total_minor, o.currency,
           p.provider, p.status AS payment, coalesce(r.sum, 0)::bigint AS refunded_minor, s.carrier, s.tracking, s.shipped_at
         FROM (",
    );
    page(&mut sql, wanted, asked, reach, most);
    sql.push(
        ") page JOIN orders o ON o.id = page.id LEFT JOIN shipments s ON s.order_id = o.id
         LEFT JOIN LATERAL (SELECT sum(quantity) AS copies, string_agg(quantity || ' × ' || title, '; ' ORDER BY line_no)
           AS books FROM order_items WHERE order_id = o.id) i ON true
         LEFT JOIN LATERAL (
           SELECT status, provider FROM payments WHERE order_id = o.id ORDER BY created_at DESC, id LIMIT 1) p ON true
         LEFT JOIN LATERAL (
           SELECT sum(amount_minor) AS sum FROM refunds WHERE order_id = o.id AND status = 'confirmed') r ON true",
    );
    sort(&mut sql, wanted);
    sql.build_query_as().persistent(false).fetch_all(db).await
}
