//! Blocks cut with ruler and compass.

use super::canvas::{Canvas, joined, polar};
use crate::covers::dice::Dice;

/// Classics: one great medallion.
pub(super) fn medallion(c: &mut Canvas, dice: &mut Dice) {
    let petals = dice.pick([12, 16, 20]);
    let (x, y) = (c.width / 2.0, c.height * 0.52);
    let r = c.width * 0.46;
    let inks = c.inks;
    for ring in 0..3 {
        let outer = r * (1.0 - 0.27 * f64::from(ring));
        let (ink, under) = if ring == 1 { (inks.second, inks.main) } else { (inks.main, inks.ground) };
        c.circle(x, y, outer * 1.04, under);
        c.ring(x, y, outer * 1.04, 2.5, ink);
        for i in 0..petals {
            let turn = (f64::from(i) + if ring == 1 { 0.5 } else { 0.0 }) / f64::from(petals);
            let half = 0.46 / f64::from(petals);
            let (tip, root) = (polar(x, y, outer, turn), polar(x, y, outer * 0.7, turn));
            let (a, b) = (polar(x, y, outer * 0.86, turn - half), polar(x, y, outer * 0.86, turn + half));
            let path = format!(
                "M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}z",
                root.0, root.1, a.0, a.1, tip.0, tip.1, b.0, b.1, root.0, root.1
            );
            c.shape(&path, ink);
        }
    }
    c.circle(x, y, r * 0.22, inks.second);
    c.circle(x, y, r * 0.12, inks.ground);
}

/// Historical fiction: a jaali of eight-pointed stars.
pub(super) fn lattice(c: &mut Canvas, dice: &mut Dice) {
    let step = c.width / f64::from(dice.pick([3, 4, 5]));
    let inks = c.inks;
    let rows = (c.height / step) as i32 + 1;
    let columns = (c.width / step) as i32;
    for row in 0..=rows {
        for column in 0..=columns {
            let (x, y) = (f64::from(column) * step, f64::from(row) * step);
            c.polygon(&star(x, y, step * 0.5, 0.765), inks.main);
            c.polygon(&star(x, y, step * 0.37, 0.765), if (row + column) % 2 == 0 { inks.second } else { inks.ground });
            c.circle(x, y, step * 0.1, inks.main);
            let (x, y) = (x + step / 2.0, y + step / 2.0);
            let d = step * 0.17;
            c.polygon(&[(x, y - d), (x + d, y), (x, y + d), (x - d, y)], inks.main);
        }
    }
}

fn star(x: f64, y: f64, r: f64, inner: f64) -> Vec<(f64, f64)> {
    (0..16).map(|i| polar(x, y, if i % 2 == 0 { r } else { r * inner }, f64::from(i) / 16.0)).collect()
}

/// Short stories: quarter rounds, each tile turned by chance.
pub(super) fn tiles(c: &mut Canvas, dice: &mut Dice) {
    let columns = whole_rows(c, dice.pick([[3, 4, 5], [4, 5, 6]]));
    let step = c.width / f64::from(columns);
    let inks = c.inks;
    let rows = (c.height / step).ceil() as i32;
    for row in 0..rows {
        for column in 0..columns {
            let (x, y) = (f64::from(column) * step, f64::from(row) * step);
            let ink = if dice.below(4) == 0 { inks.second } else { inks.main };
            let corner = dice.below(4);
            for (radius, ink) in [(1.0, ink), (0.62, inks.ground), (0.3, ink)] {
                let r = step * radius;
                let path = match corner {
                    0 => format!("M{x:.1} {y:.1}h{r:.1}A{r:.1} {r:.1} 0 0 1 {x:.1} {:.1}z", y + r),
                    1 => format!("M{:.1} {y:.1}v{r:.1}a{r:.1} {r:.1} 0 0 1-{r:.1}-{r:.1}z", x + step),
                    2 => format!("M{:.1} {:.1}h-{r:.1}a{r:.1} {r:.1} 0 0 1 {r:.1}-{r:.1}z", x + step, y + step),
                    _ => format!("M{x:.1} {:.1}v-{r:.1}a{r:.1} {r:.1} 0 0 1 {r:.1} {r:.1}z", y + step),
                };
                c.shape(&path, ink);
            }
        }
    }
}

