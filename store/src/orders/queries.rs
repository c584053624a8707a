//! SQL of orders: what is read of them; what changes them is in a file of its own.

mod changes;

pub(super) use changes::{
    SignedStep, arrived, claim_no, compare_and_set, count_failure, expire, hand_over, insert_histories, insert_history,
    insert_shipment, is_refunding, note, open_payments, put_off, set_actor, signed_steps, unlocked,
};

use super::draft::{self, Draft};
use crate::{
    Store,
    error::{During, Error},
    viewer::Viewer,
    world::{from_timestamp, to_timestamp},
};
use domain::{
    Currency, IdempotencyKey, Minor, OrderId, Owner, UnixMillis,
    account::Email,
    address::Address,
    order::{OrderEvent, OrderLine, OrderNumber, OrderStatus, OrderSummary, OrderView, Placed, Shipment},
    payment::{PaymentView, RefundView},
};
use sqlx::{PgExecutor, types::Json};
use std::collections::HashSet;
use time::OffsetDateTime;
use uuid::Uuid;

/// The whole order in one statement, so that its status and its history are of one moment.
pub(super) async fn view(store: &Store, order: OrderId) -> Result<Option<(Owner, OrderView)>, Error> {
    const OPERATION: &str = "orders.view";
    let row = sqlx::query!(
        r#"SELECT o.owner, o.number, o.status, o.version, o.email, o.address AS "address: Json<Address>", o.currency,
             o.subtotal_minor, o.delivery_minor, o.total_minor, o.placed_at, o.expires_at,
             (SELECT jsonb_agg(jsonb_build_object('book_id', i.book_id, 'title', i.title, 'slug', i.slug,
                'quantity', i.quantity, 'unit_price', i.unit_price_minor, 'line_total', i.line_total_minor)
                ORDER BY i.line_no) FROM order_items i WHERE i.order_id = o.id) AS "lines: Json<Vec<OrderLine>>",
             (SELECT jsonb_agg(jsonb_build_object('version', h.version, 'status', h.status, 'cause', h.cause,
                'at', (extract(epoch FROM h.at) * 1000)::bigint, 'note', h.note, 'by', a.name)
                ORDER BY h.version) FROM order_history h LEFT JOIN accounts a ON a.id = h.actor_id
                WHERE h.order_id = o.id) AS "events: Json<Vec<OrderEvent>>",
             (SELECT jsonb_agg(jsonb_build_object('payment_id', p.id, 'provider', p.provider, 'status', p.status,
                'amount', p.amount_minor, 'currency', p.currency,
                'created_at', (extract(epoch FROM p.created_at) * 1000)::bigint)
                ORDER BY p.created_at, p.id) FROM payments p WHERE p.order_id = o.id)
                AS "payments: Json<Vec<PaymentView>>",
             (SELECT jsonb_build_object('carrier', s.carrier, 'tracking', s.tracking,
                'packed_at', (extract(epoch FROM s.created_at) * 1000)::bigint,
                'shipped_at', (extract(epoch FROM s.shipped_at) * 1000)::bigint,
                'delivered_at', (extract(epoch FROM s.delivered_at) * 1000)::bigint)
                FROM shipments s WHERE s.order_id = o.id) AS "shipment: Json<Shipment>",
             (SELECT jsonb_agg(jsonb_build_object('refund_id', r.id, 'payment_id', r.payment_id, 'status', r.status,
                'amount', r.amount_minor, 'currency', r.currency, 'reason', r.reason, 'restocks', r.restocks,
                'error', r.error, 'by', a.name, 'created_at', (extract(epoch FROM r.created_at) * 1000)::bigint)
                ORDER BY r.created_at, r.id) FROM refunds r LEFT JOIN accounts a ON a.id = r.actor_id
                WHERE r.order_id = o.id) AS "refunds: Json<Vec<RefundView>>",
             EXISTS (SELECT FROM webhook_inbox i WHERE i.order_id = o.id AND i.outcome = 'quarantined' AND i.brings_money
                AND NOT EXISTS (SELECT FROM dead_letters d WHERE d.source = 'webhook_inbox' AND d.key = i.id::text
                  AND d.state = 'discarded')) AS "money_apart!"
           FROM orders o WHERE o.id = $1"#,
        order.get()
    )
    .fetch_optional(store.pg())
    .await
    .during(OPERATION)?;
    let Some(row) = row else { return Ok(None) };
    let view = OrderView {
        order_id: order,
        number: number(OPERATION, &row.number)?,
        status: status(OPERATION, &row.status)?,
        version: row.version,
        lines: row.lines.map(|lines| lines.0).unwrap_or_default(),
        subtotal: Minor::new(row.subtotal_minor),
        delivery: Minor::new(row.delivery_minor),
        total: Minor::new(row.total_minor),
        currency: currency(OPERATION, &row.currency)?,
        email: row.email,
        address: row.address.0,
        placed_at: from_timestamp(row.placed_at),
        expires_at: from_timestamp(row.expires_at),
        server_time: store.now(),
        events: row.events.map(|events| events.0).unwrap_or_default(),
        payments: row.payments.map(|payments| payments.0).unwrap_or_default(),
        shipment: row.shipment.map(|shipment| shipment.0),
        refunds: row.refunds.map(|refunds| refunds.0).unwrap_or_default(),
        money_apart: row.money_apart,
        cancel_asked: false,
    };
    Ok(Some((owner(OPERATION, &row.owner)?, view)))
}

