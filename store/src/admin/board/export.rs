//! The board as a file for spreadsheets, in pieces: a large shop's costs no more memory than a small one's.

use super::{
    Wanted, asked, is_full,
    queries::{self, Asked, Line},
    reaches,
};
use crate::{
    Store,
    error::{During, Error},
    spreadsheet,
};
use domain::Minor;
use time::{OffsetDateTime, UtcOffset, macros::format_description};

const OPERATION: &str = "admin.export";
/// Orders of one piece.
const PIECE: i64 = 500;
const HEAD: &str = "number,status,placed,email,name,city,state,postcode,copies,books,subtotal,delivery,total,currency,\
                    provider,payment,refunded,carrier,tracking,sent\r\n";

/// What of the file is still to be written.
pub struct Export {
    wanted: Wanted,
    /// `None`: nothing (more).
    asked: Option<Asked>,
    is_begun: bool,
}

impl Export {
    /// All pages of what was asked for, from the first one on.
    pub async fn of(store: &Store, wanted: Wanted) -> Result<Self, Error> {
        let asked = asked(store, &wanted).await?.map(|(asked, _)| asked);
        Ok(Self { wanted: Wanted { after: None, ..wanted }, asked, is_begun: false })
    }

    /// The next piece of text; `None`: the file is whole.
    pub async fn piece(&mut self, store: &Store) -> Result<Option<String>, Error> {
        let mut text = String::new();
        if !std::mem::replace(&mut self.is_begun, true) {
            text.push(spreadsheet::MARK);
            text.push_str(HEAD);
        }
        let Some(asked) = &self.asked else { return Ok((!text.is_empty()).then_some(text)) };
        let pg = store.postgres(OPERATION).await?;
        let mut lines = Vec::new();
        for reach in reaches(&self.wanted, asked) {
            lines = queries::lines(pg, &self.wanted, asked, reach, PIECE).await.during(OPERATION)?;
            if is_full(&lines, PIECE) {
                break;
            }
        }
        match lines.last() {
            Some(last) if is_full(&lines, PIECE) => {
                self.wanted.after = Some(self.wanted.sort.place(last.place()));
            }
            _ => self.asked = None,
        }
        lines.iter().for_each(|line| write(&mut text, line));
        Ok(Some(text))
    }
}

fn write(text: &mut String, line: &Line) {
    let money = |minor: i64| Minor::new(minor).decimal();
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        line.number.clone(),
        line.state_of_order(),
        moment(Some(line.placed_at)),
        line.email.clone(),
        line.name.clone(),
        line.city.clone(),
        line.state.clone(),
        line.postcode.clone(),
        line.copies.to_string(),
        line.books.clone(),
        money(line.subtotal_minor),
        money(line.delivery_minor),
        money(line.total_minor),
        line.currency.clone(),
        or_empty(&line.provider),
        or_empty(&line.payment),
        money(line.refunded_minor),
        or_empty(&line.carrier),
        or_empty(&line.tracking),
        moment(line.shipped_at),
    ];
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        push(text, cell);
    }
    text.push_str("\r\n");
}

/// The shop's own time.
fn moment(at: Option<OffsetDateTime>) -> String {
    let india = UtcOffset::from_hms(5, 30, 0).unwrap_or(UtcOffset::UTC);
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    at.and_then(|at| at.to_offset(india).format(format).ok()).unwrap_or_default()
}

/// One cell. What a spreadsheet would take for a formula begins with an apostrophe.
fn push(text: &mut String, cell: &str) {
    let is_formula = spreadsheet::is_formula(cell);
    if !is_formula && !cell.contains([',', '"', '\r', '\n']) {
        return text.push_str(cell);
    }
    text.push('"');
    if is_formula {
        text.push('\'');
    }
    text.push_str(&cell.replace('"', "\"\""));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::push;

    #[test]
    fn no_cell_is_a_formula_or_leaves_its_place() {
        let written = |cell: &str| {
            let mut text = String::new();
            push(&mut text, cell);
            text
        };
        let fine = ["", "Asha Rao", "BB-1", "499.00", "a@b.in", "a=b"];
        fine.into_iter().for_each(|cell| assert_eq!(written(cell), cell));
        assert_eq!(written("=1+1"), "\"'=1+1\"");
        for begin in ["+", "-", "@", "\t", "\r"] {
            assert!(written(&format!("{begin}cmd|' /C calc'!A0")).starts_with("\"'"), "{begin:?}");
        }
        assert_eq!(written("Rao, \"A\""), "\"Rao, \"\"A\"\"\"");
        assert_eq!(written("a\nb"), "\"a\nb\"");
    }
}
