//! SQL of who works here.

use sqlx::{PgExecutor, PgPool};

pub(super) struct Person {
    pub id: i64,
    pub name: String,
    pub email: String,
    pub role: String,
    pub is_verified: bool,
}

pub(super) async fn list(pg: &PgPool) -> sqlx::Result<Vec<Person>> {
    sqlx::query_as!(
        Person,
        r#"SELECT id, name, email, role, email_verified_at IS NOT NULL AS "is_verified!"
           FROM accounts WHERE role <> 'shopper' ORDER BY id LIMIT 500"#
    )
    .fetch_all(pg)
    .await
}

pub(super) async fn lock_owners(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!("SELECT id FROM accounts WHERE role = 'owner' ORDER BY id FOR NO KEY UPDATE")
        .fetch_all(db)
        .await
}

pub(super) async fn lock(db: impl PgExecutor<'_>, email: &str) -> sqlx::Result<Option<Person>> {
    sqlx::query_as!(
        Person,
        r#"SELECT id, name, email, role, email_verified_at IS NOT NULL AS "is_verified!"
           FROM accounts WHERE email = $1 FOR NO KEY UPDATE"#,
        email
    )
    .fetch_optional(db)
    .await
}

/// Sessions carry a hash of how often everything was signed out: all of them end.
pub(super) async fn set_role(db: impl PgExecutor<'_>, id: i64, role: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE accounts SET role = $2, sign_outs = sign_outs + 1 WHERE id = $1", id, role)
        .execute(db)
        .await?;
    Ok(())
}
