//! The hosted page: what a person sees at the provider. Plain forms, no script, and plainly a test.

use super::{api::failed, view};
use axum::{
    Form,
    extract::{Path, State},
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::ErrorCode;
use http::{StatusCode, header};
use serde::Deserialize;
use store::{
    Store,
    error::Error,
    sandbox::{self, Press, SandboxPayment},
};

#[derive(Deserialize)]
pub struct Pressed {
    outcome: String,
    seconds: Option<String>,
}

pub async fn show(State(store): State<Store>, Path(id): Path<String>) -> Response {
    page(&store, StatusCode::OK, &id).await.unwrap_or_else(|error| failed(&error))
}

pub async fn press(State(store): State<Store>, Path(id): Path<String>, Form(pressed): Form<Pressed>) -> Response {
    let Some(press) = Press::parse(&pressed.outcome, pressed.seconds.as_deref()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match sandbox::press(&store, &id, press).await {
        Ok(Some(payment)) if press.leads_back() => Redirect::to(&payment.return_url).into_response(),
        Ok(Some(payment)) => Redirect::to(&format!("/sandbox/pay/{}", payment.id)).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        // The shop was quicker: the page says so, and what is still possible.
        Err(error) if error.to_api().code == ErrorCode::NotPayable => {
            page(&store, StatusCode::CONFLICT, &id).await.unwrap_or_else(|_| failed(&error))
        }
        Err(error) => failed(&error),
    }
}

async fn page(store: &Store, status: StatusCode, id: &str) -> Result<Response, Error> {
    let Some(payment) = sandbox::get(store, id).await? else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let log = sandbox::log(store, &payment.id).await?;
    let html = Html(view::page(&payment, &log, store.now()));
    Ok((status, [(header::CONTENT_SECURITY_POLICY, policy(&payment))], html).into_response())
}

/// Nothing but our own style and icon; and the press may lead back to the customer's site, which browsers count as the form's.
fn policy(payment: &SandboxPayment) -> String {
    let origin = payment.return_url.parse::<http::Uri>().ok().and_then(|uri| {
        let authority = uri.authority()?.as_str().to_owned();
        Some(format!(" {}://{authority}", uri.scheme_str()?))
    });
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{}; frame-ancestors 'none'; base-uri 'none'",
        origin.filter(|origin| !origin.contains([';', ','])).unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::view::tests::payment;

    #[test]
    fn the_policy_knows_the_customer_and_nobody_else() {
        assert!(policy(&payment("open")).contains("form-action 'self' https://shop.example;"));
        let odd = SandboxPayment { return_url: "javascript:alert(1)".into(), ..payment("open") };
        assert!(policy(&odd).contains("form-action 'self';"));
    }
}
