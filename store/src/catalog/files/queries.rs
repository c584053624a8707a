//! SQL of files of books.

use crate::world::from_timestamp;
use domain::catalog::desk::{BookFile, FileState, Outcome, Preview};
use serde_json::Value;
use sqlx::{PgExecutor, PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) struct NewFile<'a> {
    pub id: Uuid,
    pub actor: Option<i64>,
    pub name: &'a str,
    pub content: &'a [u8],
    pub preview: &'a Value,
    pub at: OffsetDateTime,
}

pub(super) async fn insert(db: impl PgExecutor<'_>, file: &NewFile<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO book_imports (id, actor_id, name, size, content, state, preview, uploaded_at)
         VALUES ($1, $2, $3, length($4::bytea), $4, 'ready', $5, $6)",
        file.id,
        file.actor,
        file.name,
        file.content,
        file.preview,
        file.at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Of those that wait for somebody's word, all but so many.
pub(super) async fn drop_oldest(db: impl PgExecutor<'_>, most: i64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM book_imports WHERE id IN (
             SELECT id FROM book_imports WHERE state = 'ready' ORDER BY uploaded_at DESC, id OFFSET $1)",
        most
    )
    .execute(db)
    .await?;
    Ok(())
}

struct FileRow {
    id: Uuid,
    name: String,
    size: i32,
    state: String,
    by: Option<String>,
    uploaded_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
    preview: Json<Preview>,
    lines_done: i64,
    outcome: Option<Json<Outcome>>,
}

pub(super) async fn file(pg: &PgPool, id: Uuid) -> Result<Option<BookFile>, sqlx::Error> {
    let row = sqlx::query_as!(
        FileRow,
        r#"SELECT i.id, i.name, size, state, a.name AS "by?", uploaded_at, ended_at, preview AS "preview!: Json<Preview>",
                  lines_done, report AS "outcome?: Json<Outcome>"
           FROM book_imports i LEFT JOIN accounts a ON a.id = i.actor_id WHERE i.id = $1"#,
        id
    );
    row.fetch_optional(pg).await?.map(BookFile::try_from).transpose()
}

pub(super) async fn files(pg: &PgPool, most: i64) -> Result<Vec<BookFile>, sqlx::Error> {
    let rows = sqlx::query_as!(
        FileRow,
        r#"SELECT i.id, i.name, size, state, a.name AS "by?", uploaded_at, ended_at, preview AS "preview!: Json<Preview>",
                  lines_done, report AS "outcome?: Json<Outcome>"
           FROM book_imports i LEFT JOIN accounts a ON a.id = i.actor_id ORDER BY uploaded_at DESC, i.id LIMIT $1"#,
        most
    );
    rows.fetch_all(pg).await?.into_iter().map(BookFile::try_from).collect()
}

impl TryFrom<FileRow> for BookFile {
    type Error = sqlx::Error;

    fn try_from(row: FileRow) -> Result<Self, sqlx::Error> {
        let state = FileState::parse(&row.state);
        Ok(Self {
            id: row.id.to_string(),
            name: row.name,
            size: row.size.into(),
            state: state.ok_or_else(|| sqlx::Error::Decode(format!("a file that is {}", row.state).into()))?,
            by: row.by,
            uploaded_at: from_timestamp(row.uploaded_at),
            ended_at: row.ended_at.map(from_timestamp),
            preview: row.preview.0,
            lines_done: row.lines_done,
            outcome: row.outcome.map(|outcome| outcome.0),
        })
    }
}

/// Of a file that waits for somebody's word; returns how many there were.
pub(super) async fn decide(
    db: impl PgExecutor<'_>,
    id: Uuid,
    state: FileState,
    at: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let decided = sqlx::query!(
        "UPDATE book_imports SET state = $2, due_at = CASE WHEN $2 = 'wanted' THEN $3::timestamptz END,
             ended_at = CASE WHEN $2 = 'discarded' THEN $3::timestamptz END,
             content = CASE WHEN $2 = 'wanted' THEN content END
         WHERE id = $1 AND state = 'ready'",
        id,
        state.as_str(),
        at
    );
    Ok(decided.execute(db).await?.rows_affected())
}

/// A file that a worker has taken up.
pub struct Wanted {
    pub id: Uuid,
    pub content: Vec<u8>,
    /// With this one.
    pub attempts: i32,
}

/// The next file that is due; nobody else takes it up before `until`.
pub(super) async fn take_up(
    pg: &PgPool,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<Option<Wanted>, sqlx::Error> {
    sqlx::query_as!(
        Wanted,
        r#"UPDATE book_imports SET due_at = $2, attempts = attempts + 1, lines_done = 0
           WHERE id = (SELECT id FROM book_imports WHERE state = 'wanted' AND due_at <= $1 ORDER BY due_at, id LIMIT 1
                       FOR UPDATE SKIP LOCKED)
           RETURNING id, content AS "content!", attempts"#,
        now,
        until
    )
    .fetch_optional(pg)
    .await
}

/// So many lines are done; the worker keeps it.
pub(super) async fn note_progress(pg: &PgPool, id: Uuid, lines: i64, until: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE book_imports SET lines_done = $2, due_at = $3 WHERE id = $1 AND state = 'wanted'",
        id,
        lines,
        until
    )
    .execute(pg)
    .await?;
    Ok(())
}

/// To be taken up again; this attempt does not count.
pub(super) async fn put_off(pg: &PgPool, id: Uuid, due: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE book_imports SET due_at = $2, attempts = attempts - 1 WHERE id = $1 AND state = 'wanted'",
        id,
        due
    )
    .execute(pg)
    .await?;
    Ok(())
}

/// The import of a file is over; 0: it was before.
pub(super) async fn end(
    db: impl PgExecutor<'_>,
    id: Uuid,
    state: FileState,
    outcome: &Value,
    at: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let ended = sqlx::query!(
        "UPDATE book_imports SET state = $2, report = $3, ended_at = $4, content = NULL, due_at = NULL
         WHERE id = $1 AND state = 'wanted'",
        id,
        state.as_str(),
        outcome,
        at
    );
    Ok(ended.execute(db).await?.rows_affected())
}
