//! Filters and counts. What is counted beside a filter follows all the other filters, so that each number is what a
//! click on it leads to.

use super::{
    index::{Doc, Entry, Index},
    rank::Hit,
    text::{self, folded},
};
use domain::catalog::{BookQuery, PRICE_STEPS};

/// What lists can be narrowed by.
#[derive(Clone, Copy)]
enum By {
    Category,
    Author,
    Language,
    Price,
    Stock,
}

const BYS: [By; 5] = [By::Category, By::Author, By::Language, By::Price, By::Stock];

/// What a book must be; `None`: anything.
pub(super) struct Filters<'a> {
    category: Option<Option<u16>>,
    /// Sorted.
    authors: Option<Vec<u32>>,
    language: Option<Option<u16>>,
    query: &'a BookQuery,
    sold_out: &'a [bool],
}

impl<'a> Filters<'a> {
    /// `sold_out`: by number of the book.
    pub fn of(index: &Index, query: &'a BookQuery, sold_out: &'a [bool]) -> Self {
        let number = |names: &[String], name: &String| {
            let at = names.iter().position(|known| known.eq_ignore_ascii_case(name));
            at.and_then(|at| u16::try_from(at).ok())
        };
        Self {
            category: query.category.as_ref().map(|slug| number(&index.categories, slug)),
            authors: query.author.as_ref().map(|name| authors(index, name)),
            language: query.language.as_ref().map(|code| number(&index.languages, code)),
            query,
            sold_out,
        }
    }

    fn lets_through(&self, by: By, doc: Doc, book: &Entry) -> bool {
        match by {
            By::Category => {
                self.category.is_none_or(|wanted| wanted.is_some_and(|wanted| book.categories.contains(&wanted)))
            }
            By::Author => self
                .authors
                .as_ref()
                .is_none_or(|wanted| book.authors.iter().any(|author| wanted.binary_search(author).is_ok())),
            By::Language => self.language.is_none_or(|wanted| wanted == Some(book.language)),
            By::Price => {
                let (min, max) = (self.query.min, self.query.max);
                min.is_none_or(|min| book.price >= min.get()) && max.is_none_or(|max| book.price <= max.get())
            }
            By::Stock => !self.query.in_stock || !self.is_sold_out(doc),
        }
    }

    fn is_sold_out(&self, doc: Doc) -> bool {
        self.sold_out.get(doc as usize).copied().unwrap_or(false)
    }
}

/// Authors of that name or address; if nobody is called exactly so, those whose name has it in it.
fn authors(index: &Index, name: &str) -> Vec<u32> {
    // As book pages once wrote it: all authors of a book.
    let names = name.split(',').map(|name| text::words(&folded(name)).collect::<Vec<_>>().join(" "));
    let mut found = Vec::new();
    for name in names.filter(|name| !name.is_empty()) {
        let all = || index.authors.iter().zip(0_u32..);
        let exact: Vec<u32> = all().filter(|(author, _)| author.folded == name).map(|(_, number)| number).collect();
        if exact.is_empty() {
            found.extend(all().filter(|(author, _)| author.folded.contains(&name)).map(|(_, number)| number));
        }
        found.extend(exact);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// How many of the hits each further filter would leave, by number of category, author, language and price step.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub categories: Vec<u32>,
    pub authors: Vec<u32>,
    pub languages: Vec<u32>,
    pub prices: Vec<u32>,
    pub in_stock: u32,
}

/// The hits that pass all filters, and the counts.
pub(super) fn narrowed(index: &Index, hits: Vec<Hit>, filters: &Filters<'_>) -> (Vec<Hit>, Counts) {
    let mut counts = Counts {
        categories: vec![0; index.categories.len()],
        authors: vec![0; index.authors.len()],
        languages: vec![0; index.languages.len()],
        prices: vec![0; PRICE_STEPS.len() + 1],
        in_stock: 0,
    };
    let mut left = Vec::with_capacity(hits.len());
    for hit in hits {
        let book = &index.books[hit.doc as usize];
        let mut failed = BYS.into_iter().filter(|by| !filters.lets_through(*by, hit.doc, book));
        match (failed.next(), failed.next()) {
            (None, _) => {
                BYS.into_iter().for_each(|by| counts.count(by, book, filters.is_sold_out(hit.doc)));
                left.push(hit);
            }
            (Some(only), None) => counts.count(only, book, filters.is_sold_out(hit.doc)),
            _ => {}
        }
    }
    (left, counts)
}

impl Counts {
    fn count(&mut self, by: By, book: &Entry, is_sold_out: bool) {
        match by {
            By::Category => book.categories.iter().for_each(|c| self.categories[*c as usize] += 1),
            By::Author => book.authors.iter().for_each(|a| self.authors[*a as usize] += 1),
            By::Language => self.languages[book.language as usize] += 1,
            By::Price => self.prices[PRICE_STEPS.partition_point(|step| step.get() <= book.price)] += 1,
            By::Stock => self.in_stock += u32::from(!is_sold_out),
        }
    }
}
