//! The states of an order and the table of legal changes between them.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Accepted by the gate, its copies held, not yet in Postgres.
    Pending,
    /// In Postgres with its claim; can be paid until its deadline.
    PaymentPending,
    Paid,
    Fulfilling,
    Shipped,
    Delivered,
    Failed,
    Cancelled,
    Expired,
    Refunded,
}

/// Why an order changes its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The persist worker wrote it down and claimed its copies.
    Persisted,
    /// Postgres refused the claim, or the entry was poisoned.
    Refused,
    ShopperCancelled,
    AdminCancelled,
    DeadlinePassed,
    PaymentCaptured,
    PaymentFailed,
    /// A note, not a change of state: money came after the end, and it is being decided what becomes of it.
    LateMoneyCame,
    /// Money came after the end and the copies could be claimed again.
    LateMoneyClaimed,
    /// Money came after the end and went back, on the provider's word.
    LateMoneyReturned,
    /// A note, not a change of state: money came that this order no longer takes, and is on its way back.
    MoneyGoesBack,
    /// A note, not a change of state: the shop sends money back.
    RefundRequested,
    /// A note, not a change of state: the provider could not send money back, or it came back to the shop.
    RefundFailed,
    FulfilmentStarted,
    HandedToCarrier,
    Arrived,
    RefundConfirmed,
}

use Cause as C;
use OrderStatus as S;

/// Every legal change: from, to, why. What is not here does not happen.
pub const TRANSITIONS: &[(OrderStatus, OrderStatus, Cause)] = &[
    (S::Pending, S::PaymentPending, C::Persisted),
    (S::Pending, S::Failed, C::Refused),
    (S::Pending, S::Cancelled, C::ShopperCancelled),
    (S::Pending, S::Expired, C::DeadlinePassed),
    (S::PaymentPending, S::Paid, C::PaymentCaptured),
    (S::PaymentPending, S::Expired, C::DeadlinePassed),
    (S::PaymentPending, S::Cancelled, C::ShopperCancelled),
    (S::PaymentPending, S::Cancelled, C::AdminCancelled),
    (S::PaymentPending, S::Failed, C::PaymentFailed),
    (S::Paid, S::Fulfilling, C::FulfilmentStarted),
    (S::Fulfilling, S::Shipped, C::HandedToCarrier),
    (S::Shipped, S::Delivered, C::Arrived),
    (S::Paid, S::Cancelled, C::AdminCancelled),
    (S::Fulfilling, S::Cancelled, C::AdminCancelled),
    (S::Expired, S::Paid, C::LateMoneyClaimed),
    (S::Cancelled, S::Paid, C::LateMoneyClaimed),
    (S::Expired, S::Refunded, C::LateMoneyReturned),
    (S::Cancelled, S::Refunded, C::LateMoneyReturned),
    (S::Cancelled, S::Refunded, C::RefundConfirmed),
    (S::Paid, S::Refunded, C::RefundConfirmed),
    (S::Fulfilling, S::Refunded, C::RefundConfirmed),
    (S::Shipped, S::Refunded, C::RefundConfirmed),
    (S::Delivered, S::Refunded, C::RefundConfirmed),
];

/// A change that the table does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from} cannot become {to}")]
pub struct IllegalChange {
    pub from: OrderStatus,
    pub to: OrderStatus,
}

impl OrderStatus {
    pub const ALL: [Self; 10] = [
        S::Pending,
        S::PaymentPending,
        S::Paid,
        S::Fulfilling,
        S::Shipped,
        S::Delivered,
        S::Failed,
        S::Cancelled,
        S::Expired,
        S::Refunded,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            S::Pending => "PENDING",
            S::PaymentPending => "PAYMENT_PENDING",
            S::Paid => "PAID",
            S::Fulfilling => "FULFILLING",
            S::Shipped => "SHIPPED",
            S::Delivered => "DELIVERED",
            S::Failed => "FAILED",
            S::Cancelled => "CANCELLED",
            S::Expired => "EXPIRED",
            S::Refunded => "REFUNDED",
        }
    }

    /// Checks the change against [`TRANSITIONS`].
    pub fn change(self, to: Self, cause: Cause) -> Result<Self, IllegalChange> {
        match TRANSITIONS.contains(&(self, to, cause)) {
            true => Ok(to),
            false => Err(IllegalChange { from: self, to }),
        }
    }

    /// Whether its copies are promised to the shopper but not yet sold.
    pub const fn holds_copies(self) -> bool {
        matches!(self, S::Pending | S::PaymentPending)
    }

    /// Whether its copies are paid for and not returned.
    pub const fn is_sold(self) -> bool {
        matches!(self, S::Paid | S::Fulfilling | S::Shipped | S::Delivered)
    }

    /// Whether the shopper may still cancel it.
    pub const fn shopper_may_cancel(self) -> bool {
        matches!(self, S::Pending | S::PaymentPending)
    }

    /// Whether the table knows a change to that status for that reason.
    pub fn may(self, to: Self, cause: Cause) -> bool {
        self.change(to, cause).is_ok()
    }

    /// A short word for people.
    pub const fn label(self) -> &'static str {
        match self {
            S::Pending => "Being reserved",
            S::PaymentPending => "Waiting for payment",
            S::Paid => "Paid",
            S::Fulfilling => "Being packed",
            S::Shipped => "On its way",
            S::Delivered => "Delivered",
            S::Failed => "Could not be placed",
            S::Cancelled => "Cancelled",
            S::Expired => "Expired",
            S::Refunded => "Refunded",
        }
    }
}

