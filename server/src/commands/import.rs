//! `bazar import FILE`: shows that it is alive, says what it did, and lists by line number what it would not take.

use crate::failure::Failure;
use std::{
    fs::File,
    io::{IsTerminal, Write},
    path::Path,
};
use store::{
    Store,
    catalog::import::{self, ImportError, ImportReport, Kept},
};

pub async fn run(store: &Store, path: &Path) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| Failure::said(format!("cannot read {}: {error}", path.display())))?;
    let report = import::import(store, file, show).await;
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    let report = report.map_err(failure)?;
    println!("{} lines: {} books added, {} updated", report.lines, report.added, report.updated);
    note_ignored(&report);
    note_kept(&report);
    Ok(())
}

/// One line that is written over and over; in a log it would be hundreds.
fn show(lines: u64) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{lines} lines …");
        let _ = std::io::stderr().flush();
    } else if lines.is_multiple_of(5_000) {
        eprintln!("{lines} lines …");
    }
}

fn note_ignored(report: &ImportReport) {
    if !report.ignored_columns.is_empty() {
        eprintln!("nothing was read from the columns {}", report.ignored_columns.join(", "));
    }
}

fn note_kept(report: &ImportReport) {
    for Kept { line, book, asked, on_hand } in &report.kept {
        println!("line {line}: {book} keeps {on_hand} copies, not {asked}: orders have them");
    }
    let unlisted = report.kept_total.saturating_sub(report.kept.len() as u64);
    if unlisted > 0 {
        println!("and {unlisted} more");
    }
}

/// Prints the refused lines; what remains is the sentence that ends the command.
pub fn failure(error: ImportError) -> Failure {
    match error {
        ImportError::Store(error) => error.into(),
        ImportError::Read(error) => Failure::said(format!("the file could not be read: {error}")),
        ImportError::Refused(report) => {
            note_ignored(&report);
            for refusal in &report.refused {
                println!("line {}: {}", refusal.line, refusal.reason);
            }
            let unlisted = report.refused_total.saturating_sub(report.refused.len() as u64);
            if unlisted > 0 {
                println!("and {unlisted} more");
            }
            let (refused, lines) = (report.refused_total, report.lines);
            Failure::said(format!("{refused} of {lines} lines were refused, so nothing was imported"))
        }
        other => Failure::said(other.to_string()),
    }
}
