//! Pages made of a few plain forms, as the server describes them: the browser knows how to show a sheet, and nothing of
//! what stands on it.

use crate::{AppError, components::form::Input};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    pub title: String,
    pub lede: String,
    /// The page it belongs to: address and name.
    pub back: Option<(String, String)>,
    /// What the form before this page did.
    pub done: Option<String>,
    pub parts: Vec<Part>,
    /// There is nothing to see here for this person, but there.
    pub elsewhere: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub title: String,
    pub lines: Vec<String>,
    /// The lines are an address.
    pub is_address: bool,
    pub forms: Vec<Form>,
    /// Addresses and names; the first is a button when there is no form.
    pub links: Vec<(String, String)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Its server function, like `account/profile`.
    pub action: String,
    pub hidden: Vec<(String, String)>,
    pub inputs: Vec<Input>,
    pub button: String,
    /// One of several beside each other.
    pub is_small: bool,
}

/// `at`: the address of the page, like `/account/details?done=name`.
#[server(name = SheetPage, prefix = "/api", endpoint = "page/sheet", input = GetUrl)]
pub async fn sheet(#[server(default)] at: String) -> Result<Sheet, AppError> {
    super::sheets::of(&crate::ssr::Caller::current()?, &at).await
}
