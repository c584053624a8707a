//! Which books a misspelt search means. Trigrams (pg_trgm) find candidates by index but cannot judge: `thigns` shares
//! more of them with “this sign” than with “things”. So edits are counted here: letters wrong, missing, extra or swapped.

use super::{
    cache::Found,
    queries::{Candidate, book_id},
};
use domain::catalog::{BookQuery, PAGE_SIZE, Sort};
use std::cmp::Reverse;

/// Most candidates that are looked at.
pub(super) const MAX_CANDIDATES: i64 = 1_000;

/// Longest word that edits are counted of, in characters.
const MAX_WORD: usize = 32;

/// The page of candidates in which every word has a look-alike; fewest edits first unless asked for another order.
pub(super) fn page(candidates: Vec<Candidate>, words: &[String], query: &BookQuery) -> Result<Found, sqlx::Error> {
    let mut hits: Vec<(usize, Candidate)> =
        candidates.into_iter().filter_map(|book| Some((edits(words, &words_of(&book.text))?, book))).collect();
    hits.sort_by(|(a, one), (b, other)| {
        let asked = match query.sort {
            Sort::Relevance => std::cmp::Ordering::Equal,
            Sort::Title => one.title.cmp(&other.title),
            Sort::PriceLow => one.price.cmp(&other.price),
            Sort::PriceHigh => other.price.cmp(&one.price),
            Sort::Newest => Reverse(one.year).cmp(&Reverse(other.year)),
        };
        asked.then(a.cmp(b)).then(other.popularity.cmp(&one.popularity)).then(one.id.cmp(&other.id))
    });
    let (size, before) = (PAGE_SIZE as usize, query.page.saturating_sub(1) as usize * PAGE_SIZE as usize);
    let ids = hits.iter().skip(before).take(size).map(|(_, book)| book_id(book.id)).collect::<Result<_, _>>()?;
    Ok(Found { ids, total: hits.len() as i64 })
}

/// Words of a text: runs of letters and digits.
pub(super) fn words_of(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Edits that make each asked word one of the book's, in all; `None` when one of them is too far from all.
fn edits(asked: &[String], book: &[String]) -> Option<usize> {
    // Two words written as one: “harrypotter”.
    let joined: Vec<String> = book.windows(2).map(|pair| pair.concat()).collect();
    asked.iter().map(|word| book.iter().chain(&joined).filter_map(|other| distance(word, other)).min()).sum()
}

/// Edits between two words, swapped neighbours counting as one (optimal string alignment); `None` past what a slip of
/// the fingers does to a word of that length.
fn distance(one: &str, other: &str) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let most = match a.len() {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        10..=MAX_WORD => 3,
        _ => 0,
    };
    if a == b {
        return Some(0);
    }
    if most == 0 || a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    Some(last[b.len()]).filter(|edits| *edits <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_fingers_are_counted() {
        for (typed, meant, edits) in [
            ("things", "things", Some(0)),
            ("thigns", "things", Some(1)),
            ("tolkein", "tolkien", Some(1)),
            ("hobit", "hobbit", Some(1)),
            ("ishigoru", "ishiguro", Some(2)),
            ("dostoyevski", "dostoevsky", Some(2)),
            ("misérables", "miserables", Some(1)),
            ("hobit", "rabbit", None),
            ("cat", "dog", None),
            ("it", "is", None),
        ] {
            assert_eq!(distance(typed, meant), edits, "{typed} {meant}");
        }
        assert_eq!(distance(&"x".repeat(90), &"x".repeat(91)), None);
    }

    #[test]
    fn every_word_needs_a_look_alike() {
        let book = words_of("harry potter and the sorcerer's stone, j.k. rowling");
        let asked = |text: &str| edits(&words_of(text), &book);
        assert_eq!(asked("hary poter"), Some(2));
        assert_eq!(asked("harrypotter"), Some(0));
        assert_eq!(asked("sorcerers stnoe"), Some(1));
        assert_eq!(asked("harry dumbledore"), None);
    }
}