impl Cause {
    pub const ALL: [Self; 17] = [
        C::Persisted,
        C::Refused,
        C::ShopperCancelled,
        C::AdminCancelled,
        C::DeadlinePassed,
        C::PaymentCaptured,
        C::PaymentFailed,
        C::LateMoneyCame,
        C::LateMoneyClaimed,
        C::LateMoneyReturned,
        C::MoneyGoesBack,
        C::RefundRequested,
        C::RefundFailed,
        C::FulfilmentStarted,
        C::HandedToCarrier,
        C::Arrived,
        C::RefundConfirmed,
    ];

    /// The name under which the history keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            C::Persisted => "persisted",
            C::Refused => "refused",
            C::ShopperCancelled => "shopper_cancelled",
            C::AdminCancelled => "admin_cancelled",
            C::DeadlinePassed => "deadline_passed",
            C::PaymentCaptured => "payment_captured",
            C::PaymentFailed => "payment_failed",
            C::LateMoneyCame => "late_money_came",
            C::LateMoneyClaimed => "late_money_claimed",
            C::LateMoneyReturned => "late_money_returned",
            C::MoneyGoesBack => "money_goes_back",
            C::RefundRequested => "refund_requested",
            C::RefundFailed => "refund_failed",
            C::FulfilmentStarted => "fulfilment_started",
            C::HandedToCarrier => "handed_to_carrier",
            C::Arrived => "arrived",
            C::RefundConfirmed => "refund_confirmed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text)
    }

    /// What the timeline says about it.
    pub const fn sentence(self) -> &'static str {
        match self {
            C::Persisted => "Your copies are set aside. Waiting for payment.",
            C::Refused => "We could not set your copies aside.",
            C::ShopperCancelled => "You cancelled the order. The copies are back on the shelf.",
            C::AdminCancelled => "The shop cancelled the order.",
            C::DeadlinePassed => "No payment arrived in time. The copies are back on the shelf.",
            C::PaymentCaptured => "Payment received.",
            C::PaymentFailed => "The payment failed.",
            C::LateMoneyCame => {
                "Your payment arrived after the hold had ended; we are checking whether your copies are still here."
            }
            C::LateMoneyClaimed => "Your payment came late, and the copies were still there.",
            C::LateMoneyReturned => "Your payment came too late and went back to you.",
            C::MoneyGoesBack => "A payment came that this order no longer takes. It is on its way back.",
            C::RefundRequested => "The shop sends money back to you.",
            C::RefundFailed => "The money could not be sent back yet. The shop looks after it.",
            C::FulfilmentStarted => "Your books are being packed.",
            C::HandedToCarrier => "Your parcel is on its way.",
            C::Arrived => "Your parcel has arrived.",
            C::RefundConfirmed => "The money is back with you.",
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a status of an order")]
pub struct UnknownStatus;

impl FromStr for OrderStatus {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or(UnknownStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_table_is_legal() {
        for from in OrderStatus::ALL {
            for to in OrderStatus::ALL {
                for cause in Cause::ALL {
                    let legal = TRANSITIONS.contains(&(from, to, cause));
                    assert_eq!(from.change(to, cause).is_ok(), legal, "{from} -> {to} {cause:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_goes_back_to_waiting_and_no_end_is_left_but_by_money() {
        for (from, to, cause) in TRANSITIONS {
            assert_ne!(to, &S::Pending);
            assert!(*to != S::PaymentPending || *from == S::Pending);
            if matches!(from, S::Expired | S::Cancelled) {
                assert!(matches!(cause, C::LateMoneyClaimed | C::LateMoneyReturned | C::RefundConfirmed));
            }
            assert!(!matches!(from, S::Failed | S::Refunded), "an end without a way on");
        }
    }

    #[test]
    fn names_come_back() {
        for status in OrderStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_string(&status).ok(), Some(format!("\"{status}\"")));
        }
        for cause in Cause::ALL {
            assert_eq!(Cause::parse(cause.as_str()), Some(cause));
            assert_eq!(serde_json::to_string(&cause).ok(), Some(format!("\"{}\"", cause.as_str())));
        }
    }
}
