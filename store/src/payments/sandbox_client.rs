//! The sandbox provider as its customer sees it: an HTTP API and signed webhooks, like any other provider's.

use super::{
    provider::{EventKind, Headers, NewSession, Provider, ProviderEvent, Session, SessionState},
    signature,
};
use crate::{
    config::SandboxConfig,
    error::{During, Error},
    sandbox::{
        CAPTURED, CreatePayment, CreateRefund, DECLINED, Event, EventData, REFUNDED, RefundCreated, SandboxPayment,
    },
};
use async_trait::async_trait;
use domain::{ApiError, Currency, ErrorCode, Money, RefundId, UnixMillis};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "sandbox-signature";

pub struct SandboxClient {
    http: reqwest::Client,
    config: SandboxConfig,
}

impl SandboxClient {
    pub const NAME: &'static str = "sandbox";

    pub fn new(http: reqwest::Client, config: SandboxConfig) -> Self {
        Self { http, config }
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}/v1{path}", self.config.base_url)).bearer_auth(self.config.api_key.reveal())
    }
}

#[async_trait]
impl Provider for SandboxClient {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    async fn create(&self, session: &NewSession) -> Result<Session, Error> {
        const OPERATION: &str = "sandbox.create";
        let body = CreatePayment {
            order_id: session.order.to_string(),
            order_number: session.number.to_string(),
            amount: session.amount.minor(),
            currency: session.amount.currency(),
            email: session.email.to_string(),
            return_url: session.return_url.clone(),
            cancel_url: session.cancel_url.clone(),
        };
        let request = self.post("/payments").header("idempotency-key", session.payment.to_string()).json(&body);
        let answer = request.send().await.during(OPERATION)?;
        let payment: SandboxPayment = known(OPERATION, answer).await?;
        opened(OPERATION, payment)
    }

    async fn retrieve(&self, provider_ref: &str) -> Result<Option<Session>, Error> {
        const OPERATION: &str = "sandbox.retrieve";
        let url = format!("{}/v1/payments/{provider_ref}", self.config.base_url);
        let answer = self.http.get(url).bearer_auth(self.config.api_key.reveal()).send().await.during(OPERATION)?;
        let payment: Option<SandboxPayment> = json(OPERATION, answer).await?;
        payment.map(|payment| opened(OPERATION, payment)).transpose()
    }

    async fn close(&self, provider_ref: &str) -> Result<SessionState, Error> {
        const OPERATION: &str = "sandbox.close";
        let answer = self.post(&format!("/payments/{provider_ref}/close")).send().await.during(OPERATION)?;
        let payment: SandboxPayment = known(OPERATION, answer).await?;
        Ok(opened(OPERATION, payment)?.state)
    }

    async fn refund(&self, refund: RefundId, provider_ref: &str, amount: Money) -> Result<String, Error> {
        const OPERATION: &str = "sandbox.refund";
        let request = self
            .post(&format!("/payments/{provider_ref}/refunds"))
            .header("idempotency-key", refund.to_string())
            .json(&CreateRefund { amount: amount.minor() });
        let made: RefundCreated = known(OPERATION, request.send().await.during(OPERATION)?).await?;
        Ok(made.id)
    }

    fn authenticate(&self, headers: Headers<'_>, body: &[u8], now: UnixMillis) -> Result<(), &'static str> {
        signature::verify(&self.config.webhook_secrets, headers(SIGNATURE_HEADER).as_deref(), body, now)
    }

    fn read(&self, body: &[u8]) -> Result<ProviderEvent, &'static str> {
        let event: Event = serde_json::from_slice(body).map_err(|_| "not an event")?;
        if event.id.is_empty() || event.id.len() > 200 || event.name.len() > 100 {
            return Err("not an event");
        }
        let known = matches!(event.name.as_str(), CAPTURED | DECLINED | REFUNDED);
        // Kinds that we do not know may carry anything.
        let data: EventData = match known {
            true => serde_json::from_value(event.data).map_err(|_| "not an event")?,
            false => EventData::default(),
        };
        let kind = match event.name.as_str() {
            CAPTURED => EventKind::Captured,
            DECLINED => EventKind::Declined,
            REFUNDED => EventKind::RefundSucceeded(data.refund_reference.and_then(|id| id.parse().ok())),
            _ => EventKind::Unknown,
        };
        let currency = Currency::parse(&data.currency).ok();
        Ok(ProviderEvent {
            id: event.id,
            name: event.name,
            kind,
            provider_ref: data.payment_id,
            payment: data.reference.parse().ok(),
            order: data.order_id.parse().ok(),
            amount: currency.map(|currency| data.amount.with(currency)),
        })
    }
}

fn opened(operation: &'static str, payment: SandboxPayment) -> Result<Session, Error> {
    let state = match payment.status.as_str() {
        "open" => SessionState::Open,
        "processing" => SessionState::Processing,
        "paid" => SessionState::Paid,
        "declined" => SessionState::Declined,
        "closed" => SessionState::Closed,
        other => return Err(Error::unexpected(operation, format!("unknown status {other:?}"))),
    };
    Ok(Session { provider_ref: payment.id, redirect_url: payment.url, state })
}

async fn known<T: DeserializeOwned>(operation: &'static str, answer: Response) -> Result<T, Error> {
    json(operation, answer).await?.ok_or_else(|| Error::unexpected(operation, "the provider does not know it"))
}

/// The answer's body; `None` for 404. A provider that is out of order is told apart from one that says no.
async fn json<T: DeserializeOwned>(operation: &'static str, answer: Response) -> Result<Option<T>, Error> {
    match answer.status() {
        StatusCode::NOT_FOUND => Ok(None),
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            tracing::warn!(operation, http.status = status.as_u16(), "the payment provider is out of order");
            Err(ApiError::new(
                ErrorCode::ProviderUnavailable,
                "The payment provider does not answer right now. Nothing was charged; please try again in a minute.",
            )
            .into())
        }
        status if !status.is_success() => Err(Error::unexpected(operation, format!("answered {status}"))),
        _ => answer.json().await.map(Some).during(operation),
    }
}
