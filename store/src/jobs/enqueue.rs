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
    /// A mail to send.
    MailSend,
}

impl Topic {
    const ALL: [Self; 6] = [
        Self::OrderChanged,
        Self::PaymentClose,
        Self::PaymentLate,
        Self::RefundRequest,
        Self::BookChanged,
        Self::MailSend,
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
        }
    }
}

/// One piece of work, from `due` on.
pub(crate) async fn enqueue(
    db: impl PgExecutor<'_>,
    topic: Topic,
    key: &str,
    payload: &serde_json::Value,
    due: OffsetDateTime,
) -> sqlx::Result<()> {
    enqueue_alike(db, topic, &[key.to_owned()], payload, due).await
}

/// The same work for many keys, which need no payload.
pub(crate) async fn enqueue_all(
    db: impl PgExecutor<'_>,
    topic: Topic,
    keys: &[String],
    due: OffsetDateTime,
) -> sqlx::Result<()> {
    enqueue_alike(db, topic, keys, &serde_json::json!({}), due).await
}

/// The same work, payload included, for many keys.
pub(crate) async fn enqueue_alike(
    db: impl PgExecutor<'_>,
    topic: Topic,
    keys: &[String],
    payload: &serde_json::Value,
    due: OffsetDateTime,
) -> sqlx::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO outbox (topic, key, payload, due_at) SELECT $1, key, $3, $4 FROM unnest($2::text[]) AS k (key)",
        topic.as_str(),
        keys,
        payload,
        due
    )
    .execute(db)
    .await?;
    Ok(())
}
