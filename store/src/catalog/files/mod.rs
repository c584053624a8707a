//! Files of books that admins hand in: looked at, kept until somebody says yes, then imported by a worker.
//!
//! The end of an import is written in its own transaction, so a file is imported once, whichever worker dies over it.

mod job;
mod queries;

pub use job::ImportFiles;

use super::import::{self, ImportError};
use crate::{
    Store,
    admin::audit::{self, Action},
    error::{During, Error},
    viewer::Viewer,
    world::to_timestamp,
};
use domain::{
    AccountId, ApiError, ErrorCode,
    catalog::desk::{BookFile, FileState, MAX_FILE},
};
use queries::NewFile;
use serde_json::{Value, json};
use std::io::Cursor;
use uuid::Uuid;

/// Files that may wait for somebody's word; the oldest make room.
const MAX_WAITING: i64 = 10;
/// Files that the list shows.
const LISTED: i64 = 20;
const MAX_NAME: usize = 120;

/// Looks at a file and keeps it. One that is no list of books is refused, with a sentence about it.
pub async fn keep(store: &Store, admin: &Viewer, name: &str, content: Vec<u8>) -> Result<BookFile, Error> {
    const OPERATION: &str = "files.keep";
    if content.len() > MAX_FILE {
        return Err(too_large().into());
    }
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    let preview = import::preview(store, Cursor::new(content.clone())).await.map_err(refusal)?;
    let id = store.uuid();
    let file = NewFile {
        id,
        actor: admin.owner.account().map(AccountId::get),
        name: if name.is_empty() { "books.csv" } else { &name },
        content: &content,
        preview: &serde_json::to_value(preview).during(OPERATION)?,
        at: to_timestamp(store.now()),
    };
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    queries::insert(&mut *tx, &file).await.during(OPERATION)?;
    queries::drop_oldest(&mut *tx, MAX_WAITING).await.during(OPERATION)?;
    let after = json!({ "name": file.name, "bytes": content.len() });
    audit::note(&mut *tx, store, admin, Action::FileHandIn, ("file", &id), Value::Null, after).await?;
    tx.commit().await.during(OPERATION)?;
    get(store, id).await?.ok_or_else(|| Error::unexpected(OPERATION, "a file was not kept"))
}

pub async fn get(store: &Store, id: Uuid) -> Result<Option<BookFile>, Error> {
    queries::file(store.postgres("files.get").await?, id).await.during("files.get")
}

/// The latest first.
pub async fn list(store: &Store) -> Result<Vec<BookFile>, Error> {
    queries::files(store.postgres("files.list").await?, LISTED).await.during("files.list")
}

/// Somebody has seen what it would do, and wants it. Saying so twice is saying it once.
pub async fn want(store: &Store, admin: &Viewer, id: Uuid) -> Result<BookFile, Error> {
    decide(store, admin, id, FileState::Wanted).await
}

/// Somebody does not want it.
pub async fn discard(store: &Store, admin: &Viewer, id: Uuid) -> Result<BookFile, Error> {
    decide(store, admin, id, FileState::Discarded).await
}

async fn decide(store: &Store, admin: &Viewer, id: Uuid, state: FileState) -> Result<BookFile, Error> {
    const OPERATION: &str = "files.decide";
    let not_there = || ApiError::not_found("that file; files that nobody imports are kept for a day");
    let file = get(store, id).await?.ok_or_else(not_there)?;
    if state == FileState::Wanted && file.preview.faults_total > 0 {
        let message = "Some lines of this file cannot be taken. Mend them and hand it in again.";
        return Err(ApiError::new(ErrorCode::Conflict, message).into());
    }
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let is_decided = queries::decide(&mut *tx, id, state, to_timestamp(store.now())).await.during(OPERATION)? == 1;
    if is_decided {
        let action = if state == FileState::Wanted { Action::FileImport } else { Action::FileDiscard };
        let seen = &file.preview;
        let after = json!({ "name": file.name, "new": seen.added, "changed": seen.changed });
        audit::note(&mut *tx, store, admin, action, ("file", &id), Value::Null, after).await?;
    }
    tx.commit().await.during(OPERATION)?;
    let file = get(store, id).await?.ok_or_else(not_there)?;
    let is_same = file.state == state || (state == FileState::Wanted && file.state == FileState::Done);
    if is_decided || is_same {
        return Ok(file);
    }
    let message = format!("This file is no longer waiting: {}.", file.state.label().to_lowercase());
    Err(ApiError::new(ErrorCode::Conflict, message).into())
}

/// Also of a body that was not read to its end.
pub fn too_large() -> ApiError {
    let message = format!("A file may have {} MiB. Hand in larger ones in parts.", MAX_FILE / 1024 / 1024);
    ApiError::new(ErrorCode::TooLarge, message)
}

/// What is wrong with the file as a whole is the person's business.
fn refusal(error: ImportError) -> Error {
    let said = |message: String| ApiError::fields([("file".to_owned(), message)].into()).into();
    match error {
        ImportError::Store(error) => error,
        ImportError::Columns(why) => said(format!("The first line does not name the columns: {why}.")),
        ImportError::Read(why) => said(format!("This is no CSV file that we can read: {why}.")),
        ImportError::Refused(_) | ImportError::Busy => {
            ApiError::new(ErrorCode::Conflict, "Another import is running. Please try again when it is done.").into()
        }
    }
}
