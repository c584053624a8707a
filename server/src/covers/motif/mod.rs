//! One composition per category, as if cut into a block of wood. Each prints into a field `width` × `height` whose origin
//! is its upper left corner; what falls outside is clipped. The dice vary counts and phases, so that no two neighbours match.

mod canvas;
mod geometry;
mod nature;
mod scenes;

use super::dice::Dice;
pub(super) use canvas::{Canvas, Inks};

pub(super) fn print(category: &str, canvas: &mut Canvas, dice: &mut Dice) {
    match category {
        "literary-fiction" => scenes::arches(canvas, dice),
        "classics" => geometry::medallion(canvas, dice),
        "science-fiction" => scenes::moons(canvas, dice),
        "fantasy" => scenes::peaks(canvas, dice),
        "mystery-and-thriller" => scenes::keyhole(canvas, dice),
        "historical-fiction" => geometry::lattice(canvas, dice),
        "poetry" => nature::waves(canvas, dice),
        "short-stories" => geometry::tiles(canvas, dice),
        "indian-writing" => nature::lotus(canvas, dice),
        "children-and-young-adult" => geometry::blocks(canvas, dice),
        "history" => geometry::stepwell(canvas, dice),
        "biography-and-memoir" => nature::rings(canvas, dice),
        "science-and-nature" => nature::leaves(canvas, dice),
        "philosophy" => geometry::turning_squares(canvas, dice),
        "society-and-politics" => scenes::crowd(canvas, dice),
        "business-and-economics" => scenes::columns(canvas, dice),
        "mind-and-self" => nature::overlaps(canvas, dice),
        "food-travel-and-art" => nature::slices(canvas, dice),
        "computing" => scenes::punched_tape(canvas, dice),
        _ => geometry::diamonds(canvas, dice),
    }
}
