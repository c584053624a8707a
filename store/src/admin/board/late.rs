//! When an order counts as late: its people wait longer than the shop promises.

use crate::{Store, world::to_timestamp};
use domain::{
    UnixMillis,
    order::{OrderStatus as S, OrderSummary},
};
use time::OffsetDateTime;

const HOUR_MS: i64 = 3_600_000;
/// A paid order leaves the shop within two days of its placing.
const TO_LEAVE_MS: i64 = 48 * HOUR_MS;
/// Who did not pay is let go within seconds of the deadline.
const TO_EXPIRE_MS: i64 = 60_000;

/// Orders from before these moments are late.
pub(super) struct Late {
    placed_and_here: UnixMillis,
    placed_and_sent: UnixMillis,
    due: UnixMillis,
}

impl Late {
    pub fn at(store: &Store) -> Self {
        let (now, days) = (store.now(), i64::from(store.config().delivery_days.most()));
        Self {
            placed_and_here: now.plus(-TO_LEAVE_MS),
            placed_and_sent: now.plus(-TO_LEAVE_MS - days * 24 * HOUR_MS),
            due: now.plus(-TO_EXPIRE_MS),
        }
    }

    pub fn is(&self, order: &OrderSummary) -> bool {
        match order.status {
            S::Paid | S::Fulfilling => order.placed_at < self.placed_and_here,
            S::Shipped => order.placed_at < self.placed_and_sent,
            S::PaymentPending => order.expires_at < self.due,
            _ => false,
        }
    }

    /// The same for SQL: until when what is here was placed, what is sent, and what is unpaid was due.
    pub fn columns(&self) -> [OffsetDateTime; 3] {
        [self.placed_and_here, self.placed_and_sent, self.due].map(to_timestamp)
    }
}
