//! SQL of what stands around one order.

use domain::{OrderId, address::Address};
use sqlx::{PgExecutor, PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

/// What decides why an order is where it is, besides the order itself.
#[derive(Default)]
pub(super) struct Facts {
    /// Attempts to pay that may still bring money, and when their provider is asked next.
    pub sessions: Vec<SessionRow>,
    pub refunds: Vec<RefundRow>,
    pub work: Vec<WorkRow>,
    pub letters: Vec<LetterRow>,
    /// Failures to let it expire, and when that is tried again.
    pub expiry: Option<ExpiryRow>,
}

pub(super) struct SessionRow {
    pub provider: String,
    pub status: String,
    pub ask_at: Option<OffsetDateTime>,
}

pub(super) struct RefundRow {
    pub provider: String,
    pub is_taken_up: bool,
    pub ask_at: Option<OffsetDateTime>,
    pub error: Option<String>,
}

pub(super) struct WorkRow {
    /// A topic of the outbox, a kind of message, or of operation at the gate.
    pub what: String,
    pub due_at: OffsetDateTime,
    pub attempts: i32,
    pub last_error: Option<String>,
}

pub(super) struct LetterRow {
    pub id: i64,
    pub what: String,
    pub error: String,
    pub attempts: i32,
    pub parked_at: OffsetDateTime,
}

pub(super) struct ExpiryRow {
    pub attempts: i32,
    /// `None`: not by itself; a dead letter tells of it.
    pub due_at: Option<OffsetDateTime>,
}

/// Pieces of work of one order that are shown.
const MOST: i64 = 50;

impl Facts {
    pub async fn read(pg: &PgPool, order: OrderId) -> sqlx::Result<Self> {
        let keys = keys(pg, order).await?;
        Ok(Self {
            sessions: sessions(pg, order).await?,
            refunds: refunds(pg, order).await?,
            work: work(pg, order, &keys).await?,
            letters: letters(pg, order, &keys).await?,
            expiry: expiry(pg, order).await?,
        })
    }
}

/// By what the work of an order is known: itself, its payments, its refunds.
async fn keys(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT $1::uuid::text AS "key!" UNION ALL SELECT id::text FROM payments WHERE order_id = $1
           UNION ALL SELECT id::text FROM refunds WHERE order_id = $1"#,
        order.get()
    )
    .fetch_all(db)
    .await
}

