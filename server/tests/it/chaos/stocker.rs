//! Somebody in the warehouse: copies come, and some turn out to be missing.

use crate::dice::Dice;
use domain::{BookId, stock::MovementKind};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::{Store, stock};

/// Net copies per book that the shop said yes to.
pub type Deltas = BTreeMap<i64, i64>;

/// Corrects counts until the shop closes; each correction is repeated under its name until it is answered.
pub async fn work(store: Store, books: Arc<Vec<String>>, mut dice: Dice, closing: Arc<AtomicBool>) -> Deltas {
    let mut deltas = Deltas::new();
    let mut number = 0;
    while !closing.load(Ordering::Relaxed) {
        number += 1;
        let book: i64 = books[dice.below(books.len())].parse().expect("an id");
        let (delta, kind) = match dice.below(4) {
            0 => (-(dice.between(1, 3) as i32), MovementKind::Adjustment),
            _ => (dice.between(1, 8) as i32, MovementKind::Receipt),
        };
        if correct(&store, book, delta, kind, &format!("chaos-{number}")).await {
            *deltas.entry(book).or_default() += i64::from(delta);
        }
        tokio::time::sleep(Duration::from_millis(dice.between(200, 1_500) as u64)).await;
    }
    deltas
}

/// Whether it was made; a refusal says no.
pub async fn correct(store: &Store, book: i64, delta: i32, kind: MovementKind, operation: &str) -> bool {
    let book = BookId::new(book).expect("an id");
    loop {
        match stock::adjust(store, book, delta, kind, operation, None).await {
            Ok(_) => return true,
            Err(error) if error.is_refusal() => return false,
            Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
        }
    }
}
