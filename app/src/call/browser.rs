//! One request of the browser, text in and text out.

use super::Answer;
use crate::AppError;
use domain::{AccountId, ApiError, ErrorCode};
use leptos::prelude::window;
use std::cell::Cell;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortSignal, Headers, Request, RequestInit, Response,
    js_sys::{Reflect, futures::JsFuture},
};

/// After so many ms without an answer the shop counts as out of reach.
const PATIENCE: u32 = 20_000;

thread_local! {
    /// For whom the pages of this tab are made, if they are for nobody else.
    static MADE_FOR: Cell<Option<AccountId>> = const { Cell::new(None) };
}

/// From now on nothing is asked in anybody else's name.
pub fn made_for(account: AccountId) {
    MADE_FOR.set(Some(account));
}

/// GET, or POST of a form. `is_alone`: no person made it; when nobody is logged in any more, or somebody else, the page is loaded
/// anew, and the server shows what they may see, or leads to the login.
pub async fn fetch(url: String, form: Option<String>, is_alone: bool) -> Answer {
    let unreachable = |_: JsValue| {
        let message = "We cannot reach the shop. Check your connection; nothing was lost, and you can try again.";
        AppError::new(ErrorCode::NotReady, message)
    };
    let is_look = is_alone || (form.is_none() && MADE_FOR.get().is_some());
    let response = send(&url, form, is_alone).await.map_err(unreachable)?;
    let text = text(&response).await.map_err(unreachable)?;
    if response.ok() {
        return Ok(text);
    }
    let error = super::read(&text).unwrap_or_else(|_| ApiError::internal());
    if is_look && error.code == ErrorCode::Unauthorised {
        let _ = window().location().reload();
    }
    Err(AppError(error))
}

async fn send(url: &str, form: Option<String>, is_alone: bool) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    headers.set("accept", "application/json")?;
    if is_alone {
        headers.set(super::BY_ITSELF, "1")?;
    }
    if let Some(account) = MADE_FOR.get() {
        headers.set(super::PAGE_OF, &account.to_string())?;
    }
    let init = RequestInit::new();
    if let Some(form) = form {
        headers.set("content-type", "application/x-www-form-urlencoded")?;
        init.set_method("POST");
        init.set_body(&JsValue::from_str(&form));
        // What was clicked arrives also when the person leaves the page at that moment.
        Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE)?;
    }
    init.set_headers(&headers);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)));
    let request = Request::new_with_str_and_init(url, &init)?;
    JsFuture::from(window().fetch_with_request(&request)).await?.dyn_into()
}

async fn text(response: &Response) -> Result<String, JsValue> {
    JsFuture::from(response.text()?).await.map(|text| text.as_string().unwrap_or_default())
}
