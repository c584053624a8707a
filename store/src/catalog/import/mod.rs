//! Bringing in a shop's books from a CSV file: streaming, repeatable, all or nothing.
//!
//! UTF-8 (a byte order mark is fine), commas, RFC 4180 quotes, LF or CRLF. The first line names the columns, in any order:
//!
//! | column | what it holds |
//! | --- | --- |
//! | `isbn13` or `isbn` | ISBN-13 or ISBN-10, hyphens allowed |
//! | `sku` | the shop's own number, 1 to 64 visible ASCII characters; default: the ISBN |
//! | `title`, `subtitle` | up to 300 characters |
//! | `authors` | separated by `;`, or by `,` where there is no `;` |
//! | `year` | of publication, −4000 to 2100 |
//! | `language` | ISO 639 code or locale: `en`, `eng`, `en-GB` |
//! | `pages` | 1 to 100,000 |
//! | `categories` | up to 10 slugs or names separated by `;`, the primary one first; unknown ones are made |
//! | `description` | up to 5,000 characters |
//! | `price_inr` or `price` | in whole units of the shop's currency or with two decimals: `499`, `499.50` |
//! | `popularity` or `ratings_count` | a whole number: the better known come first in lists |
//! | `stock` | copies on hand, 0 to 1,000,000 |
//! | `retired` | `yes`: no longer sold; `no`: sold again |
//!
//! Each line needs an ISBN or a SKU. A book with that ISBN, else with that SKU, is updated; what a line leaves empty, or has
//! no column for, stays as it is. Otherwise the book is new and needs a title and a price. Other columns are ignored, and
//! the report names them. One refused line, and nothing is written. Copies that orders were promised stay on hand, whatever
//! the file says; the report names those books.

pub(super) mod columns;
pub(super) mod language;
mod preview;
pub(super) mod queries;
mod reader;
pub(super) mod record;
mod slug;
mod write;

pub(super) use preview::{faults, preview};
pub(super) use slug::{MAX_SLUG, Named, latin, of as slug_of};

use crate::{
    Store,
    error::{During, Error},
};
use reader::Event;
use std::io::Read;
use write::Writer;

/// Refused lines that a report lists; it counts all of them.
pub const MAX_LISTED: usize = 1_000;
/// Lines of one file.
pub const MAX_LINES: u64 = 500_000;

/// What an import did, or would have done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Books in the file, without the first line.
    pub lines: u64,
    /// New books.
    pub added: u64,
    /// Books that were there before.
    pub updated: u64,
    /// Columns that nothing was read from.
    pub ignored_columns: Vec<String>,
    /// Refused lines, at most [`MAX_LISTED`].
    pub refused: Vec<Refusal>,
    pub refused_total: u64,
    /// Books that keep more copies than the file says, at most [`MAX_LISTED`].
    pub kept: Vec<Kept>,
    pub kept_total: u64,
}

/// A book of which more copies are promised to orders than the file leaves on hand; those stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub line: u64,
    /// The SKU or ISBN of the line.
    pub book: String,
    pub asked: i32,
    pub on_hand: i32,
}

/// Why a line was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In the file, from 1; where the line begins.
    pub line: u64,
    pub reason: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("the file could not be read")]
    Read(#[source] std::io::Error),
    #[error("the first line does not name the columns: {0}")]
    Columns(String),
    #[error("{} of {} lines were refused, so nothing was imported", .0.refused_total, .0.lines)]
    Refused(ImportReport),
    #[error("another import is running; try again when it is done")]
    Busy,
    #[error(transparent)]
    Store(#[from] Error),
}

impl ImportReport {
    fn refuse(&mut self, line: u64, reason: impl ToString) {
        self.refused_total += 1;
        if self.refused.len() < MAX_LISTED {
            self.refused.push(Refusal { line, reason: reason.to_string() });
        }
    }
}

/// Imports a CSV file in one transaction; `progress` hears of the lines done so far, about every 500.
pub async fn import(
    store: &Store,
    reader: impl Read + Send + 'static,
    progress: impl FnMut(u64) + Send,
) -> Result<ImportReport, ImportError> {
    let report = run(store, None, reader, progress).await?;
    // Only a seed has a reason not to run.
    Ok(report.unwrap_or_default())
}

/// Imports the file unless there is a book with that SKU; for seeds, of which several may start at once.
pub(super) async fn import_unless(
    store: &Store,
    sku: &str,
    reader: impl Read + Send + 'static,
) -> Result<Option<ImportReport>, ImportError> {
    run(store, Some(sku), reader, |_| {}).await
}

async fn run(
    store: &Store,
    unless_sku: Option<&str>,
    reader: impl Read + Send + 'static,
    progress: impl FnMut(u64) + Send,
) -> Result<Option<ImportReport>, ImportError> {
    let mut tx = store.pg().begin().await.during("import.begin")?;
    queries::lock(&mut tx).await.map_err(busy)?;
    if let Some(sku) = unless_sku
        && super::queries::has_sku(&mut *tx, sku).await.during("import.look")?
    {
        return Ok(None);
    }
    let report = read_and_write(store, &mut tx, reader, progress).await?;
    if report.refused_total > 0 {
        tx.rollback().await.during("import.rollback")?;
        return Err(ImportError::Refused(report));
    }
    tx.commit().await.during("import.commit")?;
    super::announce(store).await;
    Ok(Some(report))
}

/// Reading stands still while a batch is written, and the other way round: only two batches are ever in memory.
pub(super) async fn read_and_write(
    store: &Store,
    tx: &mut sqlx::PgTransaction<'_>,
    source: impl Read + Send + 'static,
    mut progress: impl FnMut(u64) + Send,
) -> Result<ImportReport, ImportError> {
    let (sender, mut events) = tokio::sync::mpsc::channel(1);
    let currency = store.config().currency;
    let reading = tokio::task::spawn_blocking(move || reader::read(source, currency, &sender));
    let mut writer = Writer::new(store, tx);
    while let Some(event) = events.recv().await {
        match event? {
            Event::Ignored(columns) => writer.report.ignored_columns = columns,
            Event::Batch(lines) => {
                writer.write(lines).await?;
                progress(writer.report.lines);
            }
        }
    }
    reading.await.map_err(|error| Error::unexpected("import.read", error.to_string()))?;
    Ok(writer.finish().await?)
}

/// Waiting for the lock ran into the statement timeout.
pub(super) fn busy(error: sqlx::Error) -> ImportError {
    match &error {
        sqlx::Error::Database(db) if db.code().as_deref() == Some("57014") => ImportError::Busy,
        _ => ImportError::Store(Error::Postgres { operation: "import.lock", source: error }),
    }
}
