//! The people of the shop: in the warehouse copies come, and some turn out to be missing; the shelves are counted; at the
//! desk, torn books are taken back.

use super::diary::Diary;
use crate::dice::Dice;
use domain::{BookId, IdempotencyKey, Minor, stock::MovementKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::{
    Store,
    catalog::import::import,
    payments::refund::{self, Of, Wanted},
    stock,
};

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

/// Imports counts of all books until the shop closes, often below what is there; says how many came in.
pub async fn count_shelves(store: Store, mut dice: Dice, closing: Arc<AtomicBool>) -> usize {
    let mut imports = 0;
    while !closing.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(dice.between(1_500, 5_000) as u64)).await;
        let counts = (1..=5).map(|book| format!("T-{book},{}\n", dice.between(0, 30)));
        let file = "sku,stock\n".to_owned() + &counts.collect::<String>();
        imports += usize::from(import(&store, Cursor::new(file), |_| {}).await.is_ok());
    }
    imports
}

/// Gives one rupee of paid orders back, until the shop closes; says of how many.
pub async fn take_back(store: Store, diary: Arc<Diary>, mut dice: Dice, closing: Arc<AtomicBool>) -> usize {
    let mut returned = BTreeSet::new();
    while !closing.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(dice.between(500, 3_000) as u64)).await;
        let orders = diary.orders();
        let paid = orders.iter().find(|order| order.seen().statuses.contains("PAID") && !returned.contains(&order.id));
        let Some(order) = paid else { continue };
        let wanted = Wanted {
            of: Of::Order(order.id.parse().expect("an id")),
            amount: Some(Minor::new(100)),
            reason: "torn".to_owned(),
            restock: false,
            key: IdempotencyKey::parse(&order.number).expect("a key"),
            agreed: None,
        };
        if refund::create(&store, &crate::shop::desk(), &wanted).await.is_ok() {
            returned.insert(order.id.clone());
        }
    }
    returned.len()
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
