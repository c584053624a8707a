//! SQL of the inbox of webhooks.

use crate::{payments::provider::ProviderEvent, world::from_timestamp};
use domain::{OrderId, payment::Quarantined};
use serde_json::Value;
use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// Takes the event in; `None`: it is there already. Waits for another transaction that is taking the same event in.
pub(in crate::payments) async fn insert_event(
    db: impl PgExecutor<'_>,
    provider: &str,
    event: &ProviderEvent,
    payload: &Value,
    at: OffsetDateTime,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "INSERT INTO webhook_inbox (provider, event_id, kind, payload, order_id, outcome, received_at)
         VALUES ($1, $2, $3, $4, $5, 'ignored', $6)
         ON CONFLICT ON CONSTRAINT webhook_inbox_event_key DO NOTHING RETURNING id",
        provider,
        event.id,
        event.name,
        payload,
        event.order.map(OrderId::get),
        at
    )
    .fetch_optional(db)
    .await
}

pub(in crate::payments) async fn set_outcome(
    db: impl PgExecutor<'_>,
    id: i64,
    outcome: &str,
    note: Option<&str>,
    due_at: Option<OffsetDateTime>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE webhook_inbox SET outcome = $2, note = $3, due_at = $4, leases = 0 WHERE id = $1",
        id,
        outcome,
        note,
        due_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An event that came before its order.
pub struct WaitingEvent {
    pub id: i64,
    pub provider: String,
    pub payload: Value,
    /// This attempt included.
    pub attempts: i32,
    /// Looks before this one that had no outcome.
    pub leases: i32,
}

pub(in crate::payments) async fn lease_waiting(
    pg: &PgPool,
    now: OffsetDateTime,
    lease_end: OffsetDateTime,
    limit: i64,
) -> sqlx::Result<Vec<WaitingEvent>> {
    sqlx::query_as!(
        WaitingEvent,
        "UPDATE webhook_inbox SET due_at = $2, attempts = attempts + 1
         WHERE id IN (SELECT id FROM webhook_inbox WHERE outcome = 'waiting' AND due_at <= $1
                      ORDER BY due_at FOR UPDATE SKIP LOCKED LIMIT $3)
         RETURNING id, provider, payload, attempts, leases",
        now,
        lease_end,
        limit
    )
    .fetch_all(pg)
    .await
}

/// Counts a look at the event; returns how many it has had without an outcome.
pub(in crate::payments) async fn count_lease(pg: &PgPool, id: i64) -> sqlx::Result<i32> {
    let count = sqlx::query_scalar!("UPDATE webhook_inbox SET leases = leases + 1 WHERE id = $1 RETURNING leases", id);
    count.fetch_one(pg).await
}

/// The look failed, and whoever took it lives on.
pub(in crate::payments) async fn forget_leases(pg: &PgPool, id: i64) -> sqlx::Result<()> {
    sqlx::query!("UPDATE webhook_inbox SET leases = 0 WHERE id = $1", id).execute(pg).await?;
    Ok(())
}

/// The look failed, and not because of the event.
pub(in crate::payments) async fn hand_back(pg: &PgPool, id: i64) -> sqlx::Result<()> {
    sqlx::query!("UPDATE webhook_inbox SET leases = 0, attempts = greatest(attempts - 1, 0) WHERE id = $1", id)
        .execute(pg)
        .await?;
    Ok(())
}

/// Whether the event still waits; holds it until the transaction ends.
pub(in crate::payments) async fn lock_waiting(db: impl PgExecutor<'_>, id: i64) -> sqlx::Result<bool> {
    let row = sqlx::query_scalar!("SELECT id FROM webhook_inbox WHERE id = $1 AND outcome = 'waiting' FOR UPDATE", id)
        .fetch_optional(db)
        .await?;
    Ok(row.is_some())
}

/// Events that did not fit the ledger and that nobody let go, the newest first; all, or those that name this order.
pub(in crate::payments) async fn quarantined(
    pg: &PgPool,
    order: Option<OrderId>,
    most: i64,
) -> sqlx::Result<Vec<Quarantined>> {
    let rows = sqlx::query!(
        r#"SELECT i.id, i.provider, i.kind, i.note, i.received_at, o.id AS "order_id?", o.number AS "number?"
           FROM webhook_inbox i LEFT JOIN orders o ON o.id = i.order_id
           WHERE i.outcome = 'quarantined' AND ($1::uuid IS NULL OR i.order_id = $1) AND NOT EXISTS (
             SELECT FROM dead_letters d
             WHERE d.source = 'webhook_inbox' AND d.key = i.id::text AND d.state = 'discarded')
           ORDER BY i.id DESC LIMIT $2"#,
        order.map(OrderId::get),
        most
    );
    let rows = rows.fetch_all(pg).await?;
    Ok(rows
        .into_iter()
        .map(|row| Quarantined {
            id: row.id,
            provider: row.provider,
            kind: row.kind,
            why: row.note.unwrap_or_default(),
            received_at: from_timestamp(row.received_at),
            order_id: row.order_id.map(OrderId::new),
            number: row.number,
        })
        .collect())
}

/// What this event is about, should it be kept apart: the order whose session it tells of, whatever else it names; and
/// whether it is money that the shop has, and that pays nothing.
pub(in crate::payments) async fn set_about(
    db: impl PgExecutor<'_>,
    id: i64,
    provider: &str,
    provider_ref: &str,
    brings_money: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE webhook_inbox SET brings_money = $4, order_id = coalesce(
           (SELECT order_id FROM payments WHERE provider = $2 AND provider_ref = $3), order_id) WHERE id = $1",
        id,
        provider,
        provider_ref,
        brings_money
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether money of this order is kept apart.
pub(in crate::payments) async fn is_apart(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM webhook_inbox WHERE order_id = $1 AND outcome = 'quarantined' AND brings_money)
             AS "exists!""#,
        order.get()
    )
    .fetch_one(db)
    .await
}

