//! SQL of the persist worker: whole batches as arrays, one statement per table.

use super::write::Arrival;
use crate::world::{from_timestamp, to_timestamp};
use domain::{OrderId, UnixMillis, order::OrderStatus};
use sqlx::PgExecutor;
use std::collections::HashSet;
use time::OffsetDateTime;
use uuid::Uuid;

/// The columns of a batch that are the same for all tables.
pub(super) struct Rows<'a> {
    arrivals: &'a [Arrival<'a>],
    ids: Vec<Uuid>,
    statuses: Vec<String>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(arrivals: &'a [Arrival<'a>]) -> Self {
        Self {
            arrivals,
            ids: arrivals.iter().map(|arrival| arrival.draft.order_id.get()).collect(),
            statuses: arrivals.iter().map(|arrival| arrival.status.as_str().to_owned()).collect(),
        }
    }

    fn texts(&self, text: impl Fn(&Arrival<'_>) -> String) -> Vec<String> {
        self.arrivals.iter().map(text).collect()
    }

    fn amounts(&self, amount: impl Fn(&Arrival<'_>) -> domain::Minor) -> Vec<i64> {
        self.arrivals.iter().map(|arrival| amount(arrival).get()).collect()
    }

    fn times(&self, time: impl Fn(&Arrival<'_>) -> UnixMillis) -> Vec<OffsetDateTime> {
        self.arrivals.iter().map(|arrival| to_timestamp(time(arrival))).collect()
    }
}

/// With the words by which they are found; returns the ids that were not there before.
pub(super) async fn insert_orders(
    db: impl PgExecutor<'_>,
    rows: &Rows<'_>,
    at: OffsetDateTime,
) -> Result<HashSet<Uuid>, sqlx::Error> {
    let addresses: Vec<serde_json::Value> =
        rows.arrivals.iter().map(|arrival| serde_json::json!(arrival.draft.address)).collect();
    let claims: Vec<i32> =
        rows.arrivals.iter().map(|arrival| i32::from(arrival.status == OrderStatus::PaymentPending)).collect();
    let ids = sqlx::query_scalar!(
        r#"WITH new AS (
         INSERT INTO orders (id, number, owner, account_id, guest_id, idempotency_key, fingerprint, status, claim_no,
           email, address, currency, subtotal_minor, delivery_minor, total_minor, placed_at, expires_at, updated_at)
         SELECT id, number, owner, CASE WHEN owner LIKE 'a:%' THEN substr(owner, 3)::bigint END,
           CASE WHEN owner LIKE 'g:%' THEN substr(owner, 3)::uuid END, key, fingerprint, status, claim_no,
           email, address, currency, subtotal, delivery, total, placed_at, expires_at, $15
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[],
           $9::jsonb[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::timestamptz[], $16::timestamptz[])
           AS o (id, number, owner, key, fingerprint, status, claim_no, email, address, currency, subtotal, delivery,
             total, placed_at, expires_at)
         ON CONFLICT (id) DO NOTHING RETURNING id, number, email, address),
         words AS (INSERT INTO order_words
           SELECT id, lower(number || ' ' || email || ' ' || coalesce(address ->> 'name', '')) FROM new)
         SELECT id AS "id!" FROM new"#,
        &rows.ids,
        &rows.texts(|arrival| arrival.draft.number.to_string()),
        &rows.texts(|arrival| arrival.draft.owner.to_string()),
        &rows.texts(|arrival| arrival.draft.key.to_string()),
        &rows.texts(|arrival| arrival.draft.fingerprint.clone()),
        &rows.statuses,
        &claims,
        &rows.texts(|arrival| arrival.draft.email.clone()),
        &addresses,
        &rows.texts(|arrival| arrival.draft.currency.code().to_owned()),
        &rows.amounts(|arrival| arrival.draft.subtotal),
        &rows.amounts(|arrival| arrival.draft.delivery),
        &rows.amounts(|arrival| arrival.draft.total),
        &rows.times(|arrival| arrival.draft.placed_at),
        at,
        &rows.times(|arrival| arrival.expires_at),
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().collect())
}

pub(super) async fn insert_items(db: impl PgExecutor<'_>, arrivals: &[Arrival<'_>]) -> Result<(), sqlx::Error> {
    let lines = || {
        arrivals.iter().flat_map(|arrival| {
            let order = arrival.draft.order_id.get();
            (1_i32..).zip(&arrival.draft.lines).map(move |(number, line)| (order, number, line))
        })
    };
    sqlx::query!(
        "INSERT INTO order_items (order_id, line_no, book_id, title, slug, quantity, unit_price_minor, line_total_minor)
         SELECT * FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::int[], $7::bigint[],
           $8::bigint[])",
        &lines().map(|(order, _, _)| order).collect::<Vec<_>>(),
        &lines().map(|(_, number, _)| number).collect::<Vec<_>>(),
        &lines().map(|(_, _, line)| line.book_id.get()).collect::<Vec<_>>(),
        &lines().map(|(_, _, line)| line.title.clone()).collect::<Vec<_>>(),
        &lines().map(|(_, _, line)| line.slug.clone()).collect::<Vec<_>>(),
        &lines().map(|(_, _, line)| i32::try_from(line.quantity.get()).unwrap_or(0)).collect::<Vec<_>>(),
        &lines().map(|(_, _, line)| line.unit_price.get()).collect::<Vec<_>>(),
        &lines().map(|(_, _, line)| line.line_total.get()).collect::<Vec<_>>(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The first row of each history.
pub(super) async fn insert_histories(
    db: impl PgExecutor<'_>,
    rows: &Rows<'_>,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO order_history (order_id, version, status, cause, at)
         SELECT id, 1, status, cause, $4 FROM unnest($1::uuid[], $2::text[], $3::text[]) AS h (id, status, cause)",
        &rows.ids,
        &rows.statuses,
        &rows.texts(|arrival| arrival.cause.as_str().to_owned()),
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The `reserve` movements of first claims.
pub(super) async fn insert_reserves(
    db: impl PgExecutor<'_>,
    claims: &[&Arrival<'_>],
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let lines = || claims.iter().flat_map(|claim| claim.copies.iter().map(|line| (claim.draft.order_id.get(), line)));
    sqlx::query!(
        "INSERT INTO stock_movements (book_id, kind, quantity, on_hand_delta, reserved_delta, order_id, claim_no, at)
         SELECT book, 'reserve', copies, 0, copies, id, 1, $4
         FROM unnest($1::uuid[], $2::bigint[], $3::int[]) AS r (id, book, copies)",
        &lines().map(|(order, _)| order).collect::<Vec<_>>(),
        &lines().map(|(_, line)| line.book).collect::<Vec<_>>(),
        &lines().map(|(_, line)| line.copies).collect::<Vec<_>>(),
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How an order stands in Postgres.
pub(super) struct Standing {
    pub order: OrderId,
    pub owner: String,
    pub status: String,
    pub placed_at: UnixMillis,
}

pub(super) async fn standing(db: impl PgExecutor<'_>, orders: &[Uuid]) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = sqlx::query!("SELECT id, owner, status, placed_at FROM orders WHERE id = ANY($1)", orders)
        .fetch_all(db)
        .await?;
    let standing = rows.into_iter().map(|row| Standing {
        order: OrderId::new(row.id),
        owner: row.owner,
        status: row.status,
        placed_at: from_timestamp(row.placed_at),
    });
    Ok(standing.collect())
}

pub(super) async fn is_parked(db: impl PgExecutor<'_>, source: &str, key: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM dead_letters WHERE source = $1 AND key = $2) AS "parked!""#,
        source,
        key
    )
    .fetch_one(db)
    .await
}

/// Which of these books' rows nobody keeps locked.
pub(super) async fn unlocked(db: impl PgExecutor<'_>, books: &[i64]) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!("SELECT book_id FROM stock WHERE book_id = ANY($1) FOR UPDATE SKIP LOCKED", books)
        .fetch_all(db)
        .await
}
