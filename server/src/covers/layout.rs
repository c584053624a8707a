//! Setting the words: the title as large as it fits, broken where a typesetter would break it, then subtitle and author.

use super::{glyphs, text};

/// The left edge of all words, clear of the spine; the right edge leaves the same air.
pub(super) const LEFT: f64 = 38.0;
pub(super) const MEASURE: f64 = 400.0 - LEFT - 26.0;

const TOP: f64 = 40.0;
const TITLE_SIZES: [f64; 12] = [68.0, 60.0, 53.0, 47.0, 42.0, 37.0, 33.0, 29.0, 26.0, 23.0, 20.0, 17.0];
const TITLE_HEIGHT: f64 = 216.0;
const SUBTITLE_SIZES: [f64; 3] = [21.0, 19.0, 17.0];
const AUTHOR_SIZES: [f64; 4] = [24.0, 21.0, 19.0, 17.0];
const AUTHOR_TRACKING: f64 = 0.07;
/// What one step down in size costs, in units of unevenness.
const STEP_COST: f64 = 0.055;
/// What a small capital measures against the capital it is drawn from.
const SMALL_CAP: f64 = 0.8;

/// One line of words, ready to draw.
pub(super) struct Block {
    pub(super) text: String,
    pub(super) baseline: f64,
    pub(super) size: f64,
    pub(super) width: f64,
    pub(super) tracking: f64,
    pub(super) small_caps: bool,
}

impl Block {
    /// The letters as drawn: small capitals are capitals of a smaller size.
    pub(super) fn drawn(&self) -> String {
        if self.small_caps { self.text.to_uppercase() } else { self.text.clone() }
    }
}

/// All the words of a cover.
pub(super) struct Setting {
    pub(super) blocks: Vec<Block>,
    /// Height of the short rule between title and author.
    pub(super) rule: f64,
    pub(super) bottom: f64,
}

pub(super) fn set(title: &str, author: &str) -> Setting {
    let (main, more) = text::split_title(title);
    let mut page = Page { blocks: Vec::new(), y: TOP };
    page.paragraph(
        main,
        &Style {
            sizes: &TITLE_SIZES,
            leading: 1.06,
            height: TITLE_HEIGHT,
            lines: 5,
            tracking: -0.008,
            small_caps: false,
        },
    );
    if !more.is_empty() {
        page.y += 8.0;
        page.paragraph(
            more,
            &Style { sizes: &SUBTITLE_SIZES, leading: 1.2, height: 78.0, lines: 3, tracking: 0.0, small_caps: false },
        );
    }
    page.y += 20.0;
    let rule = page.y;
    page.y += 12.0;
    let style = Style {
        sizes: &AUTHOR_SIZES,
        leading: 1.25,
        height: 62.0,
        lines: 2,
        tracking: AUTHOR_TRACKING,
        small_caps: true,
    };
    page.paragraph(&bounded_author(author, &style), &style);
    Setting { blocks: page.blocks, rule, bottom: page.y }
}

struct Style {
    /// From the size we would like down to the smallest we allow.
    sizes: &'static [f64],
    leading: f64,
    height: f64,
    lines: usize,
    tracking: f64,
    small_caps: bool,
}

impl Style {
    fn width(&self, words: &str) -> f64 {
        if self.small_caps {
            glyphs::measure(&words.to_uppercase(), self.tracking) * SMALL_CAP
        } else {
            glyphs::measure(words, self.tracking)
        }
    }

    fn drawn_size(&self, size: f64) -> f64 {
        if self.small_caps { size * SMALL_CAP } else { size }
    }

    /// The size and lines that look best: as large as fits, but a step smaller is worth it for evener lines.
    fn fit(&self, words: &str) -> Option<(f64, Vec<String>)> {
        let fitting = self.sizes.iter().zip(0_u32..).filter_map(|(size, step)| {
            let lines = break_lines(words, MEASURE / size, |line| self.width(line))?;
            let fits = lines.len() <= self.lines && lines.len() as f64 * size * self.leading <= self.height;
            fits.then(|| (f64::from(step) * STEP_COST + self.unevenness(&lines), *size, lines))
        });
        fitting.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, size, lines)| (size, lines))
    }

    fn unevenness(&self, lines: &[String]) -> f64 {
        let widths: Vec<f64> = lines.iter().map(|line| self.width(line)).collect();
        let longest = widths.iter().copied().fold(0.01, f64::max);
        let ragged: f64 = widths.iter().map(|w| (1.0 - w / longest).powi(2)).sum::<f64>() / widths.len().max(1) as f64;
        ragged + lines.iter().rev().skip(1).filter_map(|line| line.rsplit(' ').next()).map(weak_ending).sum::<f64>()
    }
}

