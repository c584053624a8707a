//! A field to print on: the few shapes the blocks are cut from, written as SVG with one decimal.

use std::fmt::Write;

/// The colour of the field and the two that are printed on it.
#[derive(Clone, Copy)]
pub(in super::super) struct Inks {
    pub(in super::super) ground: &'static str,
    pub(in super::super) main: &'static str,
    pub(in super::super) second: &'static str,
}

pub(in super::super) struct Canvas {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) inks: Inks,
    out: String,
}

impl Canvas {
    pub(in super::super) fn new(width: f64, height: f64, inks: Inks) -> Self {
        Self { width, height, inks, out: String::with_capacity(4096) }
    }

    pub(in super::super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn circle(&mut self, x: f64, y: f64, r: f64, fill: &str) {
        let _ = write!(self.out, r#"<circle cx="{x:.1}" cy="{y:.1}" r="{r:.1}" fill="{fill}"/>"#);
    }

    pub(super) fn ring(&mut self, x: f64, y: f64, r: f64, width: f64, stroke: &str) {
        let _ = write!(
            self.out,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="{r:.1}" fill="none" stroke="{stroke}" stroke-width="{width:.1}"/>"#
        );
    }

    pub(super) fn rect(&mut self, x: f64, y: f64, w: f64, h: f64, fill: &str) {
        let _ = write!(self.out, r#"<path fill="{fill}" d="M{x:.1} {y:.1}h{w:.1}v{h:.1}h{:.1}z"/>"#, -w);
    }

    pub(super) fn shape(&mut self, path: &str, fill: &str) {
        let _ = write!(self.out, r#"<path fill="{fill}" d="{path}"/>"#);
    }

    pub(super) fn stroke(&mut self, path: &str, width: f64, stroke: &str) {
        let _ = write!(
            self.out,
            r#"<path fill="none" stroke="{stroke}" stroke-width="{width:.1}" stroke-linejoin="round" d="{path}"/>"#
        );
    }

    pub(super) fn polygon(&mut self, points: &[(f64, f64)], fill: &str) {
        let path = joined(points);
        self.shape(&path, fill);
    }
}

/// Points as a closed path.
pub(super) fn joined(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
    }
    path.push('z');
    path
}

/// The point at an angle (in turns, 0 upward, clockwise) and distance from a centre.
pub(super) fn polar(x: f64, y: f64, r: f64, turn: f64) -> (f64, f64) {
    let angle = turn * std::f64::consts::TAU;
    (x + r * angle.sin(), y - r * angle.cos())
}

/// A petal or leaf from one point to another, `belly` wide to each side.
pub(super) fn petal(from: (f64, f64), to: (f64, f64), belly: f64) -> String {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(0.1);
    let (nx, ny) = (-dy / length * belly, dx / length * belly);
    let (mx, my) = (from.0 + dx * 0.5, from.1 + dy * 0.5);
    format!(
        "M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}z",
        from.0,
        from.1,
        mx + nx * 2.0,
        my + ny * 2.0,
        to.0,
        to.1,
        mx - nx * 2.0,
        my - ny * 2.0,
        from.0,
        from.1
    )
}
