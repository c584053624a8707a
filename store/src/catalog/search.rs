//! What a shopper typed, as Postgres wants to be asked.

use super::alike;
use domain::isbn::Isbn;

/// A search text, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// In lower case, spaces single; an ISBN in its one spelling.
    pub text: String,
    /// For `to_tsquery`: all words, the last one as a beginning. `None`: the shopper uses quotes or minus, which
    /// `websearch_to_tsquery` reads.
    pub all_words: Option<String>,
    /// Titles that this text may simply be, with and without an article.
    pub titles: Vec<String>,
    /// LIKE patterns of what begins with one of them.
    pub beginnings: Vec<String>,
    /// Words that say something, the longest first: each must look like a word of the book when none is spelled right.
    pub words: Vec<String>,
}

impl Terms {
    /// `None`: nothing in it that could be searched for.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let text = Isbn::parse(&text).map_or(text, String::from);
        if !text.chars().any(char::is_alphanumeric) {
            return None;
        }
        let operators = text.contains('"') || text.split(' ').any(|word| word.starts_with('-') || word == "or");
        let bare = ["the ", "a ", "an "].iter().find_map(|article| text.strip_prefix(article)).unwrap_or(&text);
        let titles: Vec<String> = ["", "the ", "a ", "an "].iter().map(|article| format!("{article}{bare}")).collect();
        Some(Self {
            all_words: (!operators).then(|| all_words(&text)),
            beginnings: titles.iter().map(|title| like_escaped(title) + "%").collect(),
            titles,
            words: telling_words(&text),
            text,
        })
    }

    /// The word that finds the candidates.
    pub fn longest(&self) -> &str {
        self.words.first().map_or(&self.text, String::as_str)
    }
}

/// `'harry' & 'pott':*`; each word quoted, so that nothing in it is syntax.
fn all_words(text: &str) -> String {
    let quoted = |word: &str| format!("'{}'", word.replace('\\', "\\\\").replace('\'', "''"));
    text.split(' ').map(quoted).collect::<Vec<_>>().join(" & ") + ":*"
}

/// Words of at least four letters, or all of them when none is that long.
fn telling_words(text: &str) -> Vec<String> {
    let mut words = alike::words_of(text);
    if words.iter().any(|word| word.chars().count() >= 4) {
        words.retain(|word| word.chars().count() >= 4);
    }
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.dedup();
    words
}

/// The text itself inside a LIKE pattern.
pub(super) fn like_escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_a_beginning_and_nothing_is_syntax() {
        let words = |text| Terms::parse(text).and_then(|terms| terms.all_words);
        assert_eq!(words("  Harry\tPOTT ").as_deref(), Some("'harry' & 'pott':*"));
        assert_eq!(words(r"o'b\ | !x").as_deref(), Some(r"'o''b\\' & '|' & '!x':*"));
        assert_eq!(words("\"war and peace\""), None);
        assert_eq!(words("potter -harry"), None);
    }

    #[test]
    fn an_isbn_has_one_spelling() {
        assert_eq!(Terms::parse("978-0-439-02348-1").map(|t| t.text).as_deref(), Some("9780439023481"));
        assert_eq!(Terms::parse("0439023483").map(|t| t.text).as_deref(), Some("9780439023481"));
    }

    #[test]
    fn articles_and_short_words_do_not_decide() {
        let terms = Terms::parse("The Hobit & me");
        assert_eq!(terms.as_ref().map(|t| t.titles[2].as_str()), Some("a hobit & me"));
        assert_eq!(terms.map(|t| t.words), Some(vec!["hobit".to_owned()]));
        assert_eq!(Terms::parse("it").map(|t| t.words), Some(vec!["it".to_owned()]));
        assert_eq!(Terms::parse("…!?"), None);
    }

    #[test]
    fn patterns_are_literal() {
        assert_eq!(like_escaped(r"100%_\"), r"100\%\_\\");
    }
}
