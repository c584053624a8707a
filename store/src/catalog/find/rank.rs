//! Which books are meant, the likeliest first: the words as they stand; if no book has them all, words that look alike.

use super::{
    asked::Asked,
    index::{Doc, Entry, Field, Index},
    text,
    words::Word,
};
use rust_stemmers::{Algorithm, Stemmer};

/// All weights are in steps of ten in how well known a book is.
const WHOLE_TITLE: f32 = 5.0;
/// What is misspelt says less about what was left out.
const WHOLE_TITLE_MISSPELT: f32 = 2.0;
/// The title up to its colon.
const SHORT_TITLE: f32 = 2.5;
const BEGINNING: f32 = 1.5;
const EDIT: f32 = 1.0;

/// A book that may be meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hit {
    pub doc: Doc,
    pub score: f32,
}

/// How far words may be from what was typed, tried in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tolerance {
    None,
    Slips,
    /// One edit more, in words with the same first letter.
    Guesses,
}

/// Books that are meant, by their number.
pub(super) fn hits(index: &Index, asked: &Asked) -> Vec<Hit> {
    let by_isbn = asked.isbn.iter().flat_map(|digits| index.isbns(digits));
    let by_isbn: Vec<Hit> = by_isbn.map(|doc| Hit { doc, score: index.books[doc as usize].fame }).collect();
    if !by_isbn.is_empty() {
        return by_isbn;
    }
    let tolerances = [Tolerance::None, Tolerance::Slips, Tolerance::Guesses];
    let mut tries = tolerances.into_iter().map(|tolerance| Search::new(index, asked, tolerance).hits());
    tries.find(|hits| !hits.is_empty()).unwrap_or_default()
}

/// What a word of the query may be in the index.
#[derive(Debug, Default)]
struct Term {
    /// Whole words, sorted, and half edits.
    whole: Vec<(Word, u8)>,
    /// Words of which this is the beginning, sorted.
    open: Vec<(Word, u8)>,
}

#[derive(PartialEq, Eq)]
enum Fit {
    No,
    Beginning,
    Whole,
}

impl Term {
    fn fit(&self, word: Word) -> Fit {
        let has = |list: &[(Word, u8)]| list.binary_search_by_key(&word, |(known, _)| *known).is_ok();
        if has(&self.whole) {
            Fit::Whole
        } else if has(&self.open) {
            Fit::Beginning
        } else {
            Fit::No
        }
    }
}

/// Of one book and one word: 0 is none, else the half edits and the field, fewer being better.
type Mark = u8;
const FIELDS: u8 = 5;

fn mark(halves: u8, field: Field) -> Mark {
    1 + halves.min(40) * FIELDS + field as u8
}

struct Search<'a> {
    index: &'a Index,
    asked: &'a Asked,
    tolerance: Tolerance,
    terms: Vec<Term>,
}

impl<'a> Search<'a> {
    fn new(index: &'a Index, asked: &'a Asked, tolerance: Tolerance) -> Self {
        let mut search = Self { index, asked, tolerance, terms: Vec::new() };
        search.terms = (0..asked.words.len()).map(|at| search.term(at)).collect();
        search
    }

