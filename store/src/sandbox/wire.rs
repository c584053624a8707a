//! What travels between the sandbox provider and its customers: the bodies of its API and of its webhooks.

use domain::{Currency, Minor};
use serde::{Deserialize, Serialize};

/// What the shop sends to open a payment (`POST /sandbox/v1/payments`, Bearer key, `Idempotency-Key`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatePayment {
    pub order_id: String,
    pub order_number: String,
    pub amount: Minor,
    pub currency: Currency,
    pub email: String,
    /// Where the browser goes after a press.
    pub return_url: String,
    /// Where the hosted page leads back to without one.
    pub cancel_url: String,
}

/// A payment as the API and the hosted page show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxPayment {
    pub id: String,
    pub order_id: String,
    pub order_number: String,
    pub amount: Minor,
    pub currency: Currency,
    pub email: String,
    pub return_url: String,
    pub cancel_url: String,
    /// open · processing (paid late: the money is under way) · paid · declined · closed
    pub status: String,
    /// The hosted page.
    pub url: String,
}

/// What the shop sends to have money go back (`POST …/{id}/refunds`, `Idempotency-Key`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateRefund {
    pub amount: Minor,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundCreated {
    pub id: String,
}

/// Where a refund stands (`GET …/refunds/{id}`): pending · succeeded · failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundStatus {
    pub status: String,
}

/// A page of the statement (`GET …/statement?from=&until=&after=`, times in unix ms).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// As webhooks tell them, each under its own id.
    pub moves: Vec<Event>,
    /// `after` of the next page.
    pub next: Option<String>,
}

pub const CAPTURED: &str = "payment.captured";
pub const DECLINED: &str = "payment.declined";
pub const REFUNDED: &str = "refund.succeeded";
pub const REFUND_FAILED: &str = "refund.failed";

/// The body of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub name: String,
    /// Unix seconds.
    #[serde(default)]
    pub created: i64,
    /// An [`EventData`] in the kinds named above.
    #[serde(default)]
    pub data: serde_json::Value,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventData {
    pub payment_id: String,
    /// The idempotency key under which the customer opened the payment.
    pub reference: String,
    pub order_id: String,
    /// Of the payment, or of the refund.
    pub amount: Minor,
    pub currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// The idempotency key under which the customer asked for the refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_reference: Option<String>,
}
