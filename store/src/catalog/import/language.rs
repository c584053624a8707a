//! Language codes as files write them, in the one form the shop keeps: ISO 639-1 where there is one.

/// ISO 639-2, both the bibliographic and the native code, to ISO 639-1.
const TWO_LETTERS: [(&str, &str); 56] = [
    ("afr", "af"),
    ("alb", "sq"),
    ("ara", "ar"),
    ("baq", "eu"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("chi", "zh"),
    ("cze", "cs"),
    ("dan", "da"),
    ("deu", "de"),
    ("dut", "nl"),
    ("ell", "el"),
    ("eng", "en"),
    ("est", "et"),
    ("fas", "fa"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("fre", "fr"),
    ("ger", "de"),
    ("gle", "ga"),
    ("gre", "el"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("ice", "is"),
    ("ind", "id"),
    ("ita", "it"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kor", "ko"),
    ("lat", "la"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nor", "no"),
    ("pan", "pa"),
    ("per", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rum", "ro"),
    ("rus", "ru"),
    ("san", "sa"),
    ("spa", "es"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tur", "tr"),
    ("urd", "ur"),
    ("vie", "vi"),
    ("zho", "zh"),
];

/// `en`, `eng`, `en-GB` and `EN_us` are all `en`; a code without a short form stays (`fil`). `None`: not a code.
pub(in crate::catalog) fn parse(code: &str) -> Option<String> {
    let primary = code.split(['-', '_']).next()?.to_ascii_lowercase();
    let fits = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_lowercase());
    let short = TWO_LETTERS.binary_search_by_key(&primary.as_str(), |(long, _)| long).ok().map(|at| TWO_LETTERS[at].1);
    fits.then(|| short.map_or(primary, str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_code() {
        assert!(TWO_LETTERS.is_sorted());
        for (text, code) in
            [("en", "en"), ("eng", "en"), ("en-US", "en"), ("EN_gb", "en"), ("fre", "fr"), ("fil", "fil")]
        {
            assert_eq!(parse(text).as_deref(), Some(code), "{text}");
        }
        for bad in ["", "e", "english", "12", "हि"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
