//! Two processes that serve, two that work, and their servers: hurt by plan, and brought back.

use super::{
    blows::{Blow, Deed, Target},
    watch::Weather,
};
use crate::{servers::Servers, shop::Shop};
use std::{
    ops::RangeInclusive,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// Looks for processes that ended by themselves.
const SUPERVISE_EVERY: Duration = Duration::from_millis(200);

/// What a Redis that is killed may have said and not given to the system: it waits for the disk for two seconds at most.
const UNWRITTEN: Duration = Duration::from_secs(3);

/// Short times, so that deadlines pass in the middle of it.
const SETTINGS: [(&str, &str); 3] =
    [("BAZAR_ORDER_TTL_SECONDS", "12"), ("BAZAR_MIN_PAY_SECONDS", "6"), ("BAZAR_SANDBOX_LATE_SECONDS", "13")];

pub struct House {
    /// Two that serve, then two that work.
    processes: Vec<Process>,
    pub story: Vec<String>,
    /// When Redis may have lost what it had said.
    pub losses: Vec<Loss>,
    pub weather: Arc<Weather>,
    started: Instant,
    // Last: the shop goes before its servers.
    pub servers: Servers,
}

/// A moment in which Redis lost data.
pub struct Loss {
    at: Instant,
    /// `None`: of any age.
    reaches_back: Option<Duration>,
}

impl Loss {
    /// Not only what it had not written to its file yet.
    pub fn forgot_everything(&self) -> bool {
        self.reaches_back.is_none()
    }

    /// `accepted`: from the question to the last answer, some time between which the shop said yes to itself.
    pub fn may_have_lost(&self, accepted: &RangeInclusive<Instant>) -> bool {
        let age = self.at.saturating_duration_since(*accepted.end());
        self.at >= *accepted.start() && self.reaches_back.is_none_or(|reaches_back| age < reaches_back)
    }
}

struct Process {
    name: String,
    role: &'static str,
    shop: Shop,
    /// Somebody keeps it running.
    is_wanted: bool,
}

impl House {
    pub async fn open() -> Self {
        let servers = Servers::start().await;
        let first = Shop::on_with(&servers, &SETTINGS);
        let second = first.beside();
        let workers = [first.sibling(), second.sibling()];
        let named = |role, number, shop| Process { name: format!("{role} {number}"), role, shop, is_wanted: true };
        let webs = [first, second].into_iter().enumerate().map(|(number, shop)| named("web", number, shop));
        let workers = workers.into_iter().enumerate().map(|(number, shop)| named("worker", number, shop));
        let processes = webs.chain(workers).collect();
        let (story, losses, weather) = (Vec::new(), Vec::new(), Arc::default());
        let mut house = Self { processes, story, losses, weather, started: Instant::now(), servers };
        house.processes.iter_mut().for_each(|process| process.shop.spawn(process.role));
        house.wait_until_ready().await;
        house
    }

    /// The shop as its first process knows it.
    pub fn shop(&self) -> &Shop {
        &self.processes[0].shop
    }

    pub fn urls(&self) -> [String; 2] {
        [0, 1].map(|number| self.processes[number].shop.url.clone())
    }

    /// Carries the plan out, and starts again what ended without being told.
    pub async fn suffer(&mut self, plan: &[Blow]) {
        self.started = Instant::now();
        for blow in plan {
            while self.started.elapsed() < blow.at {
                tokio::time::sleep(SUPERVISE_EVERY.min(blow.at - self.started.elapsed().min(blow.at))).await;
                self.supervise();
            }
            let late = Blow { at: self.started.elapsed(), ..*blow };
            self.story.push(late.to_string());
            self.strike(*blow);
        }
    }

    /// Everything is up and answers.
    pub async fn wait_until_ready(&mut self) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            self.supervise();
            let visitor = self.shop().visitor();
            let paths = self.urls().map(|url| format!("{url}/readyz"));
            let ready = futures::future::join_all(paths.iter().map(|path| visitor.try_get(path))).await;
            if ready.iter().all(|reply| reply.as_ref().is_some_and(|reply| reply.status == 200)) {
                return;
            }
            assert!(Instant::now() < end, "the shop is not ready after 60 s:\n{}", self.shop().log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Puts the logs where somebody can read them.
    pub fn keep_logs(&self, folder: &Path) {
        let _ = std::fs::create_dir_all(folder);
        for process in &self.processes {
            let _ =
                std::fs::write(folder.join(process.name.replace(' ', "-")).with_extension("log"), process.shop.log());
        }
    }

    fn strike(&mut self, blow: Blow) {
        match blow.target {
            Target::Web(number) => self.strike_process(number, blow.deed),
            Target::Worker(number) => self.strike_process(2 + number, blow.deed),
            Target::Redis => self.strike_redis(blow.deed),
            Target::Postgres => self.strike_postgres(blow.deed),
        }
    }

    fn strike_redis(&mut self, deed: Deed) {
        self.weather.before(deed);
        if matches!(deed, Deed::Kill | Deed::Forget | Deed::TurnBack) {
            let reaches_back = (deed == Deed::Kill).then_some(UNWRITTEN);
            self.losses.push(Loss { at: Instant::now(), reaches_back });
        }
        let redis = &mut self.servers.redis;
        match deed {
            Deed::Kill | Deed::Stop => redis.kill(),
            Deed::Start => redis.up(),
            Deed::Freeze => redis.freeze(),
            Deed::Thaw => redis.thaw(),
            Deed::Forget => drop(redis.ask(&["FLUSHALL"])),
            Deed::Remember => redis.remember(),
            Deed::TurnBack => redis.turn_back(),
        }
        self.weather.after(deed);
    }

    fn strike_postgres(&mut self, deed: Deed) {
        self.weather.before(deed);
        let postgres = &mut self.servers.postgres;
        match deed {
            Deed::Start => postgres.up(),
            Deed::Freeze => postgres.freeze(),
            Deed::Thaw => postgres.thaw(),
            _ => postgres.kill(),
        }
        self.weather.after(deed);
    }

    fn strike_process(&mut self, number: usize, deed: Deed) {
        let process = &mut self.processes[number];
        // One that ended by itself a moment ago feels nothing.
        let lives = process.shop.ended().is_none() && process.shop.runs();
        match deed {
            Deed::Start => {
                process.shop.kill();
                process.shop.spawn(process.role);
                process.is_wanted = true;
            }
            Deed::Freeze if lives => process.shop.signal("STOP"),
            Deed::Thaw if lives => process.shop.signal("CONT"),
            Deed::Stop if lives => {
                process.is_wanted = false;
                process.shop.signal("TERM");
            }
            Deed::Kill => {
                process.is_wanted = false;
                process.shop.kill();
            }
            _ => {}
        }
    }

    fn supervise(&mut self) {
        let at = self.started.elapsed().as_secs_f64();
        for process in &mut self.processes {
            let ended = process.shop.ended();
            if !process.is_wanted {
                continue;
            }
            if let Some(status) = ended {
                self.story.push(format!("{at:7.2} s  {:9} ended by itself ({status})", process.name));
            }
            if !process.shop.runs() {
                process.shop.spawn(process.role);
            }
        }
    }
}
