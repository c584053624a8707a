//! `bazar check` again and again while people shop: what is only in motion, it must not call wrong.

use super::{blows::Deed, diary::Diary};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use store::{Store, check};

/// Between two checks.
const PAUSE: Duration = Duration::from_millis(700);
/// What the check says of a gate that it could not judge, as while it is rebuilt.
const NOT_JUDGED: &str = "not compared";

/// How Postgres and Redis are: a check that one of them was taken away from in the middle says nothing.
#[derive(Default)]
pub struct Weather {
    blows: AtomicUsize,
    hurt: AtomicUsize,
}

impl Weather {
    /// One of the two is about to get this blow.
    pub fn before(&self, deed: Deed) {
        self.blows.fetch_add(1, Ordering::SeqCst);
        if matches!(deed, Deed::Kill | Deed::Stop | Deed::Freeze) {
            self.hurt.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// It has got it.
    pub fn after(&self, deed: Deed) {
        if matches!(deed, Deed::Start | Deed::Thaw) {
            self.hurt.fetch_sub(1, Ordering::SeqCst);
        }
        self.blows.fetch_add(1, Ordering::SeqCst);
    }

    /// Blows so far; `None`: one of them is down.
    fn calm(&self) -> Option<usize> {
        (self.hurt.load(Ordering::SeqCst) == 0).then(|| self.blows.load(Ordering::SeqCst))
    }
}

/// How often it was looked.
#[derive(Default)]
pub struct Looks {
    pub judged: usize,
    /// A server was down, or the gate was being rebuilt.
    unjudged: usize,
}

impl fmt::Display for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bazar check while people shopped: {} clean, {} said nothing", self.judged, self.unjudged)
    }
}

/// Checks until all shoppers have left; whatever it finds is written into the diary.
pub async fn watch(store: Store, weather: Arc<Weather>, diary: Arc<Diary>, all_left: Arc<AtomicBool>) -> Looks {
    let mut looks = Looks::default();
    while !all_left.load(Ordering::Relaxed) {
        let before = weather.calm();
        let findings = check::run(&store).await;
        let was_calm = before.is_some() && weather.calm() == before;
        match findings {
            Ok(findings) if was_calm => {
                let lines = findings.iter().flat_map(|finding| &finding.violations);
                let (unjudged, wrong): (Vec<_>, Vec<_>) = lines.partition(|line| line.ends_with(NOT_JUDGED));
                if !wrong.is_empty() {
                    diary.wrong(format!("bazar check while people shop: {wrong:#?}"));
                } else if unjudged.is_empty() {
                    looks.judged += 1;
                } else {
                    looks.unjudged += 1;
                }
            }
            _ => looks.unjudged += 1,
        }
        tokio::time::sleep(PAUSE).await;
    }
    looks
}
