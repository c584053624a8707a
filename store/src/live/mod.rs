//! Live messages: one subscription to Redis per process, fanned out to bounded queues, one per socket.

use crate::{Store, error::Error, viewer::Viewer};
use domain::live::{Ask, Frame};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The process's fan-out; cheap to clone.
#[derive(Clone)]
pub struct Hub {}

impl Hub {
    /// Subscribes and keeps resubscribing until `stop`; after a gap every socket is told to resync and caches drop.
    pub fn start(store: Store, stop: CancellationToken) -> Self {
        todo!()
    }

    /// A socket of this person. Frames to send come out of `frames`; a full queue turns into one `Resync`.
    pub fn connect(&self, viewer: Viewer) -> Subscription {
        todo!()
    }
}

/// One open socket; dropping it unsubscribes.
pub struct Subscription {
    pub frames: mpsc::Receiver<Frame>,
}

impl Subscription {
    /// What the browser asked for (after parsing); answers arrive as frames. Refusals (not theirs, not admin) are silent.
    pub async fn ask(&mut self, ask: Ask) -> Result<(), Error> {
        todo!()
    }
}
