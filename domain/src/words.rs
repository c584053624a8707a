//! Numbers and counts as people here write them (en-IN): the one place that knows of lakhs and plurals.

/// `12,34,567`
pub fn number(number: u64) -> String {
    grouped(number, true)
}

/// `1 copy`, `0 copies`, `9,278 titles`
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// Digits with commas: the last three together, then twos (lakh) or threes.
pub(crate) fn grouped(number: u64, lakh: bool) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        let left = digits.len() - i;
        let comma = if lakh { left == 3 || (left > 3 && left % 2 == 1) } else { left.is_multiple_of(3) };
        if i > 0 && comma {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_said_as_people_do() {
        let said = [0, 1, 2, 999, 1_000, 100_000, 12_345_678].map(|count| counted(count, "copy", "copies"));
        let expected =
            ["0 copies", "1 copy", "2 copies", "999 copies", "1,000 copies", "1,00,000 copies", "1,23,45,678 copies"];
        assert_eq!(said, expected);
    }
}
