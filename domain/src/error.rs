//! What a client is told when something is refused: a stable code, a sentence for people, and the fields at fault.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

macro_rules! codes {
    ($($variant:ident $text:literal $status:literal),* $(,)?) => {
        /// The stable names of refusals; other people's clients match on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode { $($variant),* }

        impl ErrorCode {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as it stands in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }
        }
    };
}

codes! {
    BadRequest "bad_request" 400,
    MissingKey "missing_key" 400,
    Unauthorised "unauthorised" 401,
    BadCredentials "bad_credentials" 401,
    Forbidden "forbidden" 403,
    CrossSite "cross_site" 403,
    NotFound "not_found" 404,
    OrderLost "order_lost" 404,
    CartChanged "cart_changed" 409,
    EmptyCart "empty_cart" 409,
    InsufficientStock "insufficient_stock" 409,
    TooManyHolds "too_many_holds" 409,
    NotPayable "not_payable" 409,
    NotCancellable "not_cancellable" 409,
    NotOrderable "not_orderable" 409,
    CartFull "cart_full" 409,
    Conflict "conflict" 409,
    NeedsConfirmation "needs_confirmation" 409,
    TooLarge "too_large" 413,
    KeyReused "key_reused" 422,
    InvalidFields "invalid_fields" 422,
    TooManyRequests "too_many_requests" 429,
    Internal "internal" 500,
    NotReady "not_ready" 503,
    ProviderUnavailable "provider_unavailable" 503,
}

/// The body of every refusal: `{"code","message","fields"?}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    pub code: ErrorCode,
    /// One or two sentences for the person: what happened and a way on.
    pub message: String,
    /// Field name → what is wrong with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// With `cart_changed`: the cart as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart: Option<Box<crate::cart::CartView>>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fields: BTreeMap::new(), cart: None }
    }

    /// Wrong form fields, each with its own sentence.
    pub fn fields(fields: BTreeMap<String, String>) -> Self {
        Self { fields, ..Self::new(ErrorCode::InvalidFields, "Please look at the marked fields again.") }
    }

    pub fn field(mut self, name: &str, message: impl Into<String>) -> Self {
        self.fields.insert(name.to_owned(), message.into());
        self
    }

    pub fn with_cart(mut self, cart: crate::cart::CartView) -> Self {
        self.cart = Some(Box::new(cart));
        self
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("We could not find {what}."))
    }

    /// Something broke on our side; the details are in the log, never here.
    pub fn internal() -> Self {
        Self::new(ErrorCode::Internal, "Something went wrong on our side. Nothing was lost; please try again.")
    }

    pub fn not_ready() -> Self {
        Self::new(ErrorCode::NotReady, "The shop is counting its shelves. Please try again in a few seconds.")
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_json_is_the_stable_code() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_string(code).ok(), Some(format!("\"{}\"", code.as_str())));
            assert!((400..600).contains(&code.status()));
        }
    }

    #[test]
    fn fields_appear_only_when_there_are_some() {
        let plain = ApiError::new(ErrorCode::NotFound, "No.");
        assert_eq!(serde_json::to_string(&plain).ok().as_deref(), Some(r#"{"code":"not_found","message":"No."}"#));
        let json = serde_json::to_value(plain.field("city", "Missing")).ok();
        assert_eq!(json.and_then(|j| j["fields"]["city"].as_str().map(str::to_owned)), Some("Missing".into()));
    }
}