/// An event that is kept apart.
pub(in crate::payments) struct ApartRow {
    pub brings_money: bool,
    pub order_id: Option<Uuid>,
    pub number: Option<String>,
}

/// Held until the transaction ends; `None`: it is not kept apart (any more).
pub(in crate::payments) async fn lock_apart(db: impl PgExecutor<'_>, id: i64) -> sqlx::Result<Option<ApartRow>> {
    sqlx::query_as!(
        ApartRow,
        r#"SELECT i.brings_money, o.id AS "order_id?", o.number AS "number?"
           FROM webhook_inbox i LEFT JOIN orders o ON o.id = i.order_id
           WHERE i.id = $1 AND i.outcome = 'quarantined' AND NOT EXISTS (
             SELECT FROM dead_letters d
             WHERE d.source = 'webhook_inbox' AND d.key = i.id::text AND d.state = 'discarded')
           FOR UPDATE OF i"#,
        id
    )
    .fetch_optional(db)
    .await
}

/// Lets the letter of an event go; `false`: none is parked.
pub(in crate::payments) async fn end_letter(
    db: impl PgExecutor<'_>,
    id: i64,
    reason: &str,
    at: OffsetDateTime,
) -> sqlx::Result<bool> {
    let ended = sqlx::query!(
        "UPDATE dead_letters SET state = 'discarded', reason = $2, ended_at = $3
         WHERE source = 'webhook_inbox' AND key = $1::bigint::text AND state = 'parked'",
        id,
        reason,
        at
    );
    Ok(ended.execute(db).await?.rows_affected() > 0)
}

pub(in crate::payments) async fn insert_ended_letter(
    db: impl PgExecutor<'_>,
    id: i64,
    reason: &str,
    at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO dead_letters (source, key, payload, error, attempts, parked_at, state, reason, ended_at)
         SELECT 'webhook_inbox', id::text, jsonb_build_object('inbox', id), coalesce(note, ''), attempts, $3, 'discarded',
           $2, $3 FROM webhook_inbox WHERE id = $1",
        id,
        reason,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}
