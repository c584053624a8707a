//! SQL of the audit log.

use serde_json::Value;
use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) struct Note<'a> {
    pub account: Option<i64>,
    pub role: &'a str,
    pub action: &'a str,
    pub kind: &'a str,
    pub id: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

pub(super) async fn insert(db: impl PgExecutor<'_>, note: Note<'_>, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO admin_audit (at, account_id, role, action, subject_kind, subject_id, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        at,
        note.account,
        note.role,
        note.action,
        note.kind,
        note.id,
        note.before,
        note.after
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Account and role of who did that to this last.
pub(super) async fn who_did(
    db: impl PgExecutor<'_>,
    action: &str,
    kind: &str,
    id: &str,
) -> sqlx::Result<Option<(Option<i64>, String)>> {
    let row = sqlx::query!(
        "SELECT account_id, role FROM admin_audit WHERE action = $1 AND subject_kind = $2 AND subject_id = $3
         ORDER BY id DESC LIMIT 1",
        action,
        kind,
        id
    );
    Ok(row.fetch_optional(db).await?.map(|row| (row.account_id, row.role)))
}

/// An absent part lets everything through.
pub(super) struct Filter {
    pub account: Option<i64>,
    pub action: Option<String>,
    pub kind: Option<String>,
    pub subject: Option<String>,
    pub before: Option<i64>,
}

pub(super) struct Row {
    pub id: i64,
    pub at: OffsetDateTime,
    pub account_id: Option<i64>,
    pub name: Option<String>,
    pub role: String,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub subject: Option<String>,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// With the name that people have for the subject.
pub(super) async fn list(db: impl PgExecutor<'_>, filter: &Filter, limit: usize) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        r#"SELECT x.id, x.at, x.account_id, a.name AS "name?", x.role, x.action, x.subject_kind, x.subject_id,
             CASE
               WHEN x.subject_kind = 'order' AND x.subject_id ~ '^[0-9a-f-]{36}$'
                 THEN (SELECT o.number FROM orders o WHERE o.id = x.subject_id::uuid)
               WHEN x.subject_kind = 'account' AND x.subject_id ~ '^[0-9]{1,18}$'
                 THEN (SELECT s.name FROM accounts s WHERE s.id = x.subject_id::bigint)
               WHEN x.subject_kind = 'book' AND x.subject_id ~ '^[0-9]{1,18}$'
                 THEN (SELECT b.title FROM books b WHERE b.id = x.subject_id::bigint)
             END AS subject,
             x.before, x.after
           FROM admin_audit x LEFT JOIN accounts a ON a.id = x.account_id
           WHERE ($1::bigint IS NULL OR x.account_id = $1) AND ($2::text IS NULL OR x.action = $2)
             AND ($3::text IS NULL OR x.subject_kind = $3) AND ($4::text IS NULL OR x.subject_id = $4)
             AND ($5::bigint IS NULL OR x.id < $5)
           ORDER BY x.id DESC LIMIT $6"#,
        filter.account,
        filter.action,
        filter.kind,
        filter.subject,
        filter.before,
        i64::try_from(limit).unwrap_or(i64::MAX)
    )
    .fetch_all(db)
    .await
}

/// Whoever is in the log: from one name in the index to the next, however many entries there are.
pub(super) async fn people(pg: &PgPool) -> sqlx::Result<Vec<(i64, String)>> {
    let rows = sqlx::query!(
        r#"WITH RECURSIVE person (id) AS (
             SELECT min(account_id) FROM admin_audit
             UNION ALL
             SELECT (SELECT min(x.account_id) FROM admin_audit x WHERE x.account_id > p.id) FROM person p
             WHERE p.id IS NOT NULL)
           SELECT a.id, a.name FROM person p JOIN accounts a ON a.id = p.id ORDER BY a.name, a.id LIMIT 500"#
    );
    Ok(rows.fetch_all(pg).await?.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Whatever was ever done.
pub(super) async fn actions(pg: &PgPool) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH RECURSIVE done (action) AS (
             SELECT min(action) FROM admin_audit
             UNION ALL
             SELECT (SELECT min(x.action) FROM admin_audit x WHERE x.action > d.action) FROM done d
             WHERE d.action IS NOT NULL)
           SELECT action AS "action!" FROM done WHERE action IS NOT NULL LIMIT 200"#
    )
    .fetch_all(pg)
    .await
}

pub(super) async fn order(pg: &PgPool, number: &str) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!("SELECT id FROM orders WHERE number = $1", number).fetch_optional(pg).await
}

pub(super) async fn account(pg: &PgPool, email: &str) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!("SELECT id FROM accounts WHERE email = $1", email).fetch_optional(pg).await
}
