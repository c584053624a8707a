//! What a running shop is told from outside. The server reads it from the environment; tests build it by hand.

use crate::mail::MailConfig;
use domain::{
    Currency,
    order::{DeliveryDays, DeliveryRule},
    tax::Taxes,
};
use std::{fmt, path::PathBuf, time::Duration};

/// A value that never appears in logs.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `postgres://…`; connections of one process: `pool_size`.
    pub database_url: String,
    pub pool_size: u32,
    /// `redis://…`: carts and gate. Keys start with `key_prefix`, which keeps tests and shops apart.
    pub redis_url: String,
    pub key_prefix: String,
    /// Where shoppers and providers reach the shop, without a slash at the end.
    pub base_url: String,
    /// Who sells, as a receipt says it: name and address, line by line.
    pub business: Vec<String>,
    pub currency: Currency,
    pub taxes: Taxes,
    pub delivery: DeliveryRule,
    pub delivery_days: DeliveryDays,
    /// From placing to the deadline of paying.
    pub order_ttl: Duration,
    /// Floor of the deadline once an order is in Postgres (design §4: 5 minutes; never more than `order_ttl`).
    pub min_time_to_pay: Duration,
    /// Copies that open orders from one network may hold; 0: no limit.
    pub held_copies_per_address: u32,
    /// How often a provider is asked about a payment of which nothing is heard.
    pub ask_payments_every: Duration,
    /// Makes order numbers unguessable.
    pub number_secret: Secret,
    pub mail: MailConfig,
    /// Short messages become files in this folder, for a program that sends them; `None`: there are none.
    pub sms: Option<PathBuf>,
    /// A cart unchanged for so long is forgotten: its shopper gets one mail.
    pub abandoned_after: Duration,
    /// Payment providers; `None` switches one off.
    pub stripe: Option<StripeConfig>,
    pub razorpay: Option<RazorpayConfig>,
    /// The built-in one.
    pub sandbox: Option<SandboxConfig>,
}

#[derive(Debug, Clone)]
pub struct StripeConfig {
    /// Its API, without a slash at the end: `https://api.stripe.com`.
    pub api: String,
    pub secret_key: Secret,
    /// Any of them is accepted (rotation).
    pub webhook_secrets: Vec<Secret>,
}

#[derive(Debug, Clone)]
pub struct RazorpayConfig {
    /// Its API, without a slash at the end: `https://api.razorpay.com`.
    pub api: String,
    pub key_id: String,
    pub key_secret: Secret,
    /// Any of them is accepted (rotation).
    pub webhook_secrets: Vec<Secret>,
}

/// The sandbox provider, as its customer (the shop) and as itself (when this process serves it) know it.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Where shoppers find its pages, without a slash at the end: `https://shop.example/sandbox`.
    pub public_url: String,
    /// Where its API answers the shop, without a slash at the end: `http://127.0.0.1:3000/sandbox`.
    pub base_url: String,
    /// The shop's key for the provider's API (Bearer).
    pub api_key: Secret,
    /// Newest first; any of them is accepted (rotation), the first one signs.
    pub webhook_secrets: Vec<Secret>,
    /// Where the provider sends its events: the shop's `/webhooks/sandbox`.
    pub webhook_url: String,
    /// How long after the press the money of "Pay late" arrives; longer than `order_ttl` makes it late money.
    pub late_after: Duration,
}
