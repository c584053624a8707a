//! Work for after a commit, written in the same transaction as what causes it: the one spelling of a row of the outbox.

use sqlx::PgExecutor;
use time::OffsetDateTime;

/// What is to be done; the row's key says to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// Key: order. Its live message.
    OrderChanged,
    /// Key: payment. Its session at the provider must end.
    PaymentClose,
    /// Key: payment. Money came for an order that had ended: claim its copies again, or send it back.
    PaymentLate,
    /// Key: refund. The provider has to be asked for it.
    RefundRequest,
    /// Key: book. Payload `{"stamp": ms}`: title, price or state are new; carts that hold it must say so.
    BookChanged,
    /// A mail to send. Key: what it is about. Payload `{"kind": …}`.
    MailSend,
    /// A short message to send; key and payload like a mail's.
    SmsSend,
}

impl Topic {
    const ALL: [Self; 7] = [
        Self::OrderChanged,
        Self::PaymentClose,
        Self::PaymentLate,
        Self::RefundRequest,
        Self::BookChanged,
        Self::MailSend,
        Self::SmsSend,
    ];

    /// `None`: a row that no version of ours has written.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == text)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderChanged => "order.changed",
            Self::PaymentClose => "payment.close",
            Self::PaymentLate => "payment.late",
            Self::RefundRequest => "refund.request",
            Self::BookChanged => "book.changed",
            Self::MailSend => "mail.send",
            Self::SmsSend => "sms.send",
        }
    }
}

/// One row of the outbox.
pub(crate) struct Work {
    pub topic: Topic,
    pub key: String,
    pub payload: serde_json::Value,
    pub due: OffsetDateTime,
}

impl Work {
    /// Work that needs no payload.
    pub fn bare(topic: Topic, key: String, due: OffsetDateTime) -> Self {
        Self { topic, key, payload: serde_json::json!({}), due }
    }
}

/// All kinds of work that one transaction causes, in one statement.
pub(crate) async fn enqueue_work(db: impl PgExecutor<'_>, work: &[Work]) -> sqlx::Result<()> {
    if work.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO outbox (topic, key, payload, due_at)
         SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[])",
        &work.iter().map(|work| work.topic.as_str().to_owned()).collect::<Vec<_>>(),
        &work.iter().map(|work| work.key.clone()).collect::<Vec<_>>(),
        &work.iter().map(|work| work.payload.clone()).collect::<Vec<_>>(),
        &work.iter().map(|work| work.due).collect::<Vec<_>>(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// One piece of work, from `due` on.
pub(crate) async fn enqueue(
    db: impl PgExecutor<'_>,
    topic: Topic,
    key: &str,
    payload: &serde_json::Value,
    due: OffsetDateTime,
) -> sqlx::Result<()> {
    enqueue_alike(db, topic, &[key.to_owned()], payload, due).await?;
    Ok(())
}

/// The same work for many keys, which need no payload; the ids of the rows.
pub(crate) async fn enqueue_all(
    db: impl PgExecutor<'_>,
    topic: Topic,
    keys: &[String],
    due: OffsetDateTime,
) -> sqlx::Result<Vec<i64>> {
    enqueue_alike(db, topic, keys, &serde_json::json!({}), due).await
}

/// The same work, payload included, for many keys; the ids of the rows.
pub(crate) async fn enqueue_alike(
    db: impl PgExecutor<'_>,
    topic: Topic,
    keys: &[String],
    payload: &serde_json::Value,
    due: OffsetDateTime,
) -> sqlx::Result<Vec<i64>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar!(
        "INSERT INTO outbox (topic, key, payload, due_at) SELECT $1, key, $3, $4 FROM unnest($2::text[]) AS k (key)
         RETURNING id",
        topic.as_str(),
        keys,
        payload,
        due
    )
    .fetch_all(db)
    .await
}
