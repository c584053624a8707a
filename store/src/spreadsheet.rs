//! Cells of files that people open in spreadsheets, which take some texts for formulas and run them.

/// By this mark at the beginning of a file they read UTF-8.
pub(crate) const MARK: char = '\u{feff}';
const SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

pub(crate) fn is_formula(cell: &str) -> bool {
    cell.starts_with(SIGNS)
}

/// An apostrophe makes it a text; also what has one already gets one, so that [`bare`] brings back the same.
pub(crate) fn guarded(cell: String) -> String {
    if is_formula(cell.trim_start_matches('\'')) { format!("'{cell}") } else { cell }
}

/// Without what [`guarded`] put before it.
pub(crate) fn bare(cell: &str) -> &str {
    let guarded = cell.strip_prefix('\'').filter(|rest| is_formula(rest.trim_start_matches('\'')));
    guarded.unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guarded_is_no_formula_and_comes_back() {
        for cell in ["=1+1", "'=1+1", "''@a", "-7", "＝cmd", "'tis", "", "'", "A Book", "1-2"] {
            let written = guarded(cell.to_owned());
            assert!(!is_formula(&written), "{written}");
            assert_eq!(bare(&written), cell);
        }
        assert_eq!((guarded("'tis".into()), guarded("=1".into())), ("'tis".into(), "'=1".into()));
    }
}
