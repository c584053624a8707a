//! Eight pairs of inks on cream, each printable in four ways. Words are always cream on the dark ink or the dark ink on
//! cream (contrast 7:1 or better); the lighter ink only ever prints pictures.

use super::dice::Dice;

struct Pair {
    cream: &'static str,
    dark: &'static str,
    bright: &'static str,
}

const PAIRS: [Pair; 8] = [
    Pair { cream: "#F5EAD4", dark: "#23305A", bright: "#C9553A" }, // indigo, madder
    Pair { cream: "#F8EFDB", dark: "#0E5059", bright: "#E3A02F" }, // peacock, marigold
    Pair { cream: "#F8ECD3", dark: "#7C2A20", bright: "#DBA03A" }, // madder, turmeric
    Pair { cream: "#F3EAD8", dark: "#23452F", bright: "#D58E7C" }, // neem, rose
    Pair { cream: "#F7EADB", dark: "#4C234A", bright: "#E08F45" }, // aubergine, saffron
    Pair { cream: "#F3ECDF", dark: "#2A2320", bright: "#CF4A34" }, // lamp black, vermilion
    Pair { cream: "#F1EADC", dark: "#2B4760", bright: "#D2A546" }, // slate, ochre
    Pair { cream: "#F6EAD5", dark: "#5E3520", bright: "#4A9A92" }, // walnut, verdigris
];

/// Which ink goes where on one cover.
pub(super) struct Palette {
    pub(super) ground: &'static str,
    pub(super) text: &'static str,
    pub(super) rule: &'static str,
    pub(super) field: &'static str,
    pub(super) print: &'static str,
    pub(super) second: &'static str,
    pub(super) print_edge: &'static str,
}

impl Palette {
    pub(super) fn choose(dice: &mut Dice) -> Self {
        let Pair { cream, dark, bright } = PAIRS[dice.below(PAIRS.len())];
        let (ground, text, rule, field, print, second) = match dice.below(4) {
            0 => (cream, dark, bright, dark, cream, bright),
            1 => (dark, cream, bright, cream, dark, bright),
            2 => (dark, cream, bright, bright, dark, cream),
            _ => (cream, dark, bright, bright, dark, cream),
        };
        Self { ground, text, rule, field, print, second, print_edge: text }
    }
}
