//! Words before they are set: cleaned of what XML or a reader's eye cannot bear, cut to a bound.

/// Past this many characters a title ends in an ellipsis; it is whole on its page.
const LONGEST: usize = 120;

/// One line of printable text: white space folded, controls and direction overrides gone, an ellipsis past the bound.
pub(super) fn clean(raw: &str) -> String {
    let printable: String =
        raw.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !unprintable(*c)).collect();
    let folded = printable.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    shorten(&folded, LONGEST)
}

/// XML 1.0 forbids most controls and the non-characters; overrides of direction would garble what stands around them.
fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{00AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

/// At most `bound` characters and an ellipsis, ending at a word where there is one.
pub(super) fn shorten(text: &str, bound: usize) -> String {
    let Some((cut, _)) = text.char_indices().nth(bound) else { return text.to_owned() };
    let head = &text[..cut];
    let end = head.rfind(' ').filter(|at| *at > cut / 2).unwrap_or(cut);
    format!("{}…", head[..end].trim_end_matches([' ', ',', ';', ':', '-', '–', '—']))
}

/// "Title: more" and "Title (Series, #1)" become a title and what is set smaller beneath it.
pub(super) fn split_title(title: &str) -> (&str, &str) {
    let at = [": ", " (", "; "].iter().filter_map(|mark| title.find(mark)).filter(|at| *at >= 3).min();
    match at {
        Some(at) => {
            let rest = title[at..].trim_start_matches([':', ';', ' ']);
            (&title[..at], rest.strip_prefix('(').map_or(rest, |inner| inner.strip_suffix(')').unwrap_or(inner)))
        }
        None => (title, ""),
    }
}
