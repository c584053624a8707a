//! What a shopper typed, taken apart.

use super::text::{self, folded};
use domain::isbn::Isbn;

/// Digits from which on a number is the beginning of an ISBN.
const ISBN_DIGITS: std::ops::RangeInclusive<usize> = 5..=13;
/// Words that are looked at.
const MAX_WORDS: usize = 12;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub words: Vec<String>,
    /// The last word may go on.
    pub is_open: bool,
    /// Texts in quotes: their words stand side by side.
    pub phrases: Vec<Vec<String>>,
    /// Words with a minus.
    pub without: Vec<String>,
    /// The beginning of an ISBN-13.
    pub isbn: Option<String>,
}

impl Asked {
    /// `None`: nothing in it that could be searched for.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut asked = Self { isbn: isbn(typed), is_open: true, ..Self::default() };
        for (at, part) in typed.split('"').enumerate() {
            let is_quoted = at % 2 == 1;
            asked.is_open = !is_quoted || part.trim().is_empty();
            if is_quoted {
                let phrase = words(part);
                asked.words.extend(phrase.iter().cloned());
                asked.phrases.extend((phrase.len() > 1).then_some(phrase));
                continue;
            }
            for word in part.split_whitespace() {
                match word.strip_prefix('-') {
                    Some(without) => asked.without.extend(words(without)),
                    None => asked.words.extend(words(word)),
                }
            }
        }
        asked.words.truncate(MAX_WORDS);
        asked.without.truncate(MAX_WORDS);
        (!asked.words.is_empty()).then_some(asked)
    }

    /// Whether the book must have that word.
    pub fn is_telling(&self, at: usize) -> bool {
        !text::is_stop_word(&self.words[at]) || self.words.iter().all(|word| text::is_stop_word(word))
    }
}

fn words(text: &str) -> Vec<String> {
    text::words(&folded(text)).map(str::to_owned).collect()
}

/// Both kinds of ISBN, with or without hyphens; of an ISBN-13 also its beginning.
fn isbn(typed: &str) -> Option<String> {
    if let Ok(isbn) = Isbn::parse(typed.trim()) {
        return Some(isbn.into());
    }
    let digits: String = typed.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let fits = ISBN_DIGITS.contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    (fits && digits.starts_with("97")).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_minus_and_the_open_end() {
        let asked = Asked::parse("  Harry\t\"the Half-Blood\" -stone POTT ").expect("words");
        assert_eq!(asked.words, ["harry", "the", "half", "blood", "pott"]);
        assert_eq!((asked.phrases, asked.without), (vec![words("the half blood")], words("stone")));
        assert!(asked.is_open);
        assert!(!Asked::parse("\"never let me go").expect("words").is_open);
        assert_eq!(Asked::parse("…!? -x"), None);
        assert_eq!(Asked::parse(&"w ".repeat(500)).map(|asked| asked.words.len()), Some(MAX_WORDS));
    }

    #[test]
    fn an_isbn_has_one_spelling() {
        for typed in ["978-0-439-02348-1", "0439023483", " 0-439-02348-3 "] {
            assert_eq!(isbn(typed).as_deref(), Some("9780439023481"), "{typed}");
        }
        assert_eq!(isbn("978-0-439").as_deref(), Some("9780439"));
        assert_eq!((isbn("1984"), isbn("978")), (None, None));
    }

    #[test]
    fn stop_words_tell_only_when_alone() {
        assert!(!Asked::parse("the hobbit").expect("words").is_telling(0));
        assert!(Asked::parse("of the").expect("words").is_telling(0));
    }
}
