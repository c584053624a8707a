//! Blocks cut from what grows and flows.

use super::canvas::{Canvas, petal, polar};
use crate::covers::dice::Dice;
use std::fmt::Write;

/// Poetry: long waves under a sun or a moon.
pub(super) fn waves(c: &mut Canvas, dice: &mut Dice) {
    let inks = c.inks;
    let sun = c.height * 0.2 + 18.0;
    c.circle(c.width * dice.pick([0.24, 0.5, 0.76]), sun, sun * 0.66, inks.second);
    let length = c.width / dice.pick([1.0, 1.5, 2.0]);
    let lines = (c.height / 20.0) as i32;
    let phase = dice.between(0.0, length);
    for i in 0..lines {
        let y = c.height * 0.36 + f64::from(i) * 20.0;
        let swell = 15.0 + f64::from(i % 4) * 3.0;
        let mut x = -phase - f64::from(i) * 17.0;
        while x > -length {
            x -= length;
        }
        let mut path = format!("M{x:.1} {y:.1}");
        while x < c.width {
            let _ = write!(path, "q{:.1}-{swell:.1} {:.1} 0t{:.1} 0", length / 4.0, length / 2.0, length / 2.0);
            x += length;
        }
        let body = format!("{path}V{:.1}H-900z", c.height + 40.0);
        c.shape(&body, inks.ground);
        c.stroke(&path, if i % 3 == 0 { 8.0 } else { 4.0 }, inks.main);
    }
}

/// Indian writing: rows of lotus, one behind the other.
pub(super) fn lotus(c: &mut Canvas, dice: &mut Dice) {
    let across = dice.pick([2, 3, 4]);
    let width = c.width / f64::from(across);
    let rise = width * 0.5;
    let inks = c.inks;
    let rows = (c.height / rise) as i32 + 2;
    for row in 0..rows {
        let base = rise * f64::from(row + 1);
        for column in -1..=across {
            let x = (f64::from(column) + if row % 2 == 0 { 0.5 } else { 1.0 }) * width;
            c.circle(x, base, width * 0.5, inks.ground);
            for (turn, ink) in [(-0.2, 0), (0.2, 0), (-0.1, 1), (0.1, 1), (0.0, 0)] {
                let tip = polar(x, base, width * 0.48, turn);
                let ink = if ink == 0 { inks.main } else { inks.second };
                c.shape(&petal((x, base), tip, width * 0.085), ink);
                c.stroke(&petal((x, base), tip, width * 0.085), 1.6, inks.ground);
            }
            c.circle(x, base - width * 0.03, width * 0.06, inks.ground);
        }
    }
}

/// Biography and memoir: the rings of one tree.
pub(super) fn rings(c: &mut Canvas, dice: &mut Dice) {
    let (mut x, mut y) = (c.width * dice.pick([0.3, 0.5, 0.7]), c.height * dice.pick([0.4, 0.55, 0.7]));
    let inks = c.inks;
    let (dx, dy) = (dice.between(-2.4, 2.4), dice.between(-2.0, 2.0));
    let marked = 4 + dice.below(6);
    let mut r = 12.0;
    c.circle(x, y, 7.0, inks.second);
    for ring in 0..30 {
        let width = dice.pick([2.5, 3.5, 5.0, 8.0]);
        c.ring(x, y, r, width, if ring % 10 == marked { inks.second } else { inks.main });
        r += width + dice.pick([8.0, 10.0, 13.0]);
        x += dx;
        y += dy;
    }
}

/// Science and nature: stems with leaves in pairs.
pub(super) fn leaves(c: &mut Canvas, dice: &mut Dice) {
    let stems = dice.pick([3, 4, 5]);
    let gap = c.width / f64::from(stems);
    let inks = c.inks;
    for stem in 0..stems {
        let x = (f64::from(stem) + 0.5) * gap;
        let top = dice.between(c.height * 0.04, c.height * 0.26) + gap * 0.3;
        c.rect(x - 1.8, top, 3.6, c.height, inks.main);
        let step = gap * 0.42;
        let mut y = top + step * 0.6;
        let alternate = dice.coin();
        let mut pair = 0;
        while y < c.height + step * 2.0 {
            for side in [-1.0, 1.0] {
                let lift = if alternate && side > 0.0 { step / 2.0 } else { 0.0 };
                let (from, to) = ((x, y + lift), (x + side * gap * 0.46, y + lift - gap * 0.42));
                c.shape(&petal(from, to, gap * 0.1), if pair % 3 == 1 { inks.second } else { inks.main });
            }
            y += step;
            pair += 1;
        }
        c.shape(&petal((x, top + gap * 0.05), (x, top - gap * 0.42), gap * 0.09), inks.second);
    }
}

/// Mind and self: circles that share their petals.
pub(super) fn overlaps(c: &mut Canvas, dice: &mut Dice) {
    let r = c.width / dice.pick([4.0, 5.0, 6.0]);
    let inks = c.inks;
    let rise = r * 0.866;
    for row in -1..=(c.height / rise) as i32 + 1 {
        for column in -1..=(c.width / r) as i32 + 1 {
            let x = f64::from(column) * r + if row.rem_euclid(2) == 0 { 0.0 } else { r / 2.0 };
            let y = f64::from(row) * rise;
            for k in 0..3 {
                let tip = polar(x, y, r, (f64::from(k) + 0.5) / 6.0 + 1.0 / 6.0);
                let ink = if (row + column + k).rem_euclid(4) == 0 { inks.second } else { inks.main };
                c.shape(&petal((x, y), tip, r * 0.125), ink);
            }
            c.circle(x, y, r * 0.075, inks.ground);
        }
    }
}

/// Food, travel and art: slices of fruit, or suns.
pub(super) fn slices(c: &mut Canvas, dice: &mut Dice) {
    let across = dice.pick([2, 3]);
    let step = c.width / f64::from(across);
    let inks = c.inks;
    let segments = dice.pick([8, 10]);
    for row in 0..=(c.height / (step * 0.87)) as i32 + 1 {
        for column in -1..=across {
            let x = (f64::from(column) + if row % 2 == 0 { 0.5 } else { 1.0 }) * step;
            let y = step * 0.5 + f64::from(row) * step * 0.87;
            let ink = if (row + column).rem_euclid(3) == 1 { inks.second } else { inks.main };
            let r = step * 0.46;
            c.circle(x, y, r, ink);
            c.circle(x, y, r * 0.86, inks.ground);
            for s in 0..segments {
                let turn = f64::from(s) / f64::from(segments);
                let half = 0.42 / f64::from(segments);
                let (a, b) = (polar(x, y, r * 0.78, turn - half), polar(x, y, r * 0.78, turn + half));
                let root = polar(x, y, r * 0.12, turn);
                let path = format!(
                    "M{:.1} {:.1}L{:.1} {:.1}A{:.1} {:.1} 0 0 1 {:.1} {:.1}z",
                    root.0,
                    root.1,
                    a.0,
                    a.1,
                    r * 0.78,
                    r * 0.78,
                    b.0,
                    b.1
                );
                c.shape(&path, ink);
            }
        }
    }
}
