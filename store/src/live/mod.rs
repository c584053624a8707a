//! Live messages: one subscription to Redis per process, fanned out to bounded queues, one per socket.
//!
//! A message in Redis only says *that* something changed; what the sockets get is built from the data, once per cart
//! or order however many messages arrive meanwhile, and each person gets only what they may see. A queue that is full
//! never makes anybody wait: its socket is told to resync.

mod listen;
mod push;
mod registry;
mod turns;

use crate::{
    Store,
    error::{During, Error},
    viewer::Viewer,
};
use domain::{
    AccountId, OrderId, Owner, Permission,
    live::{Ask, Frame, MAX_WATCHED},
};
use registry::{Registry, Socket};
use std::sync::Arc;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use turns::Turns;

/// Carts and orders built at once; more wait, so that a burst does not take every connection to Postgres.
const BUILDERS: usize = 16;

/// The process's fan-out; cheap to clone.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    registry: Registry,
    carts: Turns<Owner>,
    orders: Turns<OrderId>,
    builders: Semaphore,
    /// Whether messages arrive.
    is_subscribed: watch::Sender<bool>,
    stop: CancellationToken,
}

impl Hub {
    /// Subscribes and keeps resubscribing until `stop`; after a gap every socket is told to resync and caches drop.
    pub fn start(store: Store, stop: CancellationToken) -> Self {
        let shared = Arc::new(Shared {
            store,
            registry: Registry::default(),
            carts: Turns::default(),
            orders: Turns::default(),
            builders: Semaphore::new(BUILDERS),
            is_subscribed: watch::Sender::new(false),
            stop,
        });
        tokio::spawn(listen::run(shared.clone()));
        Self { shared }
    }

    /// A socket of this person. Frames to send come out of `frames`; a full queue turns into one `Resync`.
    /// The person's cart is the first of them. After `stop` the queue ends.
    pub fn connect(&self, viewer: Viewer) -> Subscription {
        let (socket, frames) = self.shared.registry.add(viewer);
        // First in the registry, then the snapshot: a change in between is sent twice rather than never.
        let (shared, first) = (self.shared.clone(), socket.clone());
        tokio::spawn(async move {
            if let Err(error) = push::cart_snapshot(&shared, &first).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "a socket starts without its cart");
                first.resync();
            }
        });
        Subscription { frames, socket, shared: self.shared.clone() }
    }

    /// Returns once messages arrive: for tests, and for whoever must not miss the first ones.
    pub async fn subscribed(&self) {
        let mut state = self.shared.is_subscribed.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = state.wait_for(|is_subscribed| *is_subscribed).await;
    }
}

/// A login of this account ended: its open sockets look whether it was theirs, in every process.
pub async fn login_ended(store: &Store, account: AccountId) -> Result<(), Error> {
    let mut publish = redis::cmd("PUBLISH");
    publish.arg(store.keys().live_login()).arg(Owner::Account(account).to_string());
    publish.query_async(&mut store.redis()).await.during("live.login_ended")
}

/// One open socket; dropping it unsubscribes.
pub struct Subscription {
    pub frames: mpsc::Receiver<Frame>,
    socket: Arc<Socket>,
    shared: Arc<Shared>,
}

impl Subscription {
    /// Notified when one of this person's logins ended, perhaps the one that opened this socket.
    pub fn login_ended(&self) -> Arc<Notify> {
        self.socket.login_ended.clone()
    }

    /// What the browser asked for (after parsing); answers arrive as frames. Refusals (not theirs, not admin) are silent.
    pub async fn ask(&mut self, ask: Ask) -> Result<(), Error> {
        let (shared, socket) = (&self.shared, &self.socket);
        match ask {
            Ask::Watch { mut books } => {
                books.truncate(MAX_WATCHED);
                books.sort_unstable();
                books.dedup();
                shared.registry.watch(socket.id, books.clone());
                push::stock_snapshot(shared, socket, &books).await
            }
            Ask::Order { order_id } => {
                // Followed before it is read, so that no change falls in between; dropped again if it is not theirs.
                let former = shared.registry.follow(socket.id, Some(order_id));
                if !push::order_snapshot(shared, socket, order_id).await? {
                    shared.registry.follow(socket.id, former);
                }
                Ok(())
            }
            Ask::AdminOrders => {
                if socket.viewer.may(Permission::ReadOrders) {
                    shared.registry.follow_all_orders(socket.id);
                }
                Ok(())
            }
            Ask::Snapshot => {
                push::cart_snapshot(shared, socket).await?;
                let (order, books) = shared.registry.followed_by(socket.id);
                if let Some(order) = order {
                    push::order_snapshot(shared, socket, order).await?;
                }
                push::stock_snapshot(shared, socket, &books).await
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.registry.remove(self.socket.id);
    }
}
