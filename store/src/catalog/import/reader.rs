//! Reading a file line by line, on a thread of its own: the csv crate blocks.

use super::{ImportError, MAX_LINES, columns::Columns, record::Row};
use csv::{ByteRecord, ReaderBuilder};
use domain::Currency;
use std::io::{self, Read};
use tokio::sync::mpsc::Sender;

/// Lines written at once.
const BATCH: usize = 500;
/// Longest line, in bytes, give or take the reader's buffer of 8 KiB; quoted line ends count as part of a line.
const MAX_LINE: usize = 64 * 1024;

/// What the reading thread tells, in this order.
pub(super) enum Event {
    /// Names of columns that are not read.
    Ignored(Vec<String>),
    Batch(Vec<Line>),
}

/// A line of the file that holds a book, or the reason why it does not.
pub(super) struct Line {
    /// Where it begins, from 1.
    pub number: u64,
    pub row: Result<Box<Row>, String>,
}

/// Reads until the end, the first error, or until nobody listens.
pub(super) fn read(source: impl Read, currency: Currency, events: &Sender<Result<Event, ImportError>>) {
    if let Err(error) = read_all(source, currency, events) {
        // Nobody listens: the import has failed already.
        let _ = events.blocking_send(Err(error));
    }
}

fn read_all(
    source: impl Read,
    currency: Currency,
    events: &Sender<Result<Event, ImportError>>,
) -> Result<(), ImportError> {
    let limited = Limited { inner: source, left: MAX_LINE };
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(limited);
    let mut record = ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(broken)? {
        return Err(ImportError::Columns("the file is empty".into()));
    }
    let mut columns = Columns::parse(&record, currency).map_err(ImportError::Columns)?;
    let mut open = events.blocking_send(Ok(Event::Ignored(std::mem::take(&mut columns.ignored)))).is_ok();
    let (mut batch, mut count) = (Vec::with_capacity(BATCH), 0);
    while open {
        reader.get_mut().left = MAX_LINE;
        let number = reader.position().line();
        let (row, last) = match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) if count == MAX_LINES => (Err(format!("more than {MAX_LINES} lines")), true),
            Ok(true) => (Row::parse(&columns, &record).map(Box::new).map_err(|fault| fault.to_string()), false),
            Err(_) if reader.get_ref().left == 0 => {
                (Err(format!("longer than {MAX_LINE} bytes; is a closing quote missing?")), true)
            }
            Err(error) => return Err(broken(error)),
        };
        count += 1;
        batch.push(Line { number: record.position().filter(|_| !last).map_or(number, csv::Position::line), row });
        if last {
            break;
        }
        if batch.len() == BATCH {
            open = events.blocking_send(Ok(Event::Batch(std::mem::take(&mut batch)))).is_ok();
        }
    }
    if open && !batch.is_empty() {
        // As above.
        let _ = events.blocking_send(Ok(Event::Batch(batch)));
    }
    Ok(())
}

fn broken(error: csv::Error) -> ImportError {
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => ImportError::Read(error),
        _ => ImportError::Read(io::Error::new(io::ErrorKind::InvalidData, text)),
    }
}

/// Reads no more than `left` bytes until somebody raises it again.
struct Limited<R> {
    inner: R,
    left: usize,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
        }
        let size = buffer.len().min(self.left);
        let got = self.inner.read(&mut buffer[..size])?;
        self.left -= got;
        Ok(got)
    }
}