struct Page {
    blocks: Vec<Block>,
    y: f64,
}

impl Page {
    fn paragraph(&mut self, words: &str, style: &Style) {
        let (size, lines) = style.fit(words).unwrap_or_else(|| forced(words, style));
        for line in lines {
            let width = style.width(&line) * size;
            self.blocks.push(Block {
                text: line,
                baseline: self.y + size * 0.8,
                size: style.drawn_size(size),
                width,
                tracking: style.tracking,
                small_caps: style.small_caps,
            });
            self.y += size * style.leading;
        }
    }
}

/// What fits at no size (a word longer than a line, a script without spaces) is filled letter by letter at the
/// smallest and ends in an ellipsis: a guard, not a look.
fn forced(words: &str, style: &Style) -> (f64, Vec<String>) {
    let size = style.sizes[style.sizes.len() - 1];
    let limit = MEASURE / size;
    let mut lines = vec![String::new()];
    for c in words.chars() {
        let full = lines.last().is_some_and(|line| style.width(&format!("{line}{c}…")) > limit);
        if full && lines.len() == style.lines {
            lines.last_mut().into_iter().for_each(|line| line.push('…'));
            break;
        }
        if full {
            lines.push(String::new());
        }
        lines.last_mut().into_iter().for_each(|line| line.push(c));
    }
    (size, lines.into_iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
}

/// Many hands do not fit a cover: the first is named, the rest are "and others".
fn bounded_author(author: &str, style: &Style) -> String {
    match author.split_once(", ") {
        Some((first, _)) if style.fit(author).is_none() => format!("{first} and others"),
        _ => author.to_owned(),
    }
}

/// Lines of at most `limit`, as even as they can be, not ending in "of" or "the" if there is another way.
/// Nothing if a word alone is too wide. Titles are bounded, so trying every break before every word is cheap.
fn break_lines(words: &str, limit: f64, width: impl Fn(&str) -> f64) -> Option<Vec<String>> {
    let words: Vec<&str> = words.split(' ').filter(|w| !w.is_empty()).collect();
    let least = fewest_lines(&words, limit, &width)?;
    let rows = best_breaks(&words, least, limit, &width);
    let mut lines = Vec::new();
    let mut end = words.len();
    for row in (1..=least).rev() {
        let (_, start) = rows[row][end]?;
        lines.push(words[start..end].join(" "));
        end = start;
    }
    lines.reverse();
    Some(lines)
}

/// `rows[n][end]`: the cheapest way to set the first `end` words in `n` lines, as its cost and where the last line begins.
fn best_breaks(
    words: &[&str],
    least: usize,
    limit: f64,
    width: &impl Fn(&str) -> f64,
) -> Vec<Vec<Option<(f64, usize)>>> {
    let mut rows = vec![vec![None; words.len() + 1]; least + 1];
    rows[0][0] = Some((0.0, 0));
    for row in 1..=least {
        for end in 1..=words.len() {
            for start in (0..end).rev() {
                let slack = limit - width(&words[start..end].join(" "));
                if slack < 0.0 {
                    break;
                }
                let Some((before, _)) = rows[row - 1][start] else { continue };
                let weak = if end < words.len() { weak_ending(words[end - 1]) } else { 0.0 };
                let cost: f64 = before + (slack / limit).powi(2) + weak;
                if rows[row][end].is_none_or(|(known, _)| cost < known) {
                    rows[row][end] = Some((cost, start));
                }
            }
        }
    }
    rows
}

fn fewest_lines(words: &[&str], limit: f64, width: &impl Fn(&str) -> f64) -> Option<usize> {
    let mut lines = 0;
    let mut line = String::new();
    for word in words {
        if width(word) > limit {
            return None;
        }
        let longer = if line.is_empty() { (*word).to_owned() } else { format!("{line} {word}") };
        if lines == 0 || width(&longer) > limit {
            lines += 1;
            line = (*word).to_owned();
        } else {
            line = longer;
        }
    }
    Some(lines)
}

fn weak_ending(word: &str) -> f64 {
    const WEAK: [&str; 14] = ["a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to"];
    if WEAK.contains(&word.to_lowercase().as_str()) { 0.2 } else { 0.0 }
}
