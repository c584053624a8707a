//! Covers: every book has one without anybody having to draw it. From title, author, category and a seed comes an SVG that
//! looks like part of one publisher's series: two inks, a hairline spine, the title large, a block print of its category.
//!
//! A cover is loaded by `<img>`, where an SVG can use neither the page's fonts nor its styles. So letters are drawn as
//! outlines of the shop's own typeface, which also makes every width exact; a transparent `<text>` over them keeps
//! the words selectable and readable by machines. Scripts the typeface lacks are set as ordinary text.

mod dice;
mod glyphs;
mod layout;
mod motif;
mod palette;
#[cfg(test)]
mod tests;
mod text;

use dice::Dice;
use domain::markup::escape;
use layout::{Block, Setting};
use motif::{Canvas, Inks};
use palette::Palette;
use std::fmt::Write;

/// Width and height of the drawing, 2:3.
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 600.0;
/// Where the block print may begin; a few fixed lines, so that covers side by side share their horizons.
const HORIZONS: [f64; 5] = [232.0, 286.0, 340.0, 394.0, 448.0];

/// The cover of a book as a complete SVG document; the same arguments always give the same bytes.
pub fn cover_svg(title: &str, author: &str, category: &str, seed: u64) -> String {
    let title = text::clean(title);
    let author = text::clean(author);
    let mut dice = Dice::new(seed);
    let palette = Palette::choose(&mut dice);
    let setting = layout::set(&title, &author);
    let horizon = HORIZONS.into_iter().find(|h| *h >= setting.bottom + 22.0).unwrap_or(HORIZONS[HORIZONS.len() - 1]);

    let mut svg = open(&title, &author);
    let _ = write!(svg, r#"<path fill="{}" d="M0 0h400v600H0z"/>"#, palette.ground);
    svg.push_str(&block_print(category, &palette, horizon, &mut dice));
    hem(&mut svg, &palette, horizon);
    words(&mut svg, &setting, &palette);
    spine(&mut svg, &palette);
    svg.push_str("</svg>");
    svg
}

fn open(title: &str, author: &str) -> String {
    let mut name = escape(title);
    if !author.is_empty() {
        let _ = write!(name, ", {}", escape(author));
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img"><title>{name}</title>"#
    )
}

/// The lower field; a nested `<svg>` clips the print without needing an id that could clash on a page.
fn block_print(category: &str, palette: &Palette, horizon: f64, dice: &mut Dice) -> String {
    let height = HEIGHT - horizon;
    let mut canvas =
        Canvas::new(WIDTH, height, Inks { ground: palette.field, main: palette.print, second: palette.second });
    motif::print(category, &mut canvas, dice);
    format!(
        r#"<svg y="{horizon}" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"><path fill="{}" d="M0 0h400v{height}H0z"/>{}</svg>"#,
        palette.field,
        canvas.finish()
    )
}

/// The printed hem between words and picture: the mark of the series.
fn hem(svg: &mut String, palette: &Palette, horizon: f64) {
    let _ = write!(svg, r#"<path fill="{}" d="M0 {}h400v3H0z"/>"#, palette.print_edge, horizon - 3.0);
    let _ = write!(svg, r#"<path fill="{}" d=""#, palette.text);
    for i in 0..25 {
        let _ = write!(svg, "M{} {}l8-8 8 8z", i * 16, horizon - 3.0);
    }
    svg.push_str(r#""/>"#);
}

fn words(svg: &mut String, setting: &Setting, palette: &Palette) {
    for block in &setting.blocks {
        line(svg, block, palette);
    }
    let _ = write!(svg, r#"<path fill="{}" d="M{} {}h44v3h-44z"/>"#, palette.rule, layout::LEFT, setting.rule - 1.5);
}

fn line(svg: &mut String, block: &Block, palette: &Palette) {
    let words = escape(&block.text);
    let (x, y, size) = (layout::LEFT, block.baseline, block.size);
    let spacing = block.tracking * size;
    let outline = glyphs::outline(&block.drawn(), block.tracking);
    let (opacity, fitted) = match outline {
        Some(path) => {
            let scale = size / glyphs::EM;
            let _ = write!(
                svg,
                r#"<path fill="{}" transform="translate({x} {y:.1})scale({scale:.4})" d="{path}"/>"#,
                palette.text
            );
            (0, format!(r#" textLength="{:.1}" lengthAdjust="spacingAndGlyphs""#, block.width))
        }
        None => (1, String::new()),
    };
    let caps = if block.small_caps { r#" font-variant="small-caps""# } else { "" };
    let _ = write!(
        svg,
        r#"<text x="{x}" y="{y:.1}" font-family="Fraunces, Georgia, Gelasio, 'Noto Serif', 'Liberation Serif', serif" font-size="{size}" letter-spacing="{spacing:.1}" fill="{}" fill-opacity="{opacity}"{caps}{fitted}>{words}</text>"#,
        palette.text
    );
}

/// Where the cloth folds: a hairline, and a breath of shadow before it.
fn spine(svg: &mut String, palette: &Palette) {
    svg.push_str(r##"<path fill="#000" fill-opacity=".09" d="M0 0h13v600H0z"/>"##);
    let _ = write!(svg, r#"<path fill="{}" fill-opacity=".45" d="M13 0h1.2v600h-1.2z"/>"#, palette.text);
}
