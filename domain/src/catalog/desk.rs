//! The catalogue as the people of the shop see and change it.

use crate::{BookId, Currency, Minor, UnixMillis, stock::Movement};
use serde::{Deserialize, Serialize};

/// Books on one page of the desk's list.
pub const SHELF_PAGE: i64 = 50;
/// Lines of a book's ledger at once.
pub const LEDGER_PAGE: i64 = 20;
/// Largest file of books that is taken in the browser, in bytes.
pub const MAX_FILE: usize = 8 * 1024 * 1024;
/// First lines that a preview shows.
pub const PREVIEW_ROWS: usize = 20;
/// Faulty lines, and books that keep copies, which a report lists.
pub const MAX_FAULTS: usize = 200;

/// Declares an enum whose variants have a name in addresses and a label for people; the first one is the default.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $text:literal $label:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($variant),* }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }

            /// Unknown words mean the default: a list is no place to fail.
            pub fn parse(text: &str) -> Self {
                Self::ALL.iter().copied().find(|choice| choice.as_str() == text).unwrap_or(Self::ALL[0])
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ALL[0]
            }
        }
    };
}

choices! {
    /// Which books the list shows.
    Show {
        All "all" "All",
        OnSale "on_sale" "On sale",
        Low "low" "Low",
        SoldOut "sold_out" "Sold out",
        Retired "retired" "Retired",
    }
}

choices! {
    /// How it is ordered.
    ShelfSort {
        Title "title" "Title A to Z",
        Changed "changed" "Changed last",
        Copies "copies" "Fewest copies",
        PriceLow "price_low" "Price, low first",
        PriceHigh "price_high" "Price, high first",
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShelfQuery {
    /// In titles, authors, ISBNs and SKUs.
    pub q: Option<String>,
    /// A slug.
    pub category: Option<String>,
    pub show: Show,
    pub order: ShelfSort,
    /// Where the page before ended.
    pub after: Option<Place>,
}

/// A place in the list, as its order sees it; in addresses `-5.17.Gitanjali`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub number: i64,
    pub id: i64,
    pub text: String,
}

impl Place {
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (number, id) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let text = parts.next().filter(|text| !text.contains('\0'))?;
        Some(Self { number, id, text: text.to_owned() })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.number, self.id, self.text)
    }
}

/// A book in the desk's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShelfRow {
    pub id: BookId,
    pub sku: String,
    pub isbn: Option<String>,
    pub title: String,
    pub authors: String,
    pub price: Minor,
    pub currency: Currency,
    pub on_hand: i64,
    pub reserved: i64,
    /// From so few copies on sale it counts as low.
    pub low_from: i64,
    pub is_retired: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShelfPage {
    pub books: Vec<ShelfRow>,
    /// Books of each [`Show`], in its order, that fit the search.
    pub counts: Vec<i64>,
    /// Where the next page begins; `None`: this is the last.
    pub next: Option<String>,
    /// The shop's own number, for books that have none.
    pub low_from: i64,
    /// Slugs and names.
    pub categories: Vec<(String, String)>,
}

/// All that can be said of a book, as people type it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BookForm {
    pub sku: String,
    pub isbn13: String,
    pub title: String,
    pub subtitle: String,
    /// Parted by `;`.
    pub authors: String,
    pub year: String,
    pub language: String,
    pub pages: String,
    /// Parted by `;`.
    pub categories: String,
    pub description: String,
    pub price: String,
    pub popularity: String,
}

