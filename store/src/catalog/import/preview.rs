//! What an import of a file would do, without doing any of it.

use super::{
    ImportError, MAX_LISTED, Refusal,
    queries::{self, Look, Looked},
    reader::{self, Event},
    write::{Target, Writer},
};
use crate::{
    Store,
    error::{During, Error},
};
use domain::{
    BookId, Minor,
    catalog::desk::{Fate, Fault, MAX_FAULTS, PREVIEW_ROWS, Preview, PreviewRow},
};
use std::{collections::HashMap, io::Read};

const READ_ONLY: &str = "SET TRANSACTION READ ONLY";

/// Looks at every line as the import does, and at the books it names; nothing is locked and nothing is written.
pub(in crate::catalog) async fn preview(
    store: &Store,
    source: impl Read + Send + 'static,
) -> Result<Preview, ImportError> {
    const OPERATION: &str = "import.preview";
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    sqlx::raw_sql(READ_ONLY).execute(&mut *tx).await.during(OPERATION)?;
    let (sender, mut events) = tokio::sync::mpsc::channel(1);
    let currency = store.config().currency;
    let reading = tokio::task::spawn_blocking(move || reader::read(source, currency, &sender));
    let mut writer = Writer::new(store, &mut tx);
    let mut seen = Preview::default();
    while let Some(event) = events.recv().await {
        match event? {
            Event::Ignored(columns) => seen.ignored_columns = columns,
            Event::Batch(lines) => {
                let targets = writer.look(lines).await?;
                let looks: Vec<Look<'_>> = targets.iter().filter_map(look).collect();
                let looked = queries::compare(writer.tx, &looks).await.during(OPERATION)?;
                note(&mut seen, &targets, looked);
            }
        }
    }
    reading.await.map_err(|error| Error::unexpected(OPERATION, error.to_string()))?;
    seen.lines = writer.report.lines;
    (seen.faults, seen.faults_total) = faults(writer.report.refused, writer.report.refused_total);
    tx.rollback().await.during(OPERATION)?;
    Ok(seen)
}

/// The first of the refused lines, as people read them, and how many there are.
pub(in crate::catalog) fn faults(mut refused: Vec<Refusal>, total: u64) -> (Vec<Fault>, u64) {
    const { assert!(MAX_FAULTS <= MAX_LISTED) };
    refused.sort_by_key(|refusal| refusal.line);
    let fault = |Refusal { line, reason }| Fault { line, reason };
    (refused.into_iter().take(MAX_FAULTS).map(fault).collect(), total)
}

fn look(target: &Target) -> Option<Look<'_>> {
    Some(Look { id: target.book?, categories: target.row.categories.as_deref(), row: &target.row })
}

fn note(seen: &mut Preview, targets: &[Target], looked: Vec<Looked>) {
    let known: HashMap<i64, Looked> = looked.into_iter().map(|book| (book.id, book)).collect();
    for target in targets {
        let book = target.book.map(BookId::get).and_then(|id| known.get(&id));
        let row = row(target, book);
        match row.fate {
            Fate::New => seen.added += 1,
            Fate::Changed => seen.changed += 1,
            Fate::Same => seen.same += 1,
        }
        seen.prices += u64::from(row.old_price.is_some());
        seen.stocks += u64::from(row.old_copies.is_some());
        let is_retiring = |book: &Looked| target.row.retired.is_some_and(|retired| retired != book.is_retired);
        seen.retired += u64::from(book.is_some_and(is_retiring));
        if seen.rows.len() < PREVIEW_ROWS {
            seen.rows.push(row);
        }
    }
}

fn row(target: &Target, book: Option<&Looked>) -> PreviewRow {
    let (row, copies) = (&target.row, target.row.stock.map(i64::from));
    let old_copies = book.map(|book| i64::from(book.on_hand)).filter(|old| copies.is_some_and(|new| new != *old));
    let old_price = book.map(|book| Minor::new(book.price)).filter(|old| row.price.is_some_and(|new| new != *old));
    let fate = match book {
        None => Fate::New,
        Some(book) if book.is_changed || old_copies.is_some() => Fate::Changed,
        Some(_) => Fate::Same,
    };
    let title = row.title.clone().or_else(|| book.map(|book| book.title.clone())).unwrap_or_default();
    PreviewRow {
        line: target.line,
        book: row.key().to_owned(),
        title,
        fate,
        price: row.price.or_else(|| book.map(|book| Minor::new(book.price))),
        old_price,
        copies: copies.or_else(|| book.map(|book| book.on_hand.into())),
        old_copies,
    }
}
