//! What every page starts from: who is looking, their cart, and what became of the form they just sent.
//!
//! The server loads it before it renders and writes it into the page, so the browser never asks for it.

use domain::{ApiError, Currency, Minor, account::AccountView, cart::CartView, order::DeliveryRule};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    pub account: Option<AccountView>,
    /// The browser has an identity (login or guest cookie), so the live socket knows whose cart it is.
    pub is_known: bool,
    pub cart: CartView,
    /// For the totals of edits that the server has not answered yet.
    pub delivery: DeliveryRule,
    /// Names of the payment providers.
    pub providers: Vec<String>,
    /// Who sells here, as a receipt says it: name and address, line by line.
    pub business: Vec<String>,
    pub flash: Option<Flash>,
}

impl Default for Boot {
    fn default() -> Self {
        Self {
            account: None,
            is_known: false,
            cart: CartView::empty(Currency::Inr),
            delivery: DeliveryRule { fee: Minor::ZERO, free_from: Minor::ZERO },
            providers: Vec::new(),
            business: Vec::new(),
            flash: None,
        }
    }
}

/// A plain form that was refused, or that went on to another one: shown once, on the next page, with what was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// The form's server function, like `account/login`.
    pub form: String,
    pub error: Option<ApiError>,
    /// What was typed, without secrets.
    pub values: BTreeMap<String, String>,
}
