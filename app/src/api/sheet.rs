//! Pages made of a few plain forms, which the server writes whole: the browser shows them, and carries nothing for them.

use crate::AppError;
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    pub title: String,
    /// What stands on it; everything in it is escaped.
    pub html: String,
    /// There is nothing to see here for this person, but there.
    pub elsewhere: Option<String>,
}

/// `at`: the address of the page, like `/account/details?done=name`.
#[server(name = SheetPage, prefix = "/api", endpoint = "page/sheet", input = GetUrl)]
pub async fn sheet(#[server(default)] at: String) -> Result<Sheet, AppError> {
    super::sheets::of(&crate::ssr::Caller::current()?, &at).await
}