impl BookForm {
    /// Names and values.
    pub fn fields(&self) -> [(&'static str, &str); 12] {
        [
            ("sku", &self.sku),
            ("isbn13", &self.isbn13),
            ("title", &self.title),
            ("subtitle", &self.subtitle),
            ("authors", &self.authors),
            ("year", &self.year),
            ("language", &self.language),
            ("pages", &self.pages),
            ("categories", &self.categories),
            ("description", &self.description),
            ("price", &self.price),
            ("popularity", &self.popularity),
        ]
    }
}

/// One book on the desk: its fields, its copies, its ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookDesk {
    pub id: BookId,
    pub slug: String,
    pub title: String,
    pub form: BookForm,
    /// Grows with every change: who saves an older one is told.
    pub version: i64,
    pub is_retired: bool,
    pub on_hand: i64,
    pub reserved: i64,
    /// Its own number; `None`: the shop's.
    pub low_from: Option<i64>,
    pub shop_low_from: i64,
    /// Carts that hold it.
    pub carts: i64,
    /// Names the next correction of its stock, so that two clicks are one.
    pub operation: String,
    /// The latest movements first.
    pub ledger: Vec<Movement>,
    /// The movement before which there are more.
    pub older: Option<i64>,
}

/// How far a file that was handed in has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Looked at, and waiting for somebody to say yes.
    Ready,
    /// On its way into the catalogue.
    Wanted,
    Done,
    /// Nothing of it was imported.
    Refused,
    Discarded,
}

impl FileState {
    pub const ALL: [Self; 5] = [Self::Ready, Self::Wanted, Self::Done, Self::Refused, Self::Discarded];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Wanted => "wanted",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Discarded => "discarded",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Ready => "Waiting for your word",
            Self::Wanted => "Being imported",
            Self::Done => "Imported",
            Self::Refused => "Not imported",
            Self::Discarded => "Put aside",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A file of books that somebody handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookFile {
    pub id: String,
    pub name: String,
    /// In bytes.
    pub size: i64,
    pub state: FileState,
    /// The name of the admin.
    pub by: Option<String>,
    pub uploaded_at: UnixMillis,
    pub ended_at: Option<UnixMillis>,
    pub preview: Preview,
    pub lines_done: i64,
    pub outcome: Option<Outcome>,
}

/// What an import of the file would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preview {
    pub lines: u64,
    pub added: u64,
    pub changed: u64,
    pub same: u64,
    /// Of the changed ones: another price, another number of copies, no longer sold or sold again.
    pub prices: u64,
    pub stocks: u64,
    pub retired: u64,
    pub ignored_columns: Vec<String>,
    pub faults: Vec<Fault>,
    pub faults_total: u64,
    pub rows: Vec<PreviewRow>,
}

/// A line that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// In the file, from 1.
    pub line: u64,
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    New,
    Changed,
    Same,
}

impl Fate {
    pub const fn label(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Changed => "Changed",
            Self::Same => "As it is",
        }
    }
}

/// What becomes of one line. `old_…`: only where it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewRow {
    pub line: u64,
    pub book: String,
    pub title: String,
    pub fate: Fate,
    pub price: Option<Minor>,
    pub old_price: Option<Minor>,
    pub copies: Option<i64>,
    pub old_copies: Option<i64>,
}

/// What an import did, or why it did nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    pub lines: u64,
    pub added: u64,
    pub updated: u64,
    /// Books that keep more copies than the file says, because orders have them.
    pub kept: Vec<KeptCopies>,
    pub kept_total: u64,
    pub faults: Vec<Fault>,
    pub faults_total: u64,
    /// What went wrong, when it was not the lines.
    pub trouble: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCopies {
    pub line: u64,
    pub book: String,
    pub asked: i32,
    pub on_hand: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_places_come_back() {
        for show in Show::ALL {
            assert_eq!(Show::parse(show.as_str()), *show);
        }
        for order in ShelfSort::ALL {
            assert_eq!(ShelfSort::parse(order.as_str()), *order);
        }
        assert_eq!((Show::parse("nonsense"), ShelfSort::parse("")), (Show::All, ShelfSort::Title));
        let place = Place { number: -5, id: 17, text: "A. B. and C.".into() };
        assert_eq!(Place::parse(&place.to_string()), Some(place));
        assert_eq!(Place::parse("1.x.A"), None);
        for state in FileState::ALL {
            assert_eq!(FileState::parse(state.as_str()), Some(state));
        }
    }
}