/// A row of a list of orders, for shoppers and admins.
#[derive(sqlx::FromRow)]
pub(crate) struct SummaryRow {
    pub id: Uuid,
    pub number: String,
    pub status: String,
    pub version: i64,
    pub total_minor: i64,
    pub currency: String,
    pub email: String,
    pub placed_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub copies: i64,
    pub first_title: String,
    pub titles: i64,
}

impl TryFrom<SummaryRow> for OrderSummary {
    type Error = Error;
    fn try_from(row: SummaryRow) -> Result<Self, Error> {
        const OPERATION: &str = "orders.summary";
        Ok(Self {
            order_id: OrderId::new(row.id),
            number: number(OPERATION, &row.number)?,
            status: status(OPERATION, &row.status)?,
            version: row.version,
            total: Minor::new(row.total_minor),
            currency: currency(OPERATION, &row.currency)?,
            copies: row.copies,
            email: row.email,
            first_title: row.first_title,
            titles: row.titles,
            placed_at: from_timestamp(row.placed_at),
            expires_at: from_timestamp(row.expires_at),
        })
    }
}

/// The latest orders of this person: their own, and of guests those that this browser holds receipts of and those that
/// were placed with their address.
pub(super) async fn summaries(store: &Store, viewer: &Viewer, most: usize) -> Result<Vec<OrderSummary>, Error> {
    let receipts = viewer.receipts.iter().filter(|(_, owner)| owner.guest().is_some());
    let (ids, owners): (Vec<Uuid>, Vec<String>) =
        receipts.map(|(order, owner)| (order.get(), owner.to_string())).unzip();
    let rows = sqlx::query_as!(
        SummaryRow,
        r#"SELECT o.id, o.number, o.status, o.version, o.total_minor, o.currency, o.email, o.placed_at, o.expires_at,
             (SELECT coalesce(sum(i.quantity), 0) FROM order_items i WHERE i.order_id = o.id) AS "copies!",
             coalesce((SELECT i.title FROM order_items i WHERE i.order_id = o.id ORDER BY i.line_no LIMIT 1), '')
               AS "first_title!",
             (SELECT count(*) FROM order_items i WHERE i.order_id = o.id) AS "titles!"
           FROM orders o
           WHERE o.owner = $1 OR (o.id, o.owner) IN (SELECT * FROM unnest($2::uuid[], $3::text[]))
             OR (o.guest_id IS NOT NULL AND o.email = $5)
           ORDER BY o.placed_at DESC, o.id LIMIT $4"#,
        viewer.owner.to_string(),
        &ids,
        &owners,
        i64::try_from(most).unwrap_or(i64::MAX),
        viewer.proven.as_ref().map(Email::as_str)
    )
    .fetch_all(store.pg())
    .await
    .during("orders.list")?;
    rows.into_iter().map(OrderSummary::try_from).collect()
}

