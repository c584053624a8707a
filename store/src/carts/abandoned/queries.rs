//! SQL of forgotten carts.

use sqlx::{PgExecutor, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

/// `[[book, copies], …]`
pub(super) type Lines = Json<Vec<(i64, i64)>>;

/// A cart that has not changed for long, and whether a mail about it is due.
pub(super) struct Seen {
    pub owner: String,
    pub updated_at: OffsetDateTime,
    pub account_id: Option<i64>,
    pub t: i64,
    pub lines: Option<Lines>,
    pub is_due: bool,
}

/// The next shoppers' carts that hold something, by the time of their last change. What makes one due is asked of these only, so that a statement
/// stays short when nearly all carts were written about long ago.
pub(super) async fn page(
    db: impl PgExecutor<'_>,
    until: OffsetDateTime,
    after: Option<&(OffsetDateTime, String)>,
    most: i64,
) -> Result<Vec<Seen>, sqlx::Error> {
    let (after_time, after_owner) = after.cloned().unzip();
    sqlx::query_as!(
        Seen,
        r#"WITH page AS (
             SELECT owner, account_id, t, updated_at,
                    (SELECT jsonb_agg(jsonb_build_array(book_id, quantity) ORDER BY book_id)
                     FROM cart_lines WHERE cart_lines.owner = carts.owner) AS lines
             FROM carts
             WHERE updated_at <= $1 AND account_id IS NOT NULL AND merged_into IS NULL
               AND EXISTS (SELECT FROM cart_lines WHERE cart_lines.owner = carts.owner) AND ($2::timestamptz IS NULL OR (updated_at, owner) > ($2, $3::text))
             ORDER BY updated_at, owner LIMIT $4)
           SELECT page.owner AS "owner!", page.updated_at AS "updated_at!", page.account_id, page.t AS "t!",
             page.lines AS "lines: Lines",
             (EXISTS (SELECT FROM cart_lines line JOIN books ON books.id = line.book_id
                          WHERE line.owner = page.owner AND books.retired_at IS NULL)
              AND NOT EXISTS (SELECT FROM cart_mails mail WHERE mail.account_id = page.account_id AND mail.t = page.t)
              -- The shop itself moves carts on (a new price); that is no new state of the shopper's, for a season.
              AND page.lines IS DISTINCT FROM (SELECT mail.lines FROM cart_mails mail
                  WHERE mail.account_id = page.account_id AND mail.sent_at > $1 - interval '90 days' ORDER BY mail.t DESC LIMIT 1)
              AND NOT EXISTS (SELECT FROM orders WHERE orders.owner = page.owner
                              AND orders.placed_at > page.updated_at - interval '1 day')
              AND NOT EXISTS (SELECT FROM mail_optouts JOIN accounts ON accounts.email = mail_optouts.email
                              WHERE accounts.id = page.account_id AND mail_optouts.kind = 'cart.forgotten')
             ) AS "is_due!"
           FROM page ORDER BY page.updated_at, page.owner"#,
        until,
        after_time,
        after_owner,
        most
    )
    .fetch_all(db)
    .await
}

/// Whether this state of the cart had no mail yet.
pub(super) async fn insert(
    db: impl PgExecutor<'_>,
    id: Uuid,
    account: i64,
    t: i64,
    lines: &Lines,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO cart_mails (id, account_id, t, lines, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT ON CONSTRAINT cart_mails_state_key DO NOTHING",
        id,
        account,
        t,
        lines as &Lines,
        now
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

pub(super) struct ToSend {
    pub account_id: i64,
    pub t: i64,
    pub created_at: OffsetDateTime,
    pub is_sent: bool,
    pub email: String,
    pub name: String,
    pub has_ordered: bool,
}

pub(super) async fn to_send(db: impl PgExecutor<'_>, mail: Uuid) -> Result<Option<ToSend>, sqlx::Error> {
    sqlx::query_as!(
        ToSend,
        r#"SELECT mail.account_id, mail.t, mail.created_at, mail.sent_at IS NOT NULL AS "is_sent!", account.email, account.name,
             EXISTS (SELECT FROM orders WHERE orders.owner = 'a:' || mail.account_id
                     AND orders.placed_at > to_timestamp(mail.t / 1000.0) - interval '1 day') AS "has_ordered!"
           FROM cart_mails mail JOIN accounts account ON account.id = mail.account_id WHERE mail.id = $1"#,
        mail
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn mark_sent(db: impl PgExecutor<'_>, mail: Uuid, now: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE cart_mails SET sent_at = $2 WHERE id = $1 AND sent_at IS NULL", mail, now).execute(db).await?;
    Ok(())
}

pub(super) async fn email(db: impl PgExecutor<'_>, mail: Uuid) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT email FROM cart_mails JOIN accounts ON accounts.id = cart_mails.account_id WHERE cart_mails.id = $1",
        mail
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn lines(db: impl PgExecutor<'_>, mail: Uuid) -> Result<Option<Lines>, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT lines AS "lines: Lines" FROM cart_mails WHERE id = $1"#, mail)
        .fetch_optional(db)
        .await
}
