//! The built-in payment provider, made like a real one: its own records, its own page, signed webhooks over HTTP.
//!
//! The shop never calls this module; it speaks HTTP to the routes that the server serves under `/sandbox`.

use crate::{Store, error::Error};
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
    pub return_url: String,
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
    /// open · paid · declined · closed
    pub status: String,
    /// The hosted page.
    pub url: String,
}

/// What the person pressed on the hosted page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Press {
    Pay,
    Decline,
    /// Pays, but the money arrives after the session (and usually the order) is over: also allowed on a closed payment.
    PayLate,
}

pub async fn create(store: &Store, key: &str, request: CreatePayment) -> Result<SandboxPayment, Error> {
    todo!()
}

pub async fn get(store: &Store, id: &str) -> Result<Option<SandboxPayment>, Error> {
    todo!()
}

/// Closes an open payment; one that is paid stays paid (the answer says so).
pub async fn close(store: &Store, id: &str) -> Result<Option<SandboxPayment>, Error> {
    todo!()
}

/// Sends money back; confirmed by a `refund.succeeded` event. Returns the refund's id.
pub async fn refund(store: &Store, key: &str, id: &str, amount: Minor) -> Result<Option<String>, Error> {
    todo!()
}

pub async fn press(store: &Store, id: &str, press: Press) -> Result<Option<SandboxPayment>, Error> {
    todo!()
}