/// Children and young adult: building blocks.
pub(super) fn blocks(c: &mut Canvas, dice: &mut Dice) {
    let columns = whole_rows(c, [3, 4, 5]);
    let step = c.width / f64::from(columns);
    let inks = c.inks;
    let mut last = 9;
    for row in 0..(c.height / step).ceil() as i32 {
        for column in 0..columns {
            let (x, y) = (f64::from(column) * step, f64::from(row) * step);
            let ink = if (row + column) % 2 == 0 { inks.main } else { inks.second };
            let mut kind = dice.below(6);
            if kind == last {
                kind = (kind + 1) % 6;
            }
            last = kind;
            let (h, m) = (step / 2.0, step);
            match kind {
                0 => c.circle(x + h, y + h, h * 0.92, ink),
                1 => c.polygon(&[(x, y + m), (x + h, y), (x + m, y + m)], ink),
                2 => c.shape(&format!("M{x:.1} {:.1}a{h:.1} {h:.1} 0 0 1 {m:.1} 0z", y + m), ink),
                3 => {
                    c.rect(x, y, m, m, ink);
                    c.circle(x + h, y + h, h * 0.5, inks.ground);
                }
                4 => (0..4).for_each(|i| c.rect(x, y + f64::from(i) * m / 4.0, m, m / 8.0, ink)),
                _ => c.polygon(&[(x, y), (x + m, y), (x, y + m)], ink),
            }
        }
    }
}

/// The number of square columns that leaves the least of a row cut off at the bottom.
fn whole_rows(c: &Canvas, choices: [i32; 3]) -> i32 {
    let cut = |columns: i32| {
        let rows = c.height * f64::from(columns) / c.width;
        rows.ceil() - rows
    };
    choices.into_iter().min_by(|a, b| cut(*a).total_cmp(&cut(*b))).unwrap_or(4)
}

/// History: looking down into a stepwell.
pub(super) fn stepwell(c: &mut Canvas, dice: &mut Dice) {
    let (x, y) = (c.width / 2.0, c.height * dice.pick([0.5, 0.62, 0.4]));
    let inks = c.inks;
    let treads = dice.pick([7, 9]);
    for level in 0..treads {
        let r = c.width * 0.78 * (1.0 - f64::from(level) / f64::from(treads));
        let ink = match level % 3 {
            0 => inks.main,
            1 => inks.ground,
            _ => inks.second,
        };
        c.polygon(&stair(x, y, r, 6), ink);
    }
}

/// A diamond whose four sides are flights of stairs.
fn stair(x: f64, y: f64, r: f64, steps: i32) -> Vec<(f64, f64)> {
    let tread = r / f64::from(steps);
    let mut points = Vec::new();
    for (sx, sy, flip) in [(1.0, -1.0, false), (1.0, 1.0, true), (-1.0, 1.0, false), (-1.0, -1.0, true)] {
        for i in 0..steps {
            let (near, far) = (f64::from(i) * tread, r - f64::from(i) * tread);
            let (a, b) = if flip { (far, near) } else { (near, far) };
            points.push((x + sx * a, y + sy * b));
            points.push(if flip { (x + sx * a, y + sy * (b + tread)) } else { (x + sx * (a + tread), y + sy * b) });
        }
    }
    points
}

/// Philosophy: a square that turns as it recedes.
pub(super) fn turning_squares(c: &mut Canvas, dice: &mut Dice) {
    let (x, y) = (c.width / 2.0, c.height / 2.0);
    let twist = dice.pick([0.02, 0.03, 0.045]) * if dice.coin() { 1.0 } else { -1.0 };
    let inks = c.inks;
    for i in 0..15 {
        let r = c.width * 0.9 * 0.83_f64.powi(i);
        let corners: Vec<_> =
            (0..4).map(|k| polar(x, y, r, f64::from(k) / 4.0 + 0.125 + twist * f64::from(i))).collect();
        let ink = if i == 9 {
            inks.second
        } else if i % 2 == 0 {
            inks.main
        } else {
            inks.ground
        };
        c.polygon(&corners, ink);
    }
}

/// Everything else: a quilt of diamonds.
pub(super) fn diamonds(c: &mut Canvas, dice: &mut Dice) {
    let step = c.width / f64::from(dice.pick([4, 5, 6]));
    let inks = c.inks;
    for row in 0..=(c.height / step * 2.0) as i32 + 1 {
        for column in 0..=(c.width / step) as i32 + 1 {
            let x = f64::from(column) * step + if row % 2 == 0 { 0.0 } else { step / 2.0 };
            let y = f64::from(row) * step / 2.0;
            let h = step * 0.46;
            let ring = [(x, y - h), (x + h, y), (x, y + h), (x - h, y)];
            c.polygon(&ring, if row % 2 == 0 { inks.main } else { inks.second });
            let inner: Vec<_> = ring.iter().map(|p| (x + (p.0 - x) * 0.5, y + (p.1 - y) * 0.5)).collect();
            c.stroke(&joined(&inner), 2.0, inks.ground);
        }
    }
}
