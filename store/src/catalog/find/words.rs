//! Every word that occurs in titles and names: found as it is, by its beginning, or although it is misspelt.

/// Longest word that edits are counted of, in characters.
const MAX_WORD: usize = 32;
/// Words with one beginning, or like one misspelt word, that are looked at.
const MAX_FOUND: usize = 4_000;

/// The number of a word.
pub(super) type Word = u32;

/// Sorted words.
#[derive(Debug, Default)]
pub(super) struct Words {
    words: Vec<Box<str>>,
    shapes: Vec<Shape>,
}

/// What rules most words out before their letters are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    letters: u32,
    length: u8,
}

impl Shape {
    fn of(word: &str) -> Self {
        let letters = word.chars().fold(0, |letters, c| letters | 1 << (u32::from(c) % 32));
        Self { letters, length: u8::try_from(word.chars().count()).unwrap_or(u8::MAX) }
    }
}

impl Words {
    /// `words`: sorted, each once.
    pub fn new(words: Vec<Box<str>>) -> Self {
        let shapes = words.iter().map(|word| Shape::of(word)).collect();
        Self { words, shapes }
    }

    pub fn find(&self, word: &str) -> Option<Word> {
        self.words.binary_search_by(|known| (**known).cmp(word)).ok().map(|at| at as Word)
    }

    /// Words that begin so.
    pub fn beginning(&self, start: &str) -> std::ops::Range<Word> {
        let from = self.words.partition_point(|word| **word < *start);
        let rest = &self.words[from..];
        let count = rest.partition_point(|word| word.starts_with(start)).min(MAX_FOUND);
        from as Word..(from + count) as Word
    }

    /// Words that may be meant, with the edits between; `open`: also words of which the beginning may be meant.
    pub fn alike(&self, typed: &str, more: usize, open: bool) -> Vec<Alike> {
        let letters: Vec<char> = typed.chars().collect();
        let Some(most) = allowed(&letters).map(|most| most + more) else { return Vec::new() };
        let shape = Shape::of(typed);
        let mut found = Vec::new();
        for (at, (word, other)) in self.words.iter().zip(&self.shapes).enumerate() {
            let (missing, length) = ((shape.letters & !other.letters).count_ones() as usize, other.length as usize);
            let longer = length.saturating_sub(letters.len());
            if missing > most || letters.len().saturating_sub(length) > most || (!open && longer > most) {
                continue;
            }
            if more > 0 && word.chars().next() != letters.first().copied() {
                continue;
            }
            let Edits { whole, beginning } = edits(&letters, word, most);
            let word = at as Word;
            if whole <= most {
                found.push(Alike { word, edits: whole, is_whole: true });
            } else if open && beginning <= most && letters.len() >= 5 {
                found.push(Alike { word, edits: beginning, is_whole: false });
            }
        }
        found.sort_by_key(|alike| (alike.edits, !alike.is_whole, alike.word));
        found.truncate(MAX_FOUND);
        found
    }
}

/// A word that may be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alike {
    pub word: Word,
    pub edits: usize,
    /// False: only its beginning is like what was typed.
    pub is_whole: bool,
}

/// What slips of the fingers do to a word of that length; `None`: numbers and very long words are meant as they are.
fn allowed(typed: &[char]) -> Option<usize> {
    match typed.len() {
        _ if typed.iter().all(|c| c.is_numeric()) => None,
        0..=2 => None,
        3..=5 => Some(1),
        6..=9 => Some(2),
        10..=MAX_WORD => Some(3),
        _ => None,
    }
}

struct Edits {
    whole: usize,
    /// To the nearest beginning of the word.
    beginning: usize,
}

/// Edits between two words, swapped neighbours counting as one (optimal string alignment). Not exact past `most`.
fn edits(typed: &[char], word: &str, most: usize) -> Edits {
    let word: Vec<char> = word.chars().take(typed.len() + most + 1).collect();
    let mut before_last = vec![0; word.len() + 1];
    let mut last: Vec<usize> = (0..=word.len()).collect();
    let mut row = vec![0; word.len() + 1];
    for i in 1..=typed.len() {
        row[0] = i;
        for j in 1..=word.len() {
            let replaced = last[j - 1] + usize::from(typed[i - 1] != word[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && typed[i - 1] == word[j - 2] && typed[i - 2] == word[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        if row.iter().min().is_some_and(|least| *least > most) {
            return Edits { whole: usize::MAX, beginning: usize::MAX };
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    Edits { whole: last[word.len()], beginning: last.iter().copied().min().unwrap_or(usize::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Words {
        let mut list: Vec<Box<str>> = list.iter().map(|word| (*word).into()).collect();
        list.sort();
        Words::new(list)
    }

    #[test]
    fn slips_of_the_fingers_are_counted() {
        for (typed, meant, edits) in [
            ("things", "things", Some(0)),
            ("thigns", "things", Some(1)),
            ("tolkein", "tolkien", Some(1)),
            ("hobit", "hobbit", Some(1)),
            ("ishigoru", "ishiguro", Some(2)),
            ("dostoyevski", "dostoevsky", Some(2)),
            ("hobit", "rabbit", None),
            ("cat", "dog", None),
            ("it", "is", None),
            ("1984", "1983", None),
        ] {
            let found = words(&[meant]).alike(typed, 0, false);
            assert_eq!(found.first().map(|alike| alike.edits), edits, "{typed} {meant}");
        }
        assert!(words(&["x"]).alike(&"x".repeat(90), 0, true).is_empty());
    }

    #[test]
    fn beginnings_are_found_right_or_wrong() {
        let words = words(&["mock", "mocking", "mockingbird", "monk"]);
        assert_eq!(words.beginning("mock"), 0..3);
        assert_eq!(words.beginning("zebra"), 4..4);
        assert_eq!(words.find("monk"), Some(3));
        let bird = words.alike("mokingb", 0, true);
        assert_eq!(bird.first(), Some(&Alike { word: 2, edits: 1, is_whole: false }));
        assert!(words.alike("mokingb", 0, false).iter().all(|alike| alike.is_whole));
    }
}
