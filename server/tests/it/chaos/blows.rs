//! What is done to whom and when: all of it follows from the seed.

use crate::dice::Dice;
use std::{collections::HashMap, fmt, time::Duration};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    Web(usize),
    Worker(usize),
    Redis,
    Postgres,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// kill -9.
    Kill,
    /// A polite end, as at a new release.
    Stop,
    Start,
    Freeze,
    Thaw,
    /// Redis: everything is gone.
    Forget,
    /// Redis: a copy of its file is put aside …
    Remember,
    /// … and is what it comes back with after kill -9.
    TurnBack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blow {
    pub at: Duration,
    pub target: Target,
    pub deed: Deed,
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = match self.target {
            Target::Web(number) => format!("web {number}"),
            Target::Worker(number) => format!("worker {number}"),
            Target::Redis => "redis".to_owned(),
            Target::Postgres => "postgres".to_owned(),
        };
        write!(f, "{:7.2} s  {target:9} {:?}", self.at.as_secs_f64(), self.deed)
    }
}

/// Blows for that time, in their order; each is taken back before the time is over. Several may be hurt at once, and
/// nobody twice.
pub fn schedule(dice: &mut Dice, time: Duration, loses_data: bool) -> Vec<Blow> {
    let end_ms = time.as_millis() as usize;
    let mut busy_until = HashMap::<Target, usize>::new();
    let mut blows = Vec::new();
    let mut at = 1_500;
    while at + 500 < end_ms {
        let target = target(dice, loses_data);
        let (deed, mends, lasts) = blow(dice, target, loses_data);
        let until = (at + lasts).min(end_ms);
        if busy_until.get(&target).is_none_or(|busy| *busy < at) {
            let ms = |ms: usize| Duration::from_millis(ms as u64);
            blows.push(Blow { at: ms(at), target, deed });
            blows.extend(mends.map(|deed| Blow { at: ms(until), target, deed }));
            // It gets a moment to come to itself.
            busy_until.insert(target, until + 500);
        }
        at += dice.between(200, 2_200);
    }
    blows.sort_by_key(|blow| blow.at);
    blows
}

fn target(dice: &mut Dice, loses_data: bool) -> Target {
    match dice.below(if loses_data { 24 } else { 20 }) {
        0..5 => Target::Web(dice.below(2)),
        5..12 => Target::Worker(dice.below(2)),
        12..16 => Target::Postgres,
        _ => Target::Redis,
    }
}

/// What is done, what takes it back, and after how many ms.
fn blow(dice: &mut Dice, target: Target, loses_data: bool) -> (Deed, Option<Deed>, usize) {
    let (down, frozen) = match target {
        Target::Web(_) => (2_000, 4_000),
        // Also longer than the leases on what it has in hand.
        Target::Worker(_) => (3_000, 20_000),
        Target::Redis => (2_500, 4_000),
        Target::Postgres => (3_000, 7_000),
    };
    let is_process = matches!(target, Target::Web(_) | Target::Worker(_));
    match dice.below(12) {
        0..4 if target == Target::Redis && loses_data => (Deed::Forget, None, 0),
        4..8 if target == Target::Redis && loses_data => {
            (Deed::Remember, Some(Deed::TurnBack), dice.between(1_000, 8_000))
        }
        0..2 if is_process => (Deed::Stop, Some(Deed::Start), dice.between(0, down)),
        0..7 => (Deed::Kill, Some(Deed::Start), dice.between(0, down)),
        _ => (Deed::Freeze, Some(Deed::Thaw), dice.between(300, frozen)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_everything_and_nobody_stays_hurt() {
        let plan = |seed| schedule(&mut Dice::seeded(seed), Duration::from_secs(120), true);
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
        let mut hurt = HashMap::new();
        for blow in plan(7) {
            match blow.deed {
                Deed::Start | Deed::Thaw | Deed::TurnBack => assert!(hurt.remove(&blow.target).is_some(), "{blow}"),
                Deed::Forget => assert!(!hurt.contains_key(&blow.target), "{blow}"),
                deed => assert_eq!(hurt.insert(blow.target, deed), None, "{blow}"),
            }
        }
        assert!(hurt.is_empty(), "{hurt:?}");
    }
}
