//! Payments as clients see them.

use crate::{Currency, Minor, OrderId, PaymentId, RefundId, UnixMillis};
use serde::{Deserialize, Serialize};

/// Where one payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Recorded; the provider has not yet answered with a session.
    Creating,
    /// The shopper can pay it.
    Open,
    /// The shopper took another way to pay while this provider did not answer: money may still come by it until the
    /// provider says that it is closed.
    Closing,
    /// The provider has the money.
    Captured,
    /// The provider has the money, but the order had ended: whether it buys the copies again is being decided.
    Late,
    /// The shopper or their bank declined; another attempt is possible.
    Declined,
    /// Closed without money.
    Closed,
    /// The money is on its way back.
    Refunding,
    /// The provider says that the money is back.
    Refunded,
}

impl PaymentStatus {
    pub const ALL: [Self; 9] = [
        Self::Creating,
        Self::Open,
        Self::Closing,
        Self::Captured,
        Self::Late,
        Self::Declined,
        Self::Closed,
        Self::Refunding,
        Self::Refunded,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Captured => "captured",
            Self::Late => "late",
            Self::Declined => "declined",
            Self::Closed => "closed",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Creating => "Opening",
            Self::Open => "Waiting for the shopper",
            Self::Closing => "Being closed",
            Self::Captured => "Received",
            Self::Late => "Came late",
            Self::Declined => "Declined",
            Self::Closed => "Closed",
            Self::Refunding => "Going back",
            Self::Refunded => "Went back",
        }
    }
}

/// A provider's name as people know it.
pub fn provider_title(name: &str) -> &str {
    match name {
        "sandbox" => "Sandbox Pay",
        "stripe" => "Stripe",
        "razorpay" => "Razorpay",
        other => other,
    }
}

/// One payment in an order's view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentView {
    pub payment_id: PaymentId,
    pub provider: String,
    pub status: PaymentStatus,
    pub amount: Minor,
    pub currency: Currency,
    pub created_at: UnixMillis,
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Wanted; the provider has not said that it is made.
    Requested,
    /// The provider says that the money is back.
    Confirmed,
    /// The provider could not make it.
    Failed,
}

impl RefundStatus {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Requested => "On its way back",
            Self::Confirmed => "Back",
            Self::Failed => "Failed",
        }
    }
}

/// Money that goes back, in an order's view and as the answer to who wanted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundView {
    pub refund_id: RefundId,
    pub payment_id: PaymentId,
    pub amount: Minor,
    pub currency: Currency,
    pub status: RefundStatus,
    pub reason: String,
    pub restocks: bool,
    pub created_at: UnixMillis,
    /// The admin who wanted it; told to admins only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why it is not made yet; told to admins only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a provider said that does not fit the shop's books; an admin looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    pub id: i64,
    pub provider: String,
    /// The provider's word for it.
    pub kind: String,
    pub why: String,
    pub received_at: UnixMillis,
    /// The order that it names, and that order's number.
    pub order_id: Option<OrderId>,
    pub number: Option<String>,
}

/// Where to send the shopper: `{payment_id,redirect_url}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentStarted {
    pub payment_id: PaymentId,
    pub redirect_url: String,
}
