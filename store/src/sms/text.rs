//! How long a short message is, as networks count and charge it.

use crate::mail::line;

/// Characters of GSM 03.38 beside letters, digits and spaces that take one place.
const PLAIN: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// Those that take two.
const WIDE: &str = "^{}\\[~]|€";
/// Most parts of one message; what is longer is cut.
const MOST: usize = 3;

/// In how many parts this goes over the air: 160 characters of GSM's own alphabet, or 70 of any, in one; a little fewer in
/// each of several.
pub fn segments(text: &str) -> usize {
    let septets: Option<usize> = text.chars().map(places).sum();
    let (length, alone, in_a_row) = match septets {
        Some(septets) => (septets, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    if length <= alone { 1 } else { length.div_ceil(in_a_row) }
}

fn places(c: char) -> Option<usize> {
    let is_plain = c.is_ascii_alphanumeric() || c == ' ' || PLAIN.contains(c);
    if is_plain { Some(1) } else { WIDE.contains(c).then_some(2) }
}

/// On one line, in at most [`MOST`] parts, and the rupee by the letters that GSM has.
pub(super) fn fitted(text: &str) -> String {
    let mut text = line(&text.replace('₹', "Rs "), usize::MAX);
    while segments(&text) > MOST {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_networks_do() {
        for (text, parts) in [
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("न".repeat(70), 1),
            ("न".repeat(71), 2),
            ("😀".repeat(36), 2),
        ] {
            assert_eq!(segments(&text), parts, "{} × {:?}", text.chars().count(), text.chars().next());
        }
    }

    #[test]
    fn whatever_is_in_it_fits() {
        assert_eq!(fitted("₹1,047 of\r\nBcc: x"), "Rs 1,047 of Bcc: x");
        assert_eq!(segments(&fitted(&"न".repeat(500))), 3);
        assert_eq!(fitted(&"a".repeat(500)).len(), 459);
    }
}
