//! Addresses of books and categories, made of their names.

use super::record::Row;
use domain::isbn::Isbn;
use sha2::{Digest, Sha256};

/// Longest slug, in bytes.
pub(in crate::catalog) const MAX_SLUG: usize = 160;
/// Longest part made of one text.
const MAX_PART: usize = 72;

/// Lower-case ASCII letters and digits with single hyphens between; empty when the text has none of them.
pub(in crate::catalog) fn of(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            // Inside a word: nothing.
            '\'' | '’' | '‘' | 'ʼ' | '\u{300}'..='\u{36f}' => {}
            '&' => slug.push_str("-and-"),
            _ => match latin(c) {
                "" => slug.push('-'),
                letters => slug.push_str(letters),
            },
        }
    }
    let words: Vec<&str> = slug.split('-').filter(|word| !word.is_empty()).collect();
    cut(&words)
}

/// What the address of a book is made of.
pub(in crate::catalog) struct Named<'a> {
    pub title: &'a str,
    /// The first author.
    pub author: Option<&'a str>,
    pub isbn: Option<&'a str>,
    /// The SKU, or the ISBN where there is none.
    pub key: &'a str,
}

impl<'a> From<&'a Row> for Named<'a> {
    fn from(row: &'a Row) -> Self {
        Self {
            title: row.title.as_deref().unwrap_or_default(),
            author: row.authors.iter().flatten().next().map(String::as_str),
            isbn: row.isbn13.as_ref().map(Isbn::as_str),
            key: row.key(),
        }
    }
}

impl Named<'_> {
    /// Slugs for the book, the best first; the last one is its own, because the SKU is.
    pub fn slugs(&self) -> Vec<String> {
        // “The Hunger Games (The Hunger Games, #1)”: the series is not part of its address.
        let bare = of(self.title.split(" (").next().unwrap_or(self.title));
        let base = if bare.is_empty() { of(self.title) } else { bare };
        let key = self.isbn.map_or_else(|| of(self.key), str::to_owned);
        let hash = hex::encode(&Sha256::digest(self.key.as_bytes())[..6]);
        if base.is_empty() {
            return vec![joined("book", &key), joined("book", &hash)];
        }
        let author = self.author.map(of).unwrap_or_default();
        vec![base.clone(), joined(&base, &author), joined(&base, &key), joined(&base, &hash)]
    }
}

fn joined(base: &str, suffix: &str) -> String {
    if suffix.is_empty() { base.to_owned() } else { format!("{base}-{suffix}") }
}

/// As many whole words as fit; at least the beginning of the first.
fn cut(words: &[&str]) -> String {
    let mut slug = String::new();
    for word in words {
        if slug.is_empty() {
            slug.extend(word.chars().take(MAX_PART));
        } else if slug.len() + 1 + word.len() <= MAX_PART {
            slug = slug + "-" + word;
        } else {
            break;
        }
    }
    slug
}

/// European letters without their marks.
pub(in crate::catalog) fn latin(c: char) -> &'static str {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' | 'ḥ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' | 'ḷ' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' | 'ṅ' | 'ṇ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'ŕ' | 'ŗ' | 'ř' | 'ṛ' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' | 'ṣ' => "s",
        'ţ' | 'ť' | 'ŧ' | 'ț' | 'ṭ' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        'þ' => "th",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_readable() {
        assert_eq!(of("Harry Potter and the Sorcerer's Stone"), "harry-potter-and-the-sorcerers-stone");
        assert_eq!(of("Gödel, Escher, Bach — & Miséra\u{301}bles!"), "godel-escher-bach-and-miserables");
        assert_eq!(of("ساق البامبو"), "");
        assert_eq!(of(&"x".repeat(500)).len(), MAX_PART);
        assert!(of(&"word ".repeat(100)).len() <= MAX_PART);
    }

    #[test]
    fn every_book_gets_an_address() {
        let row = |title: &str, sku: &str| Row {
            sku: Some(sku.into()),
            title: Some(title.into()),
            authors: Some(vec!["Ann Onymous".into()]),
            ..Row::default()
        };
        let candidates = |row: &Row| Named::from(row).slugs();
        let slugs = candidates(&row("Dune (Dune, #1)", "X.1"));
        assert_eq!(slugs[..3], ["dune", "dune-ann-onymous", "dune-x-1"]);
        assert_eq!(candidates(&row("ثلاثية", "A/7"))[0], "book-a-7");
        let longest = row(&"w ".repeat(200), &"s".repeat(64));
        assert!(candidates(&longest).iter().all(|slug| !slug.is_empty() && slug.len() <= MAX_SLUG));
    }
}
