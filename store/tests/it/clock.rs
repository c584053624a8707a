//! The real time, and what a test lets pass besides.

use domain::UnixMillis;
use std::sync::atomic::{AtomicI64, Ordering};
use store::world::{SystemWorld, World};

#[derive(Default)]
pub struct Clock(AtomicI64);

impl Clock {
    pub fn pass(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

impl World for Clock {
    fn now(&self) -> UnixMillis {
        SystemWorld.now().plus(self.0.load(Ordering::Relaxed))
    }

    fn uuid(&self) -> uuid::Uuid {
        SystemWorld.uuid()
    }
}
