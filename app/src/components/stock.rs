//! How many copies are left, in words; follows the gate while it is on the screen.

use crate::html::html;
use crate::live::use_live;
use domain::BookId;
use leptos::prelude::*;

/// Up to so many copies the number is said.
const FEW: i64 = 3;

#[component]
pub fn Stock(book: BookId, available: Option<i64>) -> impl IntoView {
    let available = use_live().available(book, available);
    html! { <span class=move || class(available.get())>{move || words(available.get())}</span> }
}

fn class(available: Option<i64>) -> &'static str {
    match available {
        None => "stock",
        Some(..=0) => "stock stock--out",
        Some(..=FEW) => "stock stock--low",
        Some(_) => "stock stock--in",
    }
}

fn words(available: Option<i64>) -> String {
    match available {
        None => "Being counted".into(),
        Some(..=0) => "Sold out".into(),
        Some(left @ ..=FEW) => format!("{left} left"),
        Some(_) => "In stock".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_copies_are_counted_out() {
        let said = [Some(0), Some(-1), Some(1), Some(3), Some(4), None].map(words);
        assert_eq!(said, ["Sold out", "Sold out", "1 left", "3 left", "In stock", "Being counted"]);
        assert_eq!(class(Some(3)), "stock stock--low");
    }
}
