//! SQL of the mail channel.

use sqlx::PgExecutor;
use time::OffsetDateTime;

pub(super) async fn is_opted_out(db: impl PgExecutor<'_>, email: &str, kind: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM mail_optouts WHERE email = $1 AND kind = $2) AS "is_opted_out!""#,
        email,
        kind
    )
    .fetch_one(db)
    .await
}

pub(super) async fn opt_out(
    db: impl PgExecutor<'_>,
    email: &str,
    kind: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO mail_optouts (email, kind, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        email,
        kind,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}