/// What a key was used for, and the answer it got.
pub(crate) struct UsedKey {
    pub owner: Owner,
    pub key: IdempotencyKey,
    pub fingerprint: String,
    pub placed_at: UnixMillis,
    pub answer: Placed,
}

struct UsedKeyRow {
    id: Uuid,
    number: String,
    owner: String,
    idempotency_key: String,
    fingerprint: String,
    total_minor: i64,
    currency: String,
    placed_at: OffsetDateTime,
}

impl UsedKeyRow {
    fn parse(self, store: &Store) -> Result<UsedKey, Error> {
        const OPERATION: &str = "orders.used_key";
        let placed_at = from_timestamp(self.placed_at);
        let answer = Placed {
            order_id: OrderId::new(self.id),
            number: number(OPERATION, &self.number)?,
            status: OrderStatus::Pending,
            total: Minor::new(self.total_minor),
            currency: currency(OPERATION, &self.currency)?,
            expires_at: draft::deadline(store, placed_at),
        };
        let key = key(OPERATION, self.idempotency_key)?;
        Ok(UsedKey { owner: owner(OPERATION, &self.owner)?, key, fingerprint: self.fingerprint, placed_at, answer })
    }
}

pub(super) async fn used_key(store: &Store, owner: &Owner, key: &IdempotencyKey) -> Result<Option<UsedKey>, Error> {
    let row = sqlx::query_as!(
        UsedKeyRow,
        "SELECT id, number, owner, idempotency_key, fingerprint, total_minor, currency, placed_at
         FROM orders WHERE owner = $1 AND idempotency_key = $2",
        owner.to_string(),
        key.as_str()
    )
    .fetch_optional(store.pg())
    .await
    .during("orders.used_key")?;
    row.map(|row| row.parse(store)).transpose()
}

/// The keys used since then, in pages: those of orders after `after`, by time and id.
pub(crate) async fn recent_keys(
    db: impl PgExecutor<'_>,
    store: &Store,
    (since, after): (UnixMillis, Uuid),
    most: i64,
) -> Result<Vec<UsedKey>, Error> {
    let rows = sqlx::query_as!(
        UsedKeyRow,
        "SELECT id, number, owner, idempotency_key, fingerprint, total_minor, currency, placed_at
         FROM orders WHERE placed_at >= $1 AND (placed_at > $1 OR id > $2) ORDER BY placed_at, id LIMIT $3",
        to_timestamp(since),
        after,
        most
    )
    .fetch_all(db)
    .await
    .during("orders.recent_keys")?;
    rows.into_iter().map(|row| row.parse(store)).collect()
}

/// The orders that hold copies in Postgres, as the gate knows orders, in pages: those after `after`; all, or some.
pub(crate) async fn open_drafts(
    db: impl PgExecutor<'_>,
    store: &Store,
    among: Option<&[Uuid]>,
    after: Uuid,
    most: i64,
) -> Result<Vec<Draft>, Error> {
    const OPERATION: &str = "orders.open_drafts";
    let rows = sqlx::query!(
        r#"SELECT o.id, o.number, o.owner, o.idempotency_key, o.fingerprint, o.email,
             o.address AS "address: Json<Address>", o.currency, o.subtotal_minor, o.delivery_minor, o.total_minor,
             o.placed_at,
             (SELECT jsonb_agg(jsonb_build_object('book_id', i.book_id, 'title', i.title, 'slug', i.slug,
                'quantity', i.quantity, 'unit_price', i.unit_price_minor, 'line_total', i.line_total_minor)
                ORDER BY i.line_no) FROM order_items i WHERE i.order_id = o.id) AS "lines: Json<Vec<OrderLine>>"
           FROM orders o
           WHERE o.status = 'PAYMENT_PENDING' AND o.id > $1 AND ($3::uuid[] IS NULL OR o.id = ANY($3))
           ORDER BY o.id LIMIT $2"#,
        after,
        most,
        among
    )
    .fetch_all(db)
    .await
    .during(OPERATION)?;
    let mut drafts = Vec::with_capacity(rows.len());
    for row in rows {
        let placed_at = from_timestamp(row.placed_at);
        drafts.push(Draft {
            order_id: OrderId::new(row.id),
            number: number(OPERATION, &row.number)?,
            owner: owner(OPERATION, &row.owner)?,
            key: key(OPERATION, row.idempotency_key)?,
            fingerprint: row.fingerprint,
            email: row.email,
            address: row.address.0,
            currency: currency(OPERATION, &row.currency)?,
            lines: row.lines.map(|lines| lines.0).unwrap_or_default(),
            subtotal: Minor::new(row.subtotal_minor),
            delivery: Minor::new(row.delivery_minor),
            total: Minor::new(row.total_minor),
            placed_at,
            // As its placing answered, so that a repeat gets the same answer.
            expires_at: draft::deadline(store, placed_at),
        });
    }
    Ok(drafts)
}

