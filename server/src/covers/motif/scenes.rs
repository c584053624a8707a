//! Blocks that show a place: arches, hills, skies, crowds.

use super::canvas::{Canvas, polar};
use crate::covers::dice::Dice;
use std::fmt::Write;

/// Literary fiction: arcades, an arch within an arch.
pub(super) fn arches(c: &mut Canvas, dice: &mut Dice) {
    let across = dice.pick([1, 2, 3]);
    let width = c.width / f64::from(across);
    let inks = c.inks;
    let rows = (c.height / (width * 1.2)).round().max(1.0) as i32;
    let tall = c.height / f64::from(rows);
    for row in 0..rows {
        let base = tall * f64::from(row + 1);
        let tall = tall * 0.95;
        for column in 0..across {
            let x = (f64::from(column) + 0.5) * width;
            let lit = (row + column) % 2 == 0;
            let depths = if across == 1 { 6 } else { 4 };
            for depth in 0..depths {
                let k = 1.0 - f64::from(depth) * (0.86 / f64::from(depths));
                let ink = if depth % 2 == 1 {
                    inks.ground
                } else if depth == 2 && lit {
                    inks.second
                } else {
                    inks.main
                };
                c.shape(&arch(x, base, width * 0.94 * k, tall * (0.16 + 0.84 * k)), ink);
            }
        }
    }
}

fn arch(x: f64, base: f64, w: f64, h: f64) -> String {
    let (l, r, top) = (x - w / 2.0, x + w / 2.0, base - h);
    let spring = base - (h - w * 0.62).max(h * 0.3);
    let (c1, c2) = (spring - (spring - top) * 0.72, top + (spring - top) * 0.2);
    format!(
        "M{l:.1} {base:.1}V{spring:.1}C{l:.1} {c1:.1} {:.1} {c2:.1} {x:.1} {top:.1}C{:.1} {c2:.1} {r:.1} {c1:.1} {r:.1} {spring:.1}V{base:.1}z",
        x - w * 0.16,
        x + w * 0.16
    )
}

/// Science fiction: orbits and what travels on them.
pub(super) fn moons(c: &mut Canvas, dice: &mut Dice) {
    let (x, y) = (c.width * dice.pick([0.1, 0.5, 0.9]), c.height * dice.pick([0.5, 0.85, 1.0]));
    let inks = c.inks;
    for _ in 0..26 {
        c.circle(dice.between(0.0, c.width), dice.between(0.0, c.height), dice.pick([1.2, 1.8, 2.6]), inks.main);
    }
    let core = dice.between(44.0, 62.0);
    let mut r = core + 34.0;
    for orbit in 0..8 {
        c.ring(x, y, r, 1.8, inks.main);
        let (px, py) = polar(x, y, r, dice.between(-0.25, 0.25));
        let size = dice.pick([8.0, 13.0, 19.0]);
        c.circle(px, py, size + 4.0, inks.ground);
        c.circle(px, py, size, if orbit % 3 == 1 { inks.second } else { inks.main });
        if orbit % 2 == 0 {
            c.circle(px + size * 0.42, py - size * 0.2, size * 0.78, inks.ground);
        }
        r += dice.between(30.0, 44.0);
    }
    c.circle(x, y, core, inks.second);
    c.ring(x, y, core + 9.0, 3.0, inks.second);
}

/// Fantasy: ranges of hills, each nearer than the last, and something in the sky.
pub(super) fn peaks(c: &mut Canvas, dice: &mut Dice) {
    let inks = c.inks;
    let sky = c.height * 0.22 + 12.0;
    let x = c.width * dice.pick([0.25, 0.5, 0.72]);
    c.circle(x, sky, sky * 0.55, inks.second);
    if dice.coin() {
        c.circle(x + sky * 0.24, sky - sky * 0.1, sky * 0.47, inks.ground);
    }
    for range in 0..4 {
        let ink = [inks.main, inks.second, inks.ground, inks.main][range];
        let base = c.height * (0.42 + 0.17 * range as f64);
        let step = c.width / dice.pick([3.0, 4.0, 5.0]);
        let mut path = format!("M-20 {:.1}", c.height + 10.0);
        let mut at = -20.0 - dice.between(0.0, step);
        let _ = write!(path, "L{at:.1} {base:.1}");
        while at < c.width + 20.0 {
            let top = base - dice.between(0.5, 1.0) * c.height * 0.22;
            let _ = write!(path, "L{:.1} {top:.1}L{:.1} {base:.1}", at + step / 2.0, at + step);
            at += step;
        }
        let _ = write!(path, "V{:.1}z", c.height + 10.0);
        c.shape(&path, ink);
        c.stroke(&path, 3.0, if range == 2 { inks.main } else { inks.ground });
    }
}

