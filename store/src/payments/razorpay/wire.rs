//! What Razorpay answers and sends, as far as the shop reads it.

use crate::{
    error::Error,
    payments::provider::{Session, SessionState},
};
use domain::{Currency, Minor, Money};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct Link {
    pub id: String,
    pub status: String,
    #[serde(default)]
    pub amount: i64,
    #[serde(default)]
    pub amount_paid: i64,
    #[serde(default)]
    pub currency: String,
    #[serde(default)]
    pub short_url: String,
    pub reference_id: Option<String>,
    /// An object; an empty list when there are none.
    #[serde(default)]
    pub notes: Value,
    pub payments: Option<Vec<LinkPayment>>,
}

/// A payment that was tried on a link.
#[derive(Deserialize)]
pub(super) struct LinkPayment {
    pub payment_id: String,
    pub status: String,
}

#[derive(Deserialize)]
pub(super) struct Links {
    #[serde(default)]
    pub payment_links: Vec<Link>,
}

#[derive(Deserialize)]
pub(super) struct Payment {
    pub id: String,
    /// Stays when the money goes back.
    pub captured: Option<bool>,
    #[serde(default)]
    pub amount: i64,
    #[serde(default)]
    pub currency: String,
    pub description: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub id: String,
    #[serde(default)]
    pub amount: i64,
    #[serde(default)]
    pub currency: String,
    pub payment_id: Option<String>,
    /// pending · processed · failed
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub notes: Value,
}

/// A page of payments or refunds, the newest first.
#[derive(Deserialize)]
pub(super) struct List<T> {
    pub items: Vec<T>,
}

/// The body of a 4xx.
#[derive(Default, Deserialize)]
pub(super) struct Complaint {
    pub error: Words,
}

#[derive(Default, Deserialize)]
pub(super) struct Words {
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub description: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub field: String,
}

impl Complaint {
    pub fn is_unknown_id(&self) -> bool {
        self.error.description.contains("does not exist")
    }
}

impl Link {
    pub fn note(&self, name: &str) -> Option<&str> {
        note(&self.notes, name)
    }

    /// The payment whose money is there, or was.
    pub fn captured(&self) -> Option<&str> {
        let came = |payment: &&LinkPayment| matches!(payment.status.as_str(), "captured" | "refunded");
        self.payments.iter().flatten().find(came).map(|payment| payment.payment_id.as_str())
    }

    pub fn read(self, operation: &'static str) -> Result<Session, Error> {
        let state = match self.status.as_str() {
            "created" => SessionState::Open,
            "paid" => SessionState::Paid,
            "cancelled" | "expired" => SessionState::Closed,
            other => return Err(Error::unexpected(operation, format!("unknown status {other:?}"))),
        };
        let amount = if state == SessionState::Paid { self.amount_paid } else { self.amount };
        Ok(Session {
            state,
            amount: money(amount, &self.currency),
            capture_ref: self.captured().map(str::to_owned),
            provider_ref: self.id,
            redirect_url: self.short_url,
        })
    }
}

pub(super) fn money(minor: i64, currency: &str) -> Option<Money> {
    Currency::parse(currency).ok().map(|currency| Minor::new(minor).with(currency))
}

pub(super) fn note<'n>(notes: &'n Value, name: &str) -> Option<&'n str> {
    notes.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn or_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
