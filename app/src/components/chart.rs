//! A chart of bars as SVG, drawn by the server like everything else. Only the bars are in the picture, which stretches;
//! the words around it are HTML, so that they stay readable on a phone. The same figures stand below as a table.

use crate::html::html;
use domain::{markup::escape, words::counted};
use leptos::prelude::*;
use std::fmt::Write;

/// Units of the picture: one bar is this wide, the tallest this high.
const WIDTH: usize = 10;
const HEIGHT: i64 = 100;
/// Part of a bar's width that stays empty on each side.
const GAP: usize = 1;

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What it stands for: `21 Nov`.
    pub label: String,
    pub value: i64,
    /// The value as people write it.
    pub said: String,
}

/// `id` tells it from other charts of the page; `unit` heads the column of values.
pub fn chart(id: &'static str, title: &str, unit: &'static str, bars: &[Bar]) -> AnyView {
    let most = bars.iter().max_by_key(|bar| bar.value);
    let summary = summary(bars);
    let (top, ends) = (most.map(|bar| bar.said.clone()).unwrap_or_default(), ends(bars));
    let picture = picture(id, title, &summary, bars);
    let rows = bars.iter().map(|bar| {
        html! { <tr><th scope="row">{bar.label.clone()}</th><td class="num">{bar.said.clone()}</td></tr> }
    });
    let rows = rows.collect::<Vec<_>>();
    html! {
        <figure class="chart">
            <figcaption class="chart__title">{title.to_owned()}</figcaption>
            <p class="chart__top muted small">{top}</p>
            <div class="chart__plot" inner_html=picture></div>
            <div class="chart__ends muted small">{ends}</div>
            <details class="chart__table">
                <summary>"As a table"</summary>
                <div class="table-scroll" tabindex="0" role="region" aria-label=format!("{title}, as a table")>
                    <table class="table">
                        <thead><tr><th scope="col">"When"</th><th scope="col" class="num">{unit}</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </details>
        </figure>
    }
}

/// What the picture says, for who does not see it.
fn summary(bars: &[Bar]) -> String {
    let count = counted(bars.len() as u64, "bar", "bars");
    match bars.iter().max_by_key(|bar| bar.value) {
        Some(most) if most.value > 0 => format!("{count}. The highest is {} with {}.", most.label, most.said),
        _ => format!("{count}, nothing in any."),
    }
}

/// The first and the last label, and the one in the middle of many.
fn ends(bars: &[Bar]) -> Vec<AnyView> {
    let middle = bars.get(bars.len() / 2).filter(|_| bars.len() > 4);
    let shown = bars.first().into_iter().chain(middle).chain(bars.last().filter(|_| bars.len() > 1));
    shown.map(|bar| html! { <span>{bar.label.clone()}</span> }).collect()
}

fn picture(id: &str, title: &str, summary: &str, bars: &[Bar]) -> String {
    let width = bars.len().max(1) * WIDTH;
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    let mut svg = format!(
        "<svg class=\"chart__picture\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
        escape(title),
        escape(summary)
    );
    for (n, bar) in bars.iter().enumerate() {
        let height = (bar.value.max(0) * HEIGHT / most).max(i64::from(bar.value > 0));
        let (x, y, wide) = (n * WIDTH + GAP, HEIGHT - height, WIDTH - 2 * GAP);
        // Writing to a String cannot fail.
        let _ = write!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{height}\"/>");
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, value: i64) -> Bar {
        Bar { label: label.into(), value, said: format!("₹{value}") }
    }

    #[test]
    fn bars_are_as_high_as_their_values() {
        let svg = picture("c", "A & B", "two", &[bar("Mon", 50), bar("Tue", 0), bar("Wed", 200), bar("Thu", 1)]);
        assert!(svg.contains("A &amp; B") && svg.contains("viewBox=\"0 0 40 100\""), "{svg}");
        for rect in [
            "x=\"1\" y=\"75\" width=\"8\" height=\"25\"",
            "y=\"100\" width=\"8\" height=\"0\"",
            "y=\"0\" width=\"8\" height=\"100\"",
        ] {
            assert!(svg.contains(rect), "{rect}: {svg}");
        }
        assert!(svg.contains("x=\"31\" y=\"99\""), "what is small is seen all the same: {svg}");
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        assert_eq!(summary(&[bar("Mon", 0)]), "1 bar, nothing in any.");
        assert_eq!(summary(&[bar("Mon", 5), bar("Tue", 7)]), "2 bars. The highest is Tue with ₹7.");
        assert!(picture("c", "t", "s", &[]).ends_with("</svg>"));
    }
}