async fn sessions(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Vec<SessionRow>> {
    sqlx::query_as!(
        SessionRow,
        "SELECT provider, status, ask_at FROM payments
         WHERE order_id = $1 AND status IN ('creating', 'open', 'closing', 'declined', 'late')
         ORDER BY created_at DESC, id LIMIT $2",
        order.get(),
        MOST
    )
    .fetch_all(db)
    .await
}

async fn refunds(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Vec<RefundRow>> {
    sqlx::query_as!(
        RefundRow,
        r#"SELECT p.provider, r.provider_ref IS NOT NULL AS "is_taken_up!", r.ask_at, r.error
           FROM refunds r JOIN payments p ON p.id = r.payment_id
           WHERE r.order_id = $1 AND r.status = 'requested' ORDER BY r.created_at, r.id LIMIT $2"#,
        order.get(),
        MOST
    )
    .fetch_all(db)
    .await
}

async fn work(db: impl PgExecutor<'_>, order: OrderId, keys: &[String]) -> sqlx::Result<Vec<WorkRow>> {
    sqlx::query_as!(
        WorkRow,
        r#"SELECT coalesce(payload ->> 'kind', topic) AS "what!", due_at AS "due_at!", attempts AS "attempts!", last_error
           FROM outbox WHERE split_part(split_part(key, '~', 1), '.', 1) = ANY($2)
           UNION ALL SELECT kind, due_at, attempts, last_error FROM gate_ops
             WHERE order_id = $1 AND applied_at IS NULL
           ORDER BY 2 LIMIT $3"#,
        order.get(),
        keys,
        MOST
    )
    .fetch_all(db)
    .await
}

async fn letters(db: impl PgExecutor<'_>, order: OrderId, keys: &[String]) -> sqlx::Result<Vec<LetterRow>> {
    sqlx::query_as!(
        LetterRow,
        r#"SELECT d.id, coalesce(d.payload -> 'payload' ->> 'kind', d.payload ->> 'topic', d.source) AS "what!", d.error,
             d.attempts, d.parked_at
           FROM dead_letters d WHERE d.state = 'parked' AND CASE d.source
             WHEN 'outbox' THEN split_part(split_part(split_part(d.key, ':', 2), '~', 1), '.', 1) = ANY($2)
             WHEN 'expiry' THEN d.key = $1::uuid::text
             WHEN 'gate_ops' THEN d.key IN (SELECT id::text FROM gate_ops WHERE order_id = $1)
             WHEN 'webhook_inbox' THEN d.key IN (
               SELECT id::text FROM webhook_inbox WHERE order_id = $1 AND outcome = 'quarantined')
             ELSE false END
           ORDER BY d.id LIMIT $3"#,
        order.get(),
        keys,
        MOST
    )
    .fetch_all(db)
    .await
}

async fn expiry(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Option<ExpiryRow>> {
    sqlx::query_as!(
        ExpiryRow,
        r#"SELECT attempts, CASE WHEN due_at < 'infinity' THEN due_at END AS due_at FROM expiry_failures
           WHERE order_id = $1"#,
        order.get()
    )
    .fetch_optional(db)
    .await
}

pub(super) struct NoteRow {
    pub id: i64,
    pub kind: String,
    pub text: String,
    pub by: String,
    pub at: OffsetDateTime,
}

/// The latest notes, in the order in which they were made.
pub(super) async fn notes(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Vec<NoteRow>> {
    const SHOWN: i64 = 200;
    let mut notes = sqlx::query_as!(
        NoteRow,
        "SELECT n.id, n.kind, n.text, a.name AS by, n.at FROM order_notes n JOIN accounts a ON a.id = n.account_id
         WHERE n.order_id = $1 ORDER BY n.id DESC LIMIT $2",
        order.get(),
        SHOWN
    )
    .fetch_all(db)
    .await?;
    notes.reverse();
    Ok(notes)
}

pub(super) async fn last_address_note(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Option<NoteRow>> {
    sqlx::query_as!(
        NoteRow,
        "SELECT n.id, n.kind, n.text, a.name AS by, n.at FROM order_notes n JOIN accounts a ON a.id = n.account_id
         WHERE n.order_id = $1 AND n.kind = 'address' ORDER BY n.id DESC LIMIT 1",
        order.get()
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn insert_note(
    db: impl PgExecutor<'_>,
    order: OrderId,
    account: i64,
    kind: &str,
    text: &str,
    at: OffsetDateTime,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "INSERT INTO order_notes (order_id, account_id, kind, text, at) VALUES ($1, $2, $3, $4, $5) RETURNING id",
        order.get(),
        account,
        kind,
        text,
        at
    )
    .fetch_one(db)
    .await
}

pub(super) struct MovementRow {
    pub title: String,
    pub kind: String,
    pub on_hand_delta: i32,
    pub reserved_delta: i32,
    pub at: OffsetDateTime,
}

/// Of its claims, and of copies that came back from it.
pub(super) async fn movements(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Vec<MovementRow>> {
    const SHOWN: i64 = 500;
    sqlx::query_as!(
        MovementRow,
        "SELECT b.title, m.kind, m.on_hand_delta, m.reserved_delta, m.at FROM stock_movements m JOIN books b ON b.id = m.book_id
         WHERE m.order_id = $1 ORDER BY m.id LIMIT $2",
        order.get(),
        SHOWN
    )
    .fetch_all(db)
    .await
}

pub(super) struct MessageRow {
    pub id: i64,
    pub channel: String,
    pub kind: String,
    pub about: String,
    pub at: OffsetDateTime,
}

pub(super) async fn messages(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Vec<MessageRow>> {
    sqlx::query_as!(
        MessageRow,
        "SELECT id, channel, kind, about, at FROM order_messages WHERE order_id = $1 ORDER BY id LIMIT $2",
        order.get(),
        MOST
    )
    .fetch_all(db)
    .await
}

pub(super) async fn message(db: impl PgExecutor<'_>, order: OrderId, id: i64) -> sqlx::Result<Option<MessageRow>> {
    sqlx::query_as!(
        MessageRow,
        "SELECT id, channel, kind, about, at FROM order_messages WHERE order_id = $1 AND id = $2",
        order.get(),
        id
    )
    .fetch_optional(db)
    .await
}

/// Whether somebody had a message of it sent again since then.
pub(super) async fn was_resent(db: impl PgExecutor<'_>, order: OrderId, since: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM order_notes WHERE order_id = $1 AND kind = 'message' AND at > $2) AS "exists!""#,
        order.get(),
        since
    )
    .fetch_one(db)
    .await
}

/// Orders placed with this e-mail.
pub(super) async fn orders_of(db: impl PgExecutor<'_>, email: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM orders WHERE email = $1"#, email).fetch_one(db).await
}

pub(super) async fn account_of(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Option<domain::AccountId>> {
    let found = sqlx::query_scalar!("SELECT account_id FROM orders WHERE id = $1", order.get());
    Ok(found.fetch_optional(db).await?.flatten().and_then(|id| domain::AccountId::new(id).ok()))
}

pub(super) struct AddressRow {
    pub status: String,
    pub address: Json<Address>,
}

/// Held until the transaction ends.
pub(super) async fn lock_address(db: impl PgExecutor<'_>, order: OrderId) -> sqlx::Result<Option<AddressRow>> {
    sqlx::query_as!(
        AddressRow,
        r#"SELECT status, address AS "address: Json<Address>" FROM orders WHERE id = $1 FOR UPDATE"#,
        order.get()
    )
    .fetch_optional(db)
    .await
}

/// On the order, on a parcel that is still here, and among the words by which the order is found.
pub(super) async fn set_address(
    db: impl PgExecutor<'_>,
    order: OrderId,
    address: &Address,
    at: OffsetDateTime,
) -> sqlx::Result<()> {
    let id: Uuid = order.get();
    sqlx::query!(
        "WITH changed AS (
           UPDATE orders SET address = $2, updated_at = $3 WHERE id = $1 RETURNING id, number, email, address),
         parcel AS (UPDATE shipments SET address = $2 WHERE order_id = $1 AND shipped_at IS NULL)
         INSERT INTO order_words
         SELECT id, lower(number || ' ' || email || ' ' || coalesce(address ->> 'name', '')) FROM changed
         ON CONFLICT (order_id) DO UPDATE SET words = excluded.words",
        id,
        Json(address) as _,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}
