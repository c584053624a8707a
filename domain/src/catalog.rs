//! Books as clients see them, and how they ask for them.

pub mod desk;

use crate::{BookId, Currency, Minor};
use serde::{Deserialize, Serialize};

/// Books on one page of a list.
pub const PAGE_SIZE: u32 = 24;
/// Last page that a list serves; past it a search should be narrower.
pub const MAX_PAGE: u32 = 1000;
/// Longest search text, in characters; the rest is cut.
pub const MAX_QUERY: usize = 100;
/// Between the price ranges that lists offer; each begins with its step.
pub const PRICE_STEPS: [Minor; 4] = [Minor::new(25_000), Minor::new(40_000), Minor::new(60_000), Minor::new(100_000)];

/// A book in a list: `{id,slug,title,authors,year,price,currency,available}` and what a shelf shows besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookCard {
    pub id: BookId,
    pub slug: String,
    pub title: String,
    pub authors: String,
    pub year: Option<i32>,
    pub price: Minor,
    pub currency: Currency,
    /// Copies on sale; `None` while the gate does not know.
    pub available: Option<i64>,
    /// Slug of its first category.
    pub category: Option<String>,
}

/// Everything the book page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookDetail {
    #[serde(flatten)]
    pub card: BookCard,
    pub subtitle: Option<String>,
    pub isbn: Option<String>,
    pub language: String,
    pub pages: Option<i32>,
    pub description: String,
    pub categories: Vec<Category>,
    /// False: no longer sold.
    pub on_sale: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub slug: String,
    pub name: String,
    /// Books on sale in it.
    pub books: i64,
}

/// A list of books: `{books,total,page}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookPage {
    pub books: Vec<BookCard>,
    pub total: i64,
    /// From 1.
    pub page: u32,
    pub page_size: u32,
}

impl BookPage {
    pub fn pages(&self) -> u32 {
        let pages = self.total.max(0).cast_unsigned().div_ceil(u64::from(self.page_size.max(1)));
        u32::try_from(pages).unwrap_or(u32::MAX).clamp(1, MAX_PAGE)
    }
}

/// By what a list may be narrowed further, and how many books each choice leaves when all other filters stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    pub categories: Vec<Facet>,
    /// Those with most books.
    pub authors: Vec<Facet>,
    pub languages: Vec<Facet>,
    pub prices: Vec<PriceFacet>,
    pub in_stock: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facet {
    /// What the filter is given.
    pub value: String,
    pub name: String,
    pub books: u32,
}

/// Prices from `min` to `max`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceFacet {
    pub min: Option<Minor>,
    pub max: Option<Minor>,
    pub books: u32,
}

/// How a list is ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Best match first for a search, best known first otherwise.
    #[default]
    Relevance,
    Title,
    PriceLow,
    PriceHigh,
    Newest,
}

impl Sort {
    pub const ALL: [Self; 5] = [Self::Relevance, Self::Title, Self::PriceLow, Self::PriceHigh, Self::Newest];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::Title => "title",
            Self::PriceLow => "price_low",
            Self::PriceHigh => "price_high",
            Self::Newest => "newest",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Relevance => "Best match",
            Self::Title => "Title A to Z",
            Self::PriceLow => "Price, low first",
            Self::PriceHigh => "Price, high first",
            Self::Newest => "Newest first",
        }
    }

    /// Unknown words mean the default: a list is no place to fail.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).unwrap_or_default()
    }
}

/// What a list is asked for; every field already bounded, see [`BookQuery::bounded`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BookQuery {
    pub q: Option<String>,
    pub category: Option<String>,
    pub author: Option<String>,
    pub language: Option<String>,
    pub min: Option<Minor>,
    pub max: Option<Minor>,
    pub in_stock: bool,
    pub sort: Sort,
    /// From 1; 0 means 1.
    pub page: u32,
}

impl BookQuery {
    /// Trims and cuts texts to [`MAX_QUERY`], drops empty ones and control characters, clamps the page.
    pub fn bounded(self) -> Self {
        let text = |value: Option<String>| {
            let value: String = value?.chars().filter(|c| !c.is_control()).take(MAX_QUERY).collect();
            Some(value.trim().to_owned()).filter(|v| !v.is_empty())
        };
        Self {
            q: text(self.q),
            category: text(self.category),
            author: text(self.author),
            language: text(self.language),
            page: self.page.clamp(1, MAX_PAGE),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_bounded() {
        let query = BookQuery {
            q: Some(format!("  \u{0}{}", "é".repeat(500))),
            category: Some(" ".into()),
            ..BookQuery::default()
        }
        .bounded();
        assert_eq!(query.q.map(|q| q.chars().count()), Some(MAX_QUERY - 2));
        assert_eq!((query.category, query.page), (None, 1));
    }

    #[test]
    fn pages_are_counted() {
        let page = |total| BookPage { books: vec![], total, page: 1, page_size: 24 }.pages();
        assert_eq!((page(0), page(24), page(25), page(-1)), (1, 1, 2, 1));
    }
}
