//! How pages reach the server functions: by address and as text, typed only at the edges.
//!
//! Leptos' own way (`Resource` and `ServerAction` over each function's types) builds its machinery once per type, which
//! cost 130 KiB of compressed WASM. Here it is built once; the functions stay what they are on the server.

mod browser;
pub mod json;
mod post;

pub use browser::made_for;
pub use post::{Post, PostForm};

use crate::{AppError, derived::Derived};
use leptos::{prelude::*, server::codee::string::FromToStringCodec};
use serde::de::DeserializeOwned;
use std::{fmt, str::FromStr};

/// A header of requests that no person made. They are no reason to keep somebody of the shop logged in.
pub const BY_ITSELF: &str = "bazar-by-itself";

/// A header of requests of pages behind the counter: for whom the page was made. Another tab may have logged somebody else in.
pub const PAGE_OF: &str = "bazar-page-of";

/// What a server function said: its JSON, or its refusal.
pub type Answer = Result<String, AppError>;

/// A server function's answer as data of a page: `address` like `page/book?slug=gitanjali`. The server calls the
/// function itself and writes the answer into the page; the browser fetches when the address changes.
pub fn resource(address: Derived<String>) -> Resource<Told, FromToStringCodec> {
    Resource::new_str(move || address.get(), |address| async { Told(get(address).await) })
}

/// An answer as it stands in the page: `+` before what the function said, `-` before its refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told(pub Answer);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(text) => write!(f, "+{text}"),
            Err(AppError(error)) => write!(f, "-{}", serde_json::to_string(error).map_err(|_| fmt::Error)?),
        }
    }
}

impl FromStr for Told {
    type Err = json::Wrong;

    fn from_str(text: &str) -> Result<Self, json::Wrong> {
        match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(said), _) => Ok(Self(Ok(said.to_owned()))),
            (_, Some(refusal)) => Ok(Self(Err(AppError(json::read(refusal)?)))),
            _ => Err(json::Wrong),
        }
    }
}

/// Asks a GET function of `/api/`.
pub async fn get(address: String) -> Answer {
    #[cfg(feature = "ssr")]
    return crate::ssr::answer(&address).await;
    #[cfg(not(feature = "ssr"))]
    send_wrapper::SendWrapper::new(browser::fetch(format!("/api/{address}"), None, false)).await
}

/// The same without anybody's doing: the page looks by itself, which does not tell that somebody is there. A page whose
/// person is logged out does not go on showing what it shows.
pub async fn glance(address: String) -> Answer {
    #[cfg(feature = "ssr")]
    return crate::ssr::answer(&address).await;
    #[cfg(not(feature = "ssr"))]
    send_wrapper::SendWrapper::new(browser::fetch(format!("/api/{address}"), None, true)).await
}

/// Sends a form, already encoded, to a function of `/api/`; in the browser only.
pub async fn post(name: &str, form: String) -> Answer {
    browser::fetch(format!("/api/{name}"), Some(form), false).await
}

/// Reads what a function answered.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, AppError> {
    json::read(text).map_err(|_| AppError(domain::ApiError::internal()))
}

/// `page/books` and `[("q", "a b"), ("page", "")]` → `page/books?q=a%20b`
pub fn address(path: &str, arguments: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    let mut mark = '?';
    for (name, value) in arguments.iter().filter(|(_, value)| !value.is_empty()) {
        out.push(mark);
        out.push_str(name);
        out.push('=');
        out.push_str(&crate::next::encode(value));
        mark = '&';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_they_were_written() {
        let refusal = domain::ApiError::not_found("that book").field("slug", "Which “one”?");
        for told in [Told(Ok(r#"{"a":1}"#.into())), Told(Ok(String::new())), Told(Err(AppError(refusal)))] {
            assert_eq!(told.to_string().parse(), Ok(told));
        }
        assert_eq!("{}".parse::<Told>(), Err(json::Wrong));
    }

    #[test]
    fn addresses_leave_out_what_is_empty() {
        assert_eq!(
            address("page/books", &[("q", "a b&c"), ("page", ""), ("sort", "title")]),
            "page/books?q=a%20b%26c&sort=title"
        );
        assert_eq!(address("orders", &[]), "orders");
    }
}
