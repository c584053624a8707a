//! One request of the browser, text in and text out.

use super::Answer;
use crate::AppError;
use domain::{ApiError, ErrorCode};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortSignal, Headers, Request, RequestInit, Response,
    js_sys::{Reflect, futures::JsFuture},
};

/// After so many ms without an answer the shop counts as out of reach.
const PATIENCE: u32 = 20_000;

/// GET, or POST of a form. `is_alone`: no person made it; when nobody is logged in any more, the page is loaded anew, and the
/// server leads to the login.
pub async fn fetch(url: String, form: Option<String>, is_alone: bool) -> Answer {
    let unreachable = |_: JsValue| {
        let message = "We cannot reach the shop. Check your connection; nothing was lost, and you can try again.";
        AppError::new(ErrorCode::NotReady, message)
    };
    let response = send(&url, form, is_alone).await.map_err(unreachable)?;
    let text = text(&response).await.map_err(unreachable)?;
    if response.ok() {
        return Ok(text);
    }
    let error = super::read(&text).unwrap_or_else(|_| ApiError::internal());
    if is_alone && error.code == ErrorCode::Unauthorised {
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