/// When these orders were placed, as Postgres has them.
pub(crate) async fn placed_at(
    db: impl PgExecutor<'_>,
    orders: &[Uuid],
) -> Result<Vec<(OrderId, UnixMillis)>, sqlx::Error> {
    let rows = sqlx::query!("SELECT id, placed_at FROM orders WHERE id = ANY($1)", orders).fetch_all(db).await?;
    Ok(rows.into_iter().map(|row| (OrderId::new(row.id), from_timestamp(row.placed_at))).collect())
}

/// Which of these entries of the stream are parked: whatever they took is given back, or written down.
pub(crate) async fn parked(db: impl PgExecutor<'_>, entries: &[String]) -> Result<HashSet<String>, sqlx::Error> {
    let keys = sqlx::query_scalar!("SELECT key FROM dead_letters WHERE source = 'placed' AND key = ANY($1)", entries)
        .fetch_all(db)
        .await?;
    Ok(keys.into_iter().collect())
}

/// An order whose time to pay is over.
pub(super) struct Due {
    pub id: Uuid,
    pub expires_at: OffsetDateTime,
}

/// The longest waiting first, in pages: those after `last`.
pub(super) async fn due(
    store: &Store,
    now: UnixMillis,
    last: Option<(OffsetDateTime, Uuid)>,
    most: i64,
) -> Result<Vec<Due>, Error> {
    let (after, id) = last.unzip();
    sqlx::query_as!(
        Due,
        "SELECT id, expires_at FROM orders o
         WHERE status = 'PAYMENT_PENDING' AND expires_at <= $1 AND ($2::timestamptz IS NULL OR (expires_at, id) > ($2, $3))
           AND NOT EXISTS (SELECT FROM expiry_failures f WHERE f.order_id = o.id AND f.due_at > $1)
         ORDER BY expires_at, id LIMIT $4",
        to_timestamp(now),
        after,
        id,
        most
    )
    .fetch_all(store.pg())
    .await
    .during("orders.due")
}

fn status(operation: &'static str, text: &str) -> Result<OrderStatus, Error> {
    text.parse().map_err(|_| Error::unexpected(operation, format!("status {text}")))
}

fn number(operation: &'static str, text: &str) -> Result<OrderNumber, Error> {
    OrderNumber::parse(text).map_err(|_| Error::unexpected(operation, format!("order number {text}")))
}

fn owner(operation: &'static str, text: &str) -> Result<Owner, Error> {
    text.parse().map_err(|_| Error::unexpected(operation, format!("owner {text}")))
}

fn key(operation: &'static str, text: String) -> Result<IdempotencyKey, Error> {
    IdempotencyKey::try_from(text).map_err(|bad| Error::unexpected(operation, bad.to_string()))
}

fn currency(operation: &'static str, code: &str) -> Result<Currency, Error> {
    Currency::parse(code).map_err(|_| Error::unexpected(operation, format!("currency {code}")))
}
