//! Texts as they are compared: small letters, no marks, no punctuation.

use crate::catalog::import::latin;

/// `J.R.R. Tolkien` → `j r r tolkien`, `Midnight’s` → `midnights`, `Misérables` → `miserables`.
pub(in crate::catalog) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '\'' | '’' | '‘' | 'ʼ' | '\u{300}'..='\u{36f}' => {}
            '&' => out.push_str(" and "),
            c if !c.is_alphanumeric() => out.push(' '),
            c => match latin(c) {
                "" => out.push(c),
                letters => out.push_str(letters),
            },
        }
    }
    out
}

/// The words of a text that is [`folded`].
pub(super) fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(' ').filter(|word| !word.is_empty())
}

/// Initials as they are also typed: `j r r tolkien` → `jrr`.
pub(super) fn initials(folded: &str) -> Option<String> {
    let letters: String = words(folded).take_while(|word| word.chars().count() == 1).collect();
    (letters.chars().count() > 1).then_some(letters)
}

/// Words that tell nothing of a book unless there are no others.
pub(super) fn is_stop_word(word: &str) -> bool {
    const STOP: [&str; 19] = [
        "a", "an", "and", "at", "by", "de", "el", "for", "from", "in", "is", "la", "le", "of", "on", "or", "the", "to",
        "with",
    ];
    STOP.contains(&word)
}

/// Articles that titles begin with, and people leave out.
pub(super) const ARTICLES: [&str; 3] = ["the", "a", "an"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_meet() {
        assert_eq!(folded("Les Misérables"), folded("LES MISERABLES"));
        assert_eq!(folded("Midnight’s Children"), "midnights children");
        assert_eq!(folded("Angels & Demons").split_whitespace().collect::<Vec<_>>(), ["angels", "and", "demons"]);
        assert_eq!(folded("Slaughterhouse-Five"), "slaughterhouse five");
        assert_eq!(initials(&folded("J.R.R. Tolkien")).as_deref(), Some("jrr"));
        assert_eq!(initials(&folded("A Tale")), None);
    }
}
