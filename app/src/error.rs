//! The one error of every server function: the shop's `ApiError` on the wire, whatever went wrong.

use domain::{ApiError, ErrorCode};
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// A refusal as server functions return it; its JSON is exactly `{"code","message","fields"?}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppError(pub ApiError);

impl AppError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(ApiError::new(code, message))
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    pub fn status(&self) -> u16 {
        self.0.code.status()
    }
}

impl From<ApiError> for AppError {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for AppError {}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// What the machinery around a server function reports: mostly arguments that could not be read.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        use ServerFnErrorErr as E;
        match error {
            E::Args(why) => Self::bad_request(format!("The request could not be read: {why}.")),
            E::MissingArg(what) => Self::bad_request(format!("The request lacks “{what}”.")),
            // In the browser this is an answer that is not ours (a proxy's, say); on the server a body cut short.
            E::Deserialization(_) if cfg!(feature = "ssr") => Self::bad_request("The request could not be read."),
            E::Request(_) => Self::new(
                ErrorCode::NotReady,
                "We cannot reach the shop. Check your connection; nothing was lost, and you can try again.",
            ),
            _ => Self(ApiError::internal()),
        }
    }
}

#[cfg(feature = "ssr")]
impl From<store::error::Error> for AppError {
    /// Refusals pass as they are; failures are logged here, once, and told without internals.
    fn from(error: store::error::Error) -> Self {
        if !error.is_refusal() {
            tracing::error!(error = %chain(&error), "a use case failed");
        }
        Self(error.to_api())
    }
}

/// The error with its sources on one line.
#[cfg(feature = "ssr")]
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_cannot_be_read_are_the_clients_fault() {
        for error in [ServerFnErrorErr::Args("x".into()), ServerFnErrorErr::MissingArg("x".into())] {
            assert_eq!(AppError::from_server_fn_error(error).status(), 400);
        }
        let json = String::from_utf8(AppError::bad_request("No.").ser().to_vec());
        assert_eq!(json.ok().as_deref(), Some(r#"{"code":"bad_request","message":"No."}"#));
    }
}
