//! The index: words to books, and of each book what ranking, filters and orders need. Made anew when the catalogue
//! changes; never changed.

use super::{
    text::{self, folded},
    words::{Word, Words},
};
use crate::catalog::import::slug_of;
use domain::{BookId, UnixMillis};
use rust_stemmers::{Algorithm, Stemmer};
use std::collections::{BTreeMap, HashMap};

/// A book on sale, as it is read.
pub(in crate::catalog) struct Source {
    pub id: BookId,
    pub isbn: Option<u64>,
    pub title: String,
    pub subtitle: Option<String>,
    pub authors: Vec<String>,
    pub year: Option<i32>,
    pub language: String,
    pub description: String,
    pub price: i64,
    pub popularity: i64,
    pub categories: Vec<String>,
    pub changed: UnixMillis,
}

/// The number of a book in the index: 0 is the best known.
pub(super) type Doc = u32;

/// Where a word stands, the nearest to what people mean first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Title,
    Author,
    Series,
    Subtitle,
    Description,
}

/// A book and the field of a word in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Posting(u32);

impl Posting {
    fn new(doc: Doc, field: Field) -> Self {
        Self(doc << 3 | field as u32)
    }

    pub fn doc(self) -> Doc {
        self.0 >> 3
    }

    pub fn field(self) -> Field {
        [Field::Title, Field::Author, Field::Series, Field::Subtitle][(self.0 & 3) as usize]
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    pub id: BookId,
    pub price: i64,
    pub year: Option<i32>,
    /// Decimal logarithm of how well known it is.
    pub fame: f32,
    /// Place among all titles in alphabetical order.
    pub title_rank: u32,
    pub language: u16,
    pub categories: Box<[u16]>,
    pub authors: Box<[u32]>,
    /// The title without its series, and how many words of it stand before a colon.
    pub title: Box<[Word]>,
    pub short: usize,
    pub series: Box<[Word]>,
}

/// An author by the name's address: different spellings of one name are one author.
#[derive(Debug)]
pub(super) struct Author {
    pub name: String,
    pub slug: String,
    pub folded: String,
    pub words: Box<[Word]>,
    /// The latest change of a book of theirs.
    pub changed: UnixMillis,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    pub books: Vec<Entry>,
    pub words: Words,
    postings: Lists,
    pub stems: Words,
    in_descriptions: Lists,
    pub authors: Vec<Author>,
    pub categories: Vec<String>,
    pub languages: Vec<String>,
    /// Sorted.
    isbns: Vec<(u64, Doc)>,
    by_id: HashMap<BookId, Doc>,
    /// The words of [`text::ARTICLES`].
    pub articles: Vec<Word>,
}

/// Lists end to end.
#[derive(Debug, Default)]
struct Lists {
    starts: Vec<u32>,
    all: Vec<Posting>,
}

impl Lists {
    fn of(&self, word: Word) -> &[Posting] {
        let bound = |at: usize| self.starts.get(at).map_or(self.all.len(), |start| *start as usize);
        &self.all[bound(word as usize)..bound(word as usize + 1)]
    }
}

impl Index {
    pub fn postings(&self, word: Word) -> &[Posting] {
        self.postings.of(word)
    }

    /// Books with this word, stemmed, in their description.
    pub fn described(&self, stem: Word) -> impl Iterator<Item = Doc> {
        self.in_descriptions.of(stem).iter().map(|posting| posting.doc())
    }

    pub fn doc(&self, id: BookId) -> Option<Doc> {
        self.by_id.get(&id).copied()
    }

    /// Books whose ISBN begins with these digits.
    pub fn isbns(&self, digits: &str) -> impl Iterator<Item = Doc> {
        let missing = 13_u32.saturating_sub(u32::try_from(digits.len()).unwrap_or(13));
        let least = digits.parse().unwrap_or(u64::MAX).saturating_mul(10_u64.pow(missing));
        let most = least.saturating_add(10_u64.pow(missing));
        let from = self.isbns.partition_point(|(isbn, _)| *isbn < least);
        self.isbns[from..].iter().take_while(move |(isbn, _)| *isbn < most).map(|(_, doc)| *doc)
    }

    pub fn build(mut sources: Vec<Source>) -> Self {
        sources.sort_by_key(|book| (std::cmp::Reverse(book.popularity), book.id));
        let mut builder = Builder::default();
        let entries: Vec<Draft> = sources.iter().enumerate().map(|(doc, book)| builder.add(doc as Doc, book)).collect();
        builder.finish(&sources, entries)
    }
}

/// Words by number in the order in which they were met.
#[derive(Default)]
struct Met {
    numbers: HashMap<Box<str>, u32>,
    postings: Vec<Vec<Posting>>,
}

impl Met {
    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.postings.len() as u32;
        self.numbers.insert(word.into(), number);
        self.postings.push(Vec::new());
        number
    }

    /// The nearest field of a book comes first, the others say nothing more.
    fn note(&mut self, word: &str, posting: Posting) -> u32 {
        let number = self.number(word);
        let list = &mut self.postings[number as usize];
        if list.last().is_none_or(|last| last.doc() != posting.doc()) {
            list.push(posting);
        }
        number
    }

    /// Sorted words, their lists, and the new number of each old one.
    fn sorted(self) -> (Words, Lists, Vec<Word>) {
        let mut words: Vec<(Box<str>, u32)> = self.numbers.into_iter().collect();
        words.sort_unstable();
        let (mut lists, mut renumbered) = (Lists::default(), vec![0; words.len()]);
        lists.all.reserve_exact(self.postings.iter().map(Vec::len).sum());
        for (new, (_, old)) in words.iter().enumerate() {
            renumbered[*old as usize] = new as Word;
            lists.starts.push(lists.all.len() as u32);
            lists.all.extend_from_slice(&self.postings[*old as usize]);
        }
        (Words::new(words.into_iter().map(|(word, _)| word).collect()), lists, renumbered)
    }
}

