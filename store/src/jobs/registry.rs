//! The list of all background work.

use super::{
    gauges::SetGauges,
    outbox::DrainOutbox,
    prune::Prune,
    pulse::TellPulse,
    runner::supervise,
    schedule::{Scheduled, Turns},
};
use crate::{
    Store,
    admin::health::DoRuns,
    carts::{
        abandoned::RemindForgotten, parked::RetryParked, persist::PersistCarts, reconcile::ReconcileCarts,
        restore::RestoreCarts, told::TellCarts,
    },
    catalog::files::ImportFiles,
    orders::{ExpireOrders, PersistOrders},
    payments::{RetryWaiting, VerifyPayments, again::AskAgain, reconcile::ReconcilePayments},
    sandbox::DeliverEvents,
    stock::{
        ApplyGateOps,
        load::WatchGate,
        reconcile::{ReconcileStock, Scope},
    },
};
use futures::future::BoxFuture;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Every job, ready to run until `stop`.
pub(super) fn all(store: &Store, stop: &CancellationToken) -> Vec<BoxFuture<'static, ()>> {
    let (store, stop) = (|| store.clone(), || stop.clone());
    let mut all = vec![
        // Two consumers: while one waits for its commit or settles, the other inserts.
        supervise(store(), PersistOrders::new(&store()), stop()),
        supervise(store(), PersistOrders::new(&store()), stop()),
        supervise(store(), ExpireOrders, stop()),
        supervise(store(), ApplyGateOps, stop()),
        supervise(store(), WatchGate, stop()),
        supervise(store(), DrainOutbox::NOTICES, stop()),
        supervise(store(), DrainOutbox::PAYMENTS, stop()),
        supervise(store(), DrainOutbox::LATE_MONEY, stop()),
        supervise(store(), DrainOutbox::MAIL, stop()),
        supervise(store(), DrainOutbox::SMS, stop()),
        supervise(store(), PersistCarts, stop()),
        supervise(store(), TellCarts, stop()),
        supervise(store(), ImportFiles, stop()),
        supervise(store(), RetryWaiting, stop()),
        supervise(store(), VerifyPayments, stop()),
        supervise(store(), DeliverEvents, stop()),
        supervise(store(), SetGauges::default(), stop()),
        supervise(store(), TellPulse::default(), stop()),
        supervise(store(), DoRuns, stop()),
    ];
    all.extend(schedules().into_iter().map(|work| supervise(store(), Turns::new(work), stop())));
    all
}

/// What comes round by the clock.
pub(super) fn schedules() -> Vec<Arc<dyn Scheduled>> {
    vec![
        Arc::new(RetryParked),
        Arc::new(RemindForgotten),
        Arc::new(ReconcileCarts(Scope::Recent)),
        Arc::new(ReconcileCarts(Scope::All)),
        Arc::new(RestoreCarts),
        Arc::new(Prune),
        Arc::new(ReconcileStock(Scope::Recent)),
        Arc::new(ReconcileStock(Scope::All)),
        Arc::new(ReconcilePayments),
        Arc::new(AskAgain),
    ]
}
