//! The hosted page: what a person sees at the provider. Plain forms, no script, and plainly a test.

use super::api::failed;
use axum::{
    Form,
    extract::{Path, State},
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::{ErrorCode, markup::escape};
use http::{StatusCode, header};
use serde::Deserialize;
use store::{
    Store,
    sandbox::{self, Press, SandboxPayment},
};

#[derive(Deserialize)]
pub struct Pressed {
    outcome: Press,
}

pub async fn show(State(store): State<Store>, Path(id): Path<String>) -> Response {
    match sandbox::get(&store, &id).await {
        Ok(Some(payment)) => page(StatusCode::OK, &payment),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => failed(&error),
    }
}

pub async fn press(State(store): State<Store>, Path(id): Path<String>, Form(pressed): Form<Pressed>) -> Response {
    match sandbox::press(&store, &id, pressed.outcome).await {
        Ok(Some(payment)) => Redirect::to(&payment.return_url).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        // The shop was quicker: the page says so, and what is still possible.
        Err(error) if error.to_api().code == ErrorCode::NotPayable => match sandbox::get(&store, &id).await {
            Ok(Some(payment)) => page(StatusCode::CONFLICT, &payment),
            _ => failed(&error),
        },
        Err(error) => failed(&error),
    }
}

fn page(status: StatusCode, payment: &SandboxPayment) -> Response {
    let html = format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">
<title>Sandbox Pay</title>
<link rel="stylesheet" href="/sandbox.css">
</head>
<body>
<p class="sandbox-tape">Test provider. No real money moves here.</p>
<main class="sandbox">
<p class="sandbox-name">Sandbox Pay</p>
<h1 class="sandbox-amount">{amount}</h1>
<dl class="sandbox-facts"><dt>To</dt><dd>Book Bazar</dd><dt>For</dt><dd>Order {number}</dd><dt>Payment</dt><dd>{id}</dd></dl>
{body}
<p class="sandbox-note">Whatever happens here, the shop hears of it by a signed webhook, as from a real provider.</p>
<p><a href="{back}">Back to the shop</a></p>
</main>
</body>
</html>
"#,
        amount = escape(&payment.amount.with(payment.currency).to_string()),
        number = escape(&payment.order_number),
        id = escape(&payment.id),
        body = body(payment),
        back = escape(&payment.cancel_url),
    );
    (status, [(header::CONTENT_SECURITY_POLICY, policy(payment))], Html(html)).into_response()
}

fn body(payment: &SandboxPayment) -> String {
    let (sentence, buttons): (&str, &[(&str, &str, &str)]) = match payment.status.as_str() {
        "open" => ("", &[("pay", " sandbox-button--pay", "Pay"), ("decline", "", "Decline"), LATE]),
        "closed" => ("The shop has closed this payment. Money can only come late now.", &[LATE]),
        "processing" => ("Your money is on its way and arrives in a while.", &[]),
        "paid" => ("This payment is paid.", &[]),
        _ => ("This payment was declined. The shop can open another one.", &[]),
    };
    let notice = if sentence.is_empty() { String::new() } else { format!("<p role=\"status\">{sentence}</p>") };
    if buttons.is_empty() {
        return notice;
    }
    let buttons: String = buttons
        .iter()
        .map(|(outcome, class, label)| {
            format!("<button class=\"sandbox-button{class}\" name=\"outcome\" value=\"{outcome}\">{label}</button>\n")
        })
        .collect();
    let id = escape(&payment.id);
    format!("{notice}<form class=\"sandbox-form\" method=\"post\" action=\"/sandbox/pay/{id}\">\n{buttons}</form>")
}

const LATE: (&str, &str, &str) = ("late", "", "Pay late <small>(after the order has expired)</small>");

/// Nothing but our own style; and the press may lead back to the customer's site, which browsers count as the form's.
fn policy(payment: &SandboxPayment) -> String {
    let origin = payment.return_url.parse::<http::Uri>().ok().and_then(|uri| {
        let authority = uri.authority()?.as_str().to_owned();
        Some(format!(" {}://{authority}", uri.scheme_str()?))
    });
    format!(
        "default-src 'none'; style-src 'self'; form-action 'self'{}; frame-ancestors 'none'; base-uri 'none'",
        origin.filter(|origin| !origin.contains([';', ','])).unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Currency, Minor};

    fn payment(status: &str) -> SandboxPayment {
        SandboxPayment {
            id: "sbx_pay_1".into(),
            order_id: "o".into(),
            order_number: "<BB>".into(),
            amount: Minor::new(164_600),
            currency: Currency::Inr,
            email: "a@b.in".into(),
            return_url: "https://shop.example/orders/1?paying=1".into(),
            cancel_url: "https://shop.example/orders/1?a=\"b".into(),
            status: status.into(),
            url: String::new(),
        }
    }

    #[test]
    fn buttons_are_those_that_would_do_something() {
        let outcomes = |status: &str| body(&payment(status)).matches("name=\"outcome\"").count();
        assert_eq!(["open", "closed", "processing", "paid", "declined"].map(outcomes), [3, 1, 0, 0, 0]);
    }

    #[test]
    fn nothing_of_a_customer_becomes_markup() {
        assert_eq!(escape("<a href='x'>&\""), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
        assert!(policy(&payment("open")).contains("form-action 'self' https://shop.example;"));
        let odd = SandboxPayment { return_url: "javascript:alert(1)".into(), ..payment("open") };
        assert!(policy(&odd).contains("form-action 'self';"));
    }
}
