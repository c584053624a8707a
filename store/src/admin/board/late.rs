//! When an order counts as late: its people wait longer than the shop promises.

use crate::Store;
use domain::{
    UnixMillis,
    order::{OrderStatus as S, OrderSummary},
};

const HOUR_MS: i64 = 3_600_000;
/// A paid order leaves the shop within two days of its placing.
const TO_LEAVE_MS: i64 = 48 * HOUR_MS;
/// Who did not pay is let go within seconds of the deadline.
const TO_EXPIRE_MS: i64 = 60_000;

/// In each of these states an order is late from a moment on.
pub(super) struct Late([Limit; 4]);

#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub status: S,
    pub since: Since,
    /// Whose moment is before this one is late.
    pub at: UnixMillis,
}

/// Which moment of an order counts.
#[derive(Clone, Copy)]
pub(super) enum Since {
    Placed,
    Due,
}

impl Late {
    pub fn at(store: &Store) -> Self {
        let (now, days) = (store.now(), i64::from(store.config().delivery_days.most()));
        let here = now.plus(-TO_LEAVE_MS);
        let placed = |status, at| Limit { status, since: Since::Placed, at };
        Self([
            placed(S::Paid, here),
            placed(S::Fulfilling, here),
            placed(S::Shipped, here.plus(-days * 24 * HOUR_MS)),
            Limit { status: S::PaymentPending, since: Since::Due, at: now.plus(-TO_EXPIRE_MS) },
        ])
    }

    pub fn is(&self, order: &OrderSummary) -> bool {
        self.of(Some(order.status)).any(|limit| match limit.since {
            Since::Placed => order.placed_at < limit.at,
            Since::Due => order.expires_at < limit.at,
        })
    }

    /// What is late in this state, or in any.
    pub fn of(&self, status: Option<S>) -> impl Iterator<Item = Limit> + '_ {
        self.0.iter().copied().filter(move |limit| status.is_none_or(|status| status == limit.status))
    }
}
