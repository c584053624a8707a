//! What Stripe answers and sends, as far as the shop reads it.

use crate::{
    error::Error,
    payments::provider::{Session, SessionState},
};
use domain::{Currency, Minor, Money};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct CheckoutSession {
    pub id: String,
    pub status: Option<String>,
    pub payment_status: String,
    pub url: Option<String>,
    pub amount_total: Option<i64>,
    pub currency: Option<String>,
    pub client_reference_id: Option<String>,
    #[serde(default)]
    pub metadata: Metadata,
    pub payment_intent: Option<Intent>,
}

/// What we gave with a session or a refund.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    pub order_id: Option<String>,
    pub payment_id: Option<String>,
    pub refund_id: Option<String>,
    pub session_id: Option<String>,
}

/// A reference, or the whole where that was asked for.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Intent {
    Id(String),
    Whole { id: String, status: String },
}

impl Intent {
    pub fn id(&self) -> &str {
        match self {
            Self::Id(id) | Self::Whole { id, .. } => id,
        }
    }

    /// The money did not come, and will not come by this session.
    fn has_failed(&self) -> bool {
        matches!(self, Self::Whole { status, .. } if matches!(status.as_str(), "requires_payment_method" | "canceled"))
    }
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub id: String,
    #[serde(default)]
    pub amount: i64,
    #[serde(default)]
    pub currency: String,
    pub status: Option<String>,
    pub payment_intent: Option<Intent>,
    #[serde(default)]
    pub metadata: Metadata,
}

/// A page of sessions or refunds, the newest first.
#[derive(Deserialize)]
pub(super) struct List<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

/// The body of a 4xx.
#[derive(Default, Deserialize)]
pub(super) struct Complaint {
    pub error: Words,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Words {
    pub code: String,
    pub param: String,
    pub message: String,
}

impl CheckoutSession {
    pub fn amount(&self) -> Option<Money> {
        money(self.amount_total?, self.currency.as_deref()?)
    }

    pub fn read(self, operation: &'static str) -> Result<Session, Error> {
        let state = match (self.status.as_deref(), self.payment_status.as_str()) {
            (Some("open"), _) => SessionState::Open,
            (Some("expired"), _) => SessionState::Closed,
            (Some("complete"), "paid") => SessionState::Paid,
            (Some("complete"), "unpaid") if self.payment_intent.as_ref().is_some_and(Intent::has_failed) => {
                SessionState::Declined
            }
            (Some("complete"), "unpaid") => SessionState::Processing,
            other => return Err(Error::unexpected(operation, format!("unknown status {other:?}"))),
        };
        let money = self.payment_intent.as_ref().filter(|_| state == SessionState::Paid);
        Ok(Session {
            state,
            amount: self.amount(),
            capture_ref: money.map(|intent| intent.id().to_owned()),
            provider_ref: self.id,
            redirect_url: self.url.unwrap_or_default(),
        })
    }
}

/// Stripe writes currencies in small letters.
pub(super) fn money(minor: i64, currency: &str) -> Option<Money> {
    Currency::parse(&currency.to_uppercase()).ok().map(|currency| Minor::new(minor).with(currency))
}
