//! The letters of the series: outlines, widths and kerning of the shop's own typeface, read once from `fraunces.glyphs`.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::OnceLock;

/// Units of the outlines per size of the type.
pub(super) const EM: f64 = 500.0;
/// The word space, in the same units.
const SPACE: f64 = 100.0;

struct Glyph {
    advance: f64,
    path: &'static str,
}

#[derive(Default)]
struct Typeface {
    glyphs: HashMap<char, Glyph>,
    kerns: HashMap<(char, char), f64>,
}

fn typeface() -> &'static Typeface {
    static FACE: OnceLock<Typeface> = OnceLock::new();
    FACE.get_or_init(|| {
        let mut face = Typeface::default();
        for line in include_str!("fraunces.glyphs").lines() {
            let mut fields = line.splitn(4, ' ');
            match (fields.next(), fields.next(), fields.next().and_then(|n| n.parse().ok())) {
                (Some("g"), Some(c), Some(advance)) => {
                    let path = fields.next().unwrap_or_default();
                    face.glyphs.extend(c.chars().next().map(|c| (c, Glyph { advance, path })));
                }
                (Some("k"), Some(pair), Some(kern)) => {
                    let mut pair = pair.chars();
                    face.kerns.extend(pair.next().zip(pair.next()).map(|pair| (pair, kern)));
                }
                _ => {}
            }
        }
        face
    })
}

/// Width of a line in ems; letters the typeface lacks are taken at the widest a fallback is likely to draw them.
pub(super) fn measure(text: &str, tracking: f64) -> f64 {
    let face = typeface();
    let mut before = None;
    text.chars().fold(0.0, |sum, c| {
        let kern = before.replace(c).and_then(|b| face.kerns.get(&(b, c))).copied().unwrap_or(0.0);
        let advance = match face.glyphs.get(&c) {
            Some(glyph) => glyph.advance / EM,
            None if c == ' ' => SPACE / EM,
            None => foreign(c),
        };
        sum + advance + kern / EM + tracking
    })
}

fn foreign(c: char) -> f64 {
    match c as u32 {
        0x0300..=0x036F => 0.0,
        0x1100..=0x11FF | 0x2E80..=0xA4CF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0xFF00..=0xFFEF => 1.05,
        0x1F000..=0x3FFFF => 1.4,
        _ => 0.9,
    }
}

/// The line as one path, or nothing when the typeface lacks a letter of it.
pub(super) fn outline(text: &str, tracking: f64) -> Option<String> {
    let face = typeface();
    let mut path = String::new();
    let mut x = 0.0;
    let mut before = None;
    for c in text.chars() {
        x += before.replace(c).and_then(|b| face.kerns.get(&(b, c))).copied().unwrap_or(0.0);
        if c == ' ' {
            x += SPACE;
        } else {
            let glyph = face.glyphs.get(&c)?;
            let _ = write!(path, "M{x:.0} 0{}", glyph.path);
            x += glyph.advance;
        }
        x += tracking * EM;
    }
    Some(path)
}
