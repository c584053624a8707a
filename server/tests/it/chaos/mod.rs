//! People shop while what they shop at is killed, frozen, restarted and made to forget. Then it is quiet, and every
//! promise must hold: `make chaos`, and a short one among the ordinary tests.

mod blows;
mod diary;
mod house;
mod shopper;
mod stocker;
mod verdict;
mod watch;

use crate::{dice::Dice, visitor::Visitor};
use diary::Diary;
use domain::stock::MovementKind;
use house::House;
use shopper::Shopper;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use verdict::Verdict;
pub use verdict::work_left;

/// What one act is about.
struct Act {
    seed: u64,
    time: Duration,
    /// Redis may also forget everything, or come back with an old file.
    loses_data: bool,
    shoppers: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_survives_a_short_chaos() -> Result<(), String> {
    Act { seed: number("SEED", 4), time: Duration::from_secs(15), loses_data: false, shoppers: 12 }.play().await
}

/// `make chaos`: SEED and MINUTES say what it does and for how long.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make chaos"]
async fn chaos() -> Result<(), String> {
    let (seed, minutes) = (number("SEED", 1), number("MINUTES", 4).clamp(1, 60));
    println!("chaos: SEED={seed} MINUTES={minutes}");
    // Half of it for each act, less the rest that follows.
    let time = Duration::from_secs((minutes * 30).saturating_sub(30).max(20));
    let mut failed = Vec::new();
    for (act, loses_data) in [(0, false), (1, true)] {
        let act = Act { seed: seed.wrapping_mul(2) + act, time, loses_data, shoppers: 24 };
        failed.extend(act.play().await.err());
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

impl Act {
    async fn play(self) -> Result<(), String> {
        let plan = blows::schedule(&mut Dice::seeded(self.seed), self.time, self.loses_data);
        println!(
            "chaos: seed {} for {:?}, Redis {}",
            self.seed,
            self.time,
            ["keeps its data", "may lose its data"][usize::from(self.loses_data)]
        );
        let mut house = House::open().await;
        let (diary, closing) = (Arc::new(Diary::default()), Arc::new(AtomicBool::new(false)));
        let books = Arc::new(house.servers.postgres.ask("SELECT book_id FROM stock ORDER BY 1"));
        let store = house.shop().store().await;
        let crowd = self.crowd(&house, &books, &diary, &closing).await;
        let crowd: Vec<_> = crowd.into_iter().map(|shopper| tokio::spawn(shopper.shop())).collect();
        let dice = Dice::seeded(self.seed + 1_000_000);
        let stocker = tokio::spawn(stocker::work(store.clone(), books.clone(), dice.clone(), closing.clone()));
        let counter = tokio::spawn(stocker::count_shelves(store.clone(), dice.clone(), closing.clone()));
        let desk = tokio::spawn(stocker::take_back(store.clone(), diary.clone(), dice, closing.clone()));
        let all_left = Arc::new(AtomicBool::new(false));
        let watch = watch::watch(store.clone(), house.weather.clone(), diary.clone(), all_left.clone());
        let watch = tokio::spawn(watch);

        house.suffer(&plan).await;
        closing.store(true, Ordering::Relaxed);
        house.wait_until_ready().await;
        for shopper in crowd {
            shopper.await.map_err(|error| format!("a shopper broke: {error}"))?;
        }
        let mut deltas = stocker.await.map_err(|error| format!("the stocker broke: {error}"))?;
        let imports = counter.await.map_err(|error| format!("the imports broke: {error}"))?;
        let returns = desk.await.map_err(|error| format!("the desk broke: {error}"))?;
        all_left.store(true, Ordering::Relaxed);
        let looks = watch.await.map_err(|error| format!("the watch broke: {error}"))?;
        let rested = verdict::rest(&house).await;
        let mut verdict = Verdict::of(&house, &diary, &deltas).await;
        verdict.notes.push(format!("{imports} imports, {returns} orders taken back in part"));
        match rested {
            Ok(last) => verdict.notes.push(last),
            Err(wrong) => verdict.wrongs.push(wrong),
        }
        verdict.watched(&looks, self.loses_data);
        let book = &books[0];
        let id = book.parse().expect("an id");
        stocker::correct(&store, id, 2, MovementKind::Receipt, "chaos-fresh").await;
        *deltas.entry(id).or_default() += 2;
        verdict.wrongs.extend(verdict::fresh_order(&house, book).await.err());
        self.tell(&house, &diary, verdict)
    }

    async fn crowd(
        &self,
        house: &House,
        books: &Arc<Vec<String>>,
        diary: &Arc<Diary>,
        closing: &Arc<AtomicBool>,
    ) -> Vec<Shopper> {
        let mut crowd = Vec::new();
        for number in 0..self.shoppers {
            let is_guest = number % 3 > 0;
            let visitor = match is_guest {
                true => Visitor::new(&house.urls()[0]),
                false => house.shop().shopper(&format!("chaos{number}@example.org")).await,
            };
            crowd.push(Shopper {
                number,
                dice: Dice::seeded(self.seed * 1_000 + number as u64),
                visitor: Arc::new(visitor),
                is_guest,
                urls: house.urls(),
                books: books.clone(),
                diary: diary.clone(),
                closing: closing.clone(),
                placed: 0,
                loses_data: self.loses_data,
            });
        }
        crowd
    }

    fn tell(&self, house: &House, diary: &Diary, verdict: Verdict) -> Result<(), String> {
        for line in house.story.iter().chain(&diary.summary()).chain(&verdict.notes) {
            println!("  {line}");
        }
        if verdict.wrongs.is_empty() {
            println!("chaos: every promise held (seed {})", self.seed);
            return Ok(());
        }
        let folder = std::env::var_os("BAZAR_CHAOS_LOGS").map_or_else(std::env::temp_dir, Into::into);
        let folder = folder.join(format!("bazar-chaos-{}-{}", self.seed, u8::from(self.loses_data)));
        house.keep_logs(&folder);
        println!("chaos: {} wrong (seed {}), logs in {}", verdict.wrongs.len(), self.seed, folder.display());
        verdict.wrongs.iter().for_each(|wrong| println!("WRONG {wrong}"));
        Err(format!("{} promises broken with seed {}:\n{}", verdict.wrongs.len(), self.seed, verdict.wrongs.join("\n")))
    }
}