    fn term(&self, at: usize) -> Term {
        let (words, word) = (&self.index.words, &self.asked.words[at]);
        let is_open = self.asked.is_open && at + 1 == self.asked.words.len();
        let mut term = Term::default();
        if self.tolerance == Tolerance::None || !self.asked.is_telling(at) {
            term.whole.extend(words.find(word).map(|word| (word, 0)));
            if is_open {
                term.open.extend(words.beginning(word).map(|word| (word, 1)));
            }
            return term;
        }
        let more = usize::from(self.tolerance == Tolerance::Guesses);
        term.whole.extend(words.find(word).map(|word| (word, 0)));
        for alike in words.alike(word, more, is_open).into_iter().filter(|alike| alike.edits > 0 || !alike.is_whole) {
            let halves = u8::try_from(alike.edits * 2).unwrap_or(u8::MAX);
            if alike.is_whole {
                term.whole.push((alike.word, halves))
            } else {
                term.open.push((alike.word, halves + 1))
            }
        }
        // Two words that are one: “slaughter house”.
        let neighbours = [at.checked_sub(1).map(|before| (before, at)), Some((at, at + 1))].into_iter().flatten();
        for (one, other) in neighbours {
            let joined = self.asked.words.get(other).map(|other| self.asked.words[one].clone() + other);
            term.whole.extend(joined.and_then(|joined| words.find(&joined)).map(|word| (word, 1)));
        }
        if is_open {
            term.open.extend(words.beginning(word).map(|word| (word, 1)));
        }
        for list in [&mut term.whole, &mut term.open] {
            list.sort_unstable();
            list.dedup_by_key(|(word, _)| *word);
        }
        term
    }

    fn hits(&self) -> Vec<Hit> {
        let mut found: Option<Vec<(Doc, u16, u8)>> = None;
        for at in (0..self.terms.len()).filter(|at| self.asked.is_telling(*at)) {
            let marks = self.marks(at);
            let split = |mark: Mark| (u16::from((mark - 1) / FIELDS), (mark - 1) % FIELDS);
            found = Some(match found {
                None => {
                    let all = marks.iter().zip(0..).filter(|(mark, _)| **mark > 0);
                    all.map(|(mark, doc)| (doc, split(*mark).0, split(*mark).1)).collect()
                }
                Some(mut found) => {
                    found.retain_mut(|(doc, halves, field)| {
                        let mark = marks[*doc as usize];
                        if mark > 0 {
                            let (more, further) = split(mark);
                            (*halves, *field) = (*halves + more, further.max(*field));
                        }
                        mark > 0
                    });
                    found
                }
            });
        }
        let without: Vec<Word> = self.asked.without.iter().filter_map(|word| self.index.words.find(word)).collect();
        let found = found.unwrap_or_default().into_iter().filter(|(doc, ..)| self.is_wanted(*doc, &without));
        found.map(|(doc, halves, field)| self.hit(doc, halves, field)).collect()
    }

    /// Of each book, where it has what this word may be.
    fn marks(&self, at: usize) -> Vec<Mark> {
        let mut marks = vec![0; self.index.books.len()];
        let mut note = |doc: Doc, new: Mark| {
            let old = &mut marks[doc as usize];
            if *old == 0 || new < *old {
                *old = new;
            }
        };
        let term = &self.terms[at];
        for (word, halves) in term.whole.iter().chain(&term.open) {
            for posting in self.index.postings(*word) {
                note(posting.doc(), mark(*halves, posting.field()));
            }
        }
        let word = &self.asked.words[at];
        let stem = Stemmer::create(Algorithm::English).stem(word);
        for doc in self.index.stems.find(&stem).into_iter().flat_map(|stem| self.index.described(stem)) {
            note(doc, mark(0, Field::Description));
        }
        if self.tolerance != Tolerance::None {
            self.split(word, &mut note);
        }
        marks
    }

    /// One word that is two: “harrypotter”.
    fn split(&self, word: &str, note: &mut impl FnMut(Doc, Mark)) {
        let cuts = word.char_indices().map(|(at, _)| at).filter(|at| *at > 1 && word.len() - at > 1);
        let halves = cuts.filter_map(|at| {
            let (one, other) = word.split_at(at);
            Some((self.index.words.find(one)?, self.index.words.find(other)?))
        });
        for (one, other) in halves {
            let mut others = self.index.postings(other).iter().peekable();
            for posting in self.index.postings(one) {
                while others.next_if(|other| other.doc() < posting.doc()).is_some() {}
                if others.peek().is_some_and(|other| other.doc() == posting.doc()) {
                    note(posting.doc(), mark(1, posting.field()));
                }
            }
        }
    }