/// An entry whose words are still numbered as they were met.
struct Draft {
    title: Vec<u32>,
    short: usize,
    series: Vec<u32>,
    authors: Box<[u32]>,
    language: u16,
    categories: Box<[u16]>,
}

#[derive(Default)]
struct Builder {
    words: Met,
    stems: Met,
    /// Slug or name to number.
    author_numbers: HashMap<String, u32>,
    authors: Vec<(Author, Vec<u32>)>,
    categories: BTreeMap<String, u16>,
    languages: BTreeMap<String, u16>,
}

impl Builder {
    fn add(&mut self, doc: Doc, book: &Source) -> Draft {
        let (main, series) = book.title.split_once(" (").unwrap_or((&book.title, ""));
        let mut note = |text: &str, field| {
            let text = folded(text);
            text::words(&text).map(|word| self.words.note(word, Posting::new(doc, field))).collect::<Vec<u32>>()
        };
        let title = note(main, Field::Title);
        let short = main.split_once(':').map_or(title.len(), |(short, _)| text::words(&folded(short)).count());
        let names: Vec<Vec<u32>> = book.authors.iter().map(|name| note(name, Field::Author)).collect();
        for name in &book.authors {
            note(&text::initials(&folded(name)).unwrap_or_default(), Field::Author);
        }
        let series = note(series, Field::Series);
        note(book.subtitle.as_deref().unwrap_or_default(), Field::Subtitle);
        let authors =
            book.authors.iter().zip(names).map(|(name, words)| self.author(name, words, book.changed)).collect();
        self.describe(doc, &book.description);
        let categories = book.categories.iter().map(|slug| number(&mut self.categories, slug)).collect();
        let language = number(&mut self.languages, &book.language);
        Draft { title, short, series, authors, language, categories }
    }

    fn author(&mut self, name: &str, words: Vec<u32>, changed: UnixMillis) -> u32 {
        let slug = slug_of(name);
        let key = if slug.is_empty() { name } else { &slug };
        if let Some(number) = self.author_numbers.get(key) {
            let (author, _) = &mut self.authors[*number as usize];
            author.changed = author.changed.max(changed);
            return *number;
        }
        let number = self.authors.len() as u32;
        self.author_numbers.insert(key.to_owned(), number);
        let folded = text::words(&folded(name)).collect::<Vec<_>>().join(" ");
        self.authors.push((Author { name: name.to_owned(), slug, folded, words: Box::default(), changed }, words));
        number
    }

    fn describe(&mut self, doc: Doc, description: &str) {
        let stemmer = Stemmer::create(Algorithm::English);
        for word in text::words(&folded(description)).filter(|word| !text::is_stop_word(word)) {
            self.stems.note(&stemmer.stem(word), Posting::new(doc, Field::Title));
        }
    }

    fn finish(self, sources: &[Source], drafts: Vec<Draft>) -> Index {
        let (words, postings, renumbered) = self.words.sorted();
        let (stems, in_descriptions, _) = self.stems.sorted();
        let renumber = |old: Vec<u32>| old.into_iter().map(|old| renumbered[old as usize]).collect::<Box<[Word]>>();
        let ranks = title_ranks(sources);
        let books = sources.iter().zip(drafts).zip(ranks).map(|((book, draft), title_rank)| Entry {
            id: book.id,
            price: book.price,
            year: book.year,
            fame: (book.popularity.max(0) as f32 + 1.0).log10(),
            title_rank,
            language: draft.language,
            categories: draft.categories,
            authors: draft.authors,
            title: renumber(draft.title),
            short: draft.short,
            series: renumber(draft.series),
        });
        let books: Vec<Entry> = books.collect();
        let mut isbns: Vec<(u64, Doc)> =
            sources.iter().zip(0..).filter_map(|(book, doc)| Some((book.isbn?, doc))).collect();
        isbns.sort_unstable();
        let by_id = books.iter().zip(0..).map(|(book, doc)| (book.id, doc)).collect();
        let authors = self.authors.into_iter().map(|(author, words)| Author { words: renumber(words), ..author });
        let articles = text::ARTICLES.iter().filter_map(|article| words.find(article)).collect();
        Index {
            books,
            postings,
            stems,
            in_descriptions,
            authors: authors.collect(),
            categories: by_number(self.categories),
            languages: by_number(self.languages),
            isbns,
            by_id,
            articles,
            words,
        }
    }
}

/// The number of a name; there are never as many as numbers.
fn number(numbers: &mut BTreeMap<String, u16>, name: &str) -> u16 {
    if let Some(number) = numbers.get(name) {
        return *number;
    }
    let number = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
    numbers.insert(name.to_owned(), number);
    number
}

fn by_number(numbers: BTreeMap<String, u16>) -> Vec<String> {
    let mut names: Vec<(String, u16)> = numbers.into_iter().collect();
    names.sort_by_key(|(_, number)| *number);
    names.into_iter().map(|(name, _)| name).collect()
}

fn title_ranks(sources: &[Source]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by(|one, other| {
        (&sources[*one].title, sources[*one].id).cmp(&(&sources[*other].title, sources[*other].id))
    });
    let mut ranks = vec![0; sources.len()];
    for (rank, doc) in order.into_iter().enumerate() {
        ranks[doc] = rank as u32;
    }
    ranks
}
