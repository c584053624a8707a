//! The sandbox provider as its customer sees it: an HTTP API and signed webhooks, like any other provider's.

use super::{
    answer::{ask, is_id},
    provider::{EventKind, Headers, NewSession, Page, Provider, ProviderEvent, RefundState, Session, SessionState},
    signature,
};
use crate::{
    config::SandboxConfig,
    error::Error,
    sandbox::{
        CAPTURED, CreatePayment, CreateRefund, DECLINED, Event, EventData, REFUND_FAILED, REFUNDED, RefundCreated,
        RefundStatus, SandboxPayment, Statement,
    },
};
use async_trait::async_trait;
use domain::{Currency, Money, RefundId, UnixMillis};

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

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}/v1{path}", self.config.base_url)).bearer_auth(self.config.api_key.reveal())
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

    fn takes(&self, _: Currency) -> bool {
        true
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
        opened(OPERATION, ask(OPERATION, request).await?.known()?)
    }

    async fn retrieve(&self, provider_ref: &str) -> Result<Option<Session>, Error> {
        const OPERATION: &str = "sandbox.retrieve";
        if !is_id(provider_ref) {
            return Ok(None);
        }
        let answer = ask(OPERATION, self.get(&format!("/payments/{provider_ref}"))).await?;
        answer.json()?.map(|payment| opened(OPERATION, payment)).transpose()
    }

    async fn close(&self, provider_ref: &str) -> Result<SessionState, Error> {
        const OPERATION: &str = "sandbox.close";
        if !is_id(provider_ref) {
            return Err(Error::unexpected(OPERATION, "not an id of the provider's"));
        }
        let answer = ask(OPERATION, self.post(&format!("/payments/{provider_ref}/close"))).await?;
        Ok(opened(OPERATION, answer.known()?)?.state)
    }

    async fn refund(&self, refund: RefundId, provider_ref: &str, amount: Money) -> Result<String, Error> {
        const OPERATION: &str = "sandbox.refund";
        let request = self
            .post(&format!("/payments/{provider_ref}/refunds"))
            .header("idempotency-key", refund.to_string())
            .json(&CreateRefund { amount: amount.minor() });
        let made: RefundCreated = ask(OPERATION, request).await?.known()?;
        Ok(made.id)
    }

    async fn refund_state(&self, refund_ref: &str) -> Result<Option<RefundState>, Error> {
        const OPERATION: &str = "sandbox.refund_state";
        if !is_id(refund_ref) {
            return Ok(None);
        }
        let found: Option<RefundStatus> = ask(OPERATION, self.get(&format!("/refunds/{refund_ref}"))).await?.json()?;
        let state = |found: RefundStatus| match found.status.as_str() {
            "succeeded" => RefundState::Succeeded,
            "failed" => RefundState::Failed,
            _ => RefundState::Pending,
        };
        Ok(found.map(state))
    }

    async fn list(&self, from: UnixMillis, until: UnixMillis, after: &str) -> Result<Page, Error> {
        const OPERATION: &str = "sandbox.list";
        let window =
            [("from", from.get().to_string()), ("until", until.get().to_string()), ("after", after.to_owned())];
        let statement: Statement = ask(OPERATION, self.get("/statement").query(&window)).await?.known()?;
        let moves = statement.moves.into_iter().map(told).collect::<Result<_, _>>();
        let moves = moves.map_err(|why| Error::unexpected(OPERATION, why))?;
        Ok(Page { moves, next: statement.next })
    }

    /// Its statement says so.
    async fn source(&self, _: &str) -> Result<Option<ProviderEvent>, Error> {
        Ok(None)
    }

    fn authenticate(&self, headers: Headers<'_>, body: &[u8], now: UnixMillis) -> Result<(), &'static str> {
        signature::verify(&self.config.webhook_secrets, headers(SIGNATURE_HEADER).as_deref(), body, now)
    }

    fn read(&self, _: Headers<'_>, body: &[u8]) -> Result<ProviderEvent, &'static str> {
        told(serde_json::from_slice(body).map_err(|_| "not an event")?)
    }
}

fn told(event: Event) -> Result<ProviderEvent, &'static str> {
    let known = matches!(event.name.as_str(), CAPTURED | DECLINED | REFUNDED | REFUND_FAILED);
    // Kinds that we do not know may carry anything.
    let data: EventData = match known {
        true => serde_json::from_value(event.data).map_err(|_| "not an event")?,
        false => EventData::default(),
    };
    let ours = data.refund_reference.as_deref().and_then(|id| id.parse().ok());
    let kind = match event.name.as_str() {
        CAPTURED => EventKind::Captured,
        DECLINED => EventKind::Declined,
        REFUNDED => EventKind::RefundSucceeded(ours),
        REFUND_FAILED => EventKind::RefundFailed(ours),
        _ => EventKind::Unknown,
    };
    let currency = Currency::parse(&data.currency).ok();
    Ok(ProviderEvent {
        id: event.id,
        name: event.name,
        kind,
        capture_ref: Some(data.payment_id.clone()),
        provider_ref: data.payment_id,
        refund_ref: data.refund_id,
        payment: data.reference.parse().ok(),
        order: data.order_id.parse().ok(),
        amount: currency.map(|currency| data.amount.with(currency)),
    })
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
    Ok(Session {
        capture_ref: (state == SessionState::Paid).then(|| payment.id.clone()),
        provider_ref: payment.id,
        redirect_url: payment.url,
        state,
        amount: Some(payment.amount.with(payment.currency)),
    })
}