/// Mystery and thriller: light through a keyhole.
pub(super) fn keyhole(c: &mut Canvas, dice: &mut Dice) {
    let (x, y) = (c.width * dice.pick([0.36, 0.5, 0.64]), c.height * 0.44);
    let rays = dice.pick([14, 18, 24]);
    let inks = c.inks;
    for i in 0..rays {
        let turn = f64::from(i) / f64::from(rays);
        let half = 0.25 / f64::from(rays);
        let far = c.width * 1.3;
        c.polygon(&[(x, y), polar(x, y, far, turn - half), polar(x, y, far, turn + half)], inks.main);
    }
    let r = c.height.min(c.width) * 0.25;
    c.circle(x, y, r * 1.25, inks.ground);
    c.ring(x, y, r * 1.25, 4.0, inks.main);
    c.circle(x, y, r, inks.second);
    c.circle(x, y - r * 0.24, r * 0.3, inks.ground);
    c.polygon(
        &[
            (x - r * 0.13, y - r * 0.1),
            (x + r * 0.13, y - r * 0.1),
            (x + r * 0.3, y + r * 0.62),
            (x - r * 0.3, y + r * 0.62),
        ],
        inks.ground,
    );
}

/// Society and politics: people, row behind row.
pub(super) fn crowd(c: &mut Canvas, dice: &mut Dice) {
    let across = dice.pick([4, 5, 6]);
    let step = c.width / f64::from(across);
    let inks = c.inks;
    let rows = (c.height / (step * 0.8)) as i32 + 1;
    for row in 0..rows {
        let y = step * 0.5 + f64::from(row) * step * 0.8;
        for column in -1..=across {
            let x = (f64::from(column) + if row % 2 == 0 { 0.5 } else { 1.0 }) * step;
            let ink = if dice.below(5) == 0 { inks.second } else { inks.main };
            let r = step * 0.21;
            let (w, rise) = (step * 0.46, step * 0.44);
            let body = format!(
                "M{:.1} {:.1}v{:.1}a{w:.1} {rise:.1} 0 0 1 {:.1} 0v{:.1}z",
                x - w,
                y + step * 2.0,
                -step * 1.32,
                2.0 * w,
                step * 1.32
            );
            c.shape(&body, ink);
            c.stroke(&body, 3.0, inks.ground);
            c.circle(x, y, r + 3.0, inks.ground);
            c.circle(x, y, r, ink);
        }
    }
}

/// Business and economics: columns that rise and fall.
pub(super) fn columns(c: &mut Canvas, dice: &mut Dice) {
    let count = dice.pick([6, 8, 10]);
    let width = c.width / f64::from(count);
    let inks = c.inks;
    let coin = width * 0.32;
    let mut level = dice.between(0.3, 0.6);
    for i in 0..count {
        let x = f64::from(i) * width;
        let top = c.height * (1.0 - level);
        let ink = if i % 3 == 1 { inks.second } else { inks.main };
        let mut y = c.height - coin;
        while y > top {
            c.rect(x + width * 0.08, y, width * 0.84, coin * 0.72, ink);
            y -= coin;
        }
        c.circle(x + width / 2.0, y - width * 0.22, width * 0.3, ink);
        level = (level + dice.between(-0.16, 0.24)).clamp(0.2, 0.86);
    }
}

/// Computing: punched tape.
pub(super) fn punched_tape(c: &mut Canvas, dice: &mut Dice) {
    let columns = dice.pick([9, 11, 13]);
    let step = c.width / f64::from(columns);
    let inks = c.inks;
    let feed = columns / 3;
    for row in 0..=(c.height / step) as i32 {
        let y = (f64::from(row) + 0.5) * step;
        for column in 0..columns {
            let x = (f64::from(column) + 0.5) * step;
            if column == feed {
                c.circle(x, y, step * 0.14, inks.second);
            } else if dice.below(5) < 2 {
                let ink = if dice.below(9) == 0 { inks.second } else { inks.main };
                c.circle(x, y, step * 0.38, ink);
            } else {
                c.circle(x, y, step * 0.08, inks.main);
            }
        }
    }
}
