//! Links to the other pages of a list.

use super::icon::icon;
use crate::html::html;
use leptos::prelude::*;

/// `address`: the address of a page of this list.
pub fn pagination(page: u32, pages: u32, address: impl Fn(u32) -> String) -> AnyView {
    if pages <= 1 {
        return ().into_any();
    }
    let numbers = shown(page, pages).into_iter().map(|number| match number {
        None => html! { <li><span class="pagination__gap">"…"</span></li> },
        Some(number) => html! {
            <li>
                <a class="pagination__link pagination__link--number" href=address(number)
                    aria-current=(number == page).then_some("page")>{number}</a>
            </li>
        },
    });
    let numbers = numbers.collect::<Vec<_>>();
    let previous = (page > 1).then(|| {
        html! {
            <li><a class="pagination__link" rel="prev" href=address(page - 1)>{icon("left")}" Previous"</a></li>
        }
    });
    let next = (page < pages).then(|| {
        html! {
            <li><a class="pagination__link" rel="next" href=address(page + 1)>"Next "{icon("right")}</a></li>
        }
    });
    html! {
        <nav class="pagination" aria-label="Pages">
            <ul class="pagination__list">{previous}{numbers}{next}</ul>
        </nav>
    }
}

/// The first, the last and the neighbours; `None` stands for a gap.
fn shown(page: u32, pages: u32) -> Vec<Option<u32>> {
    let near = |number: u32| number == 1 || number == pages || number.abs_diff(page) <= 1;
    let mut out: Vec<Option<u32>> = Vec::new();
    let mut last = 0;
    let candidates = [1].into_iter().chain(page.saturating_sub(1)..=page.saturating_add(1)).chain([pages]);
    for number in candidates.filter(|number| (1..=pages).contains(number) && near(*number)) {
        if number > last {
            if number > last + 1 {
                out.push(None);
            }
            out.push(Some(number));
            last = number;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_and_ends_are_shown() {
        assert_eq!(shown(2, 9), [Some(1), Some(2), Some(3), None, Some(9)]);
        assert_eq!(shown(5, 9), [Some(1), None, Some(4), Some(5), Some(6), None, Some(9)]);
        assert_eq!(shown(1, 1), [Some(1)]);
        assert_eq!(shown(9, 9), [Some(1), None, Some(8), Some(9)]);
        assert_eq!(shown(50, 9), [Some(1), None, Some(9)], "a page past the end");
    }
}