    fn is_wanted(&self, doc: Doc, without: &[Word]) -> bool {
        let book = &self.index.books[doc as usize];
        let has = |word: &Word| self.index.postings(*word).binary_search_by_key(&doc, |posting| posting.doc()).is_ok();
        !without.iter().any(has) && self.asked.phrases.iter().all(|phrase| self.has_phrase(book, phrase))
    }

    fn has_phrase(&self, book: &Entry, phrase: &[String]) -> bool {
        let words: Option<Vec<Word>> = phrase.iter().map(|word| self.index.words.find(word)).collect();
        let Some(words) = words else { return false };
        let has = |text: &[Word]| text.windows(words.len()).any(|part| part == words);
        let names = book.authors.iter().map(|author| &self.index.authors[*author as usize].words);
        has(&book.title) || has(&book.series) || names.into_iter().any(|name| has(name))
    }

    fn hit(&self, doc: Doc, halves: u16, field: u8) -> Hit {
        let book = &self.index.books[doc as usize];
        let distance = [0.0, 0.0, 0.3, 0.8, 10.0][usize::from(field)];
        let score = book.fame - f32::from(halves) * EDIT / 2.0 - distance + self.closeness(book, field);
        Hit { doc, score }
    }

    /// For a text that is the title, or begins it, the series or the author's name.
    fn closeness(&self, book: &Entry, field: u8) -> f32 {
        let title = self.bare(&book.title);
        let short = book.short.saturating_sub(book.title.len() - title.len());
        let terms = match self.terms.first() {
            Some(first) if self.terms.len() > 1 && self.index.articles.iter().any(|a| first.fit(*a) == Fit::Whole) => {
                &self.terms[1..]
            }
            _ => &self.terms[..],
        };
        match fit(terms, title) {
            Fit::Whole if terms.len() == title.len() && self.tolerance == Tolerance::None => WHOLE_TITLE,
            Fit::Whole if terms.len() == title.len() => WHOLE_TITLE_MISSPELT,
            Fit::Whole if terms.len() == short && self.tolerance == Tolerance::None => SHORT_TITLE,
            Fit::Whole | Fit::Beginning => BEGINNING,
            Fit::No if field == Field::Author as u8 => BEGINNING,
            Fit::No if fit(terms, self.bare(&book.series)) != Fit::No => BEGINNING,
            Fit::No => 0.0,
        }
    }

    /// Without the article it begins with.
    fn bare<'t>(&self, title: &'t [Word]) -> &'t [Word] {
        match title {
            [first, rest @ ..] if !rest.is_empty() && self.index.articles.contains(first) => rest,
            _ => title,
        }
    }
}

/// Whether the text begins with these words.
fn fit(terms: &[Term], text: &[Word]) -> Fit {
    if terms.len() > text.len() {
        return Fit::No;
    }
    terms.iter().zip(text).fold(Fit::Whole, |so_far, (term, word)| match (so_far, term.fit(*word)) {
        (Fit::No, _) | (_, Fit::No) => Fit::No,
        (Fit::Beginning, _) | (_, Fit::Beginning) => Fit::Beginning,
        (Fit::Whole, Fit::Whole) => Fit::Whole,
    })
}

/// Authors of the best of these books whose name has all the words, the best known first.
pub(super) fn authors(index: &Index, asked: &Asked, hits: &[Hit], most: usize) -> Vec<u32> {
    let has = |name: &str| {
        let has = |typed: &String| text::words(name).any(|word| word.starts_with(typed.as_str()));
        asked.words.iter().all(has)
    };
    let mut found = Vec::new();
    for author in hits.iter().flat_map(|hit| &index.books[hit.doc as usize].authors) {
        if found.len() < most && !found.contains(author) && has(&index.authors[*author as usize].folded) {
            found.push(*author);
        }
    }
    found
}
