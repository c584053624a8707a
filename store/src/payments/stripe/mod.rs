//! Stripe: one Checkout Session per payment, to which the browser is redirected. The payment's id is the idempotency key.

mod event;
mod wire;

use super::{
    answer::{Answer, ask, insist, is_id},
    provider::{Headers, NewSession, Page, Provider, ProviderEvent, RefundState, Session, SessionState},
    signature,
};
use crate::{config::StripeConfig, error::Error};
use async_trait::async_trait;
use domain::{ApiError, Currency, ErrorCode, Money, RefundId, UnixMillis};
use reqwest::RequestBuilder;
use wire::{CheckoutSession, Complaint, Intent, List, Refund};

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "stripe-signature";
/// The shapes that this code was written for, whatever the account's default is.
const VERSION: &str = "2024-06-20";
/// Stripe keeps a session open for at least 30 minutes, counted from when it is made, at the latest at the deadline; and
/// some for clocks that differ. The same for the same order, as a repeated request must be.
const OPEN_PAST_DEADLINE_MS: i64 = 35 * 60_000;

pub struct Stripe {
    http: reqwest::Client,
    config: StripeConfig,
}

impl Stripe {
    pub const NAME: &'static str = "stripe";

    pub fn new(http: reqwest::Client, config: StripeConfig) -> Self {
        Self { http, config }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.with_key(self.http.get(format!("{}{path}", self.config.api)))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.with_key(self.http.post(format!("{}{path}", self.config.api)))
    }

    fn with_key(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.config.secret_key.reveal()).header("stripe-version", VERSION)
    }

    async fn session(&self, operation: &'static str, id: &str) -> Result<Option<CheckoutSession>, Error> {
        if !is_id(id) {
            return Ok(None);
        }
        // With its intent: only that tells money under way from money that failed to come.
        let path = format!("/v1/checkout/sessions/{id}?expand%5B%5D=payment_intent");
        ask(operation, self.get(&path)).await?.json()
    }

    /// The refund of this money that bears our name: Stripe forgets keys after a day, and some are asked for again later.
    async fn refund_made(
        &self,
        operation: &'static str,
        intent: &str,
        refund: RefundId,
    ) -> Result<Option<String>, Error> {
        let request = self.get("/v1/refunds").query(&[("payment_intent", intent), ("limit", "100")]);
        let made: List<Refund> = ask(operation, request).await?.known()?;
        let refund = refund.to_string();
        Ok(made.data.into_iter().find(|made| made.metadata.refund_id.as_ref() == Some(&refund)).map(|made| made.id))
    }

    async fn known(&self, operation: &'static str, id: &str) -> Result<CheckoutSession, Error> {
        let session = self.session(operation, id).await?;
        session.ok_or_else(|| Error::unexpected(operation, "Stripe does not know this session"))
    }
}

#[async_trait]
impl Provider for Stripe {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    /// Each of ours is among the currencies in which Stripe's cards charge.
    fn takes(&self, currency: Currency) -> bool {
        matches!(currency, Currency::Inr | Currency::Usd | Currency::Eur | Currency::Gbp)
    }

    async fn create(&self, session: &NewSession) -> Result<Session, Error> {
        const OPERATION: &str = "stripe.create";
        let request = self.post("/v1/checkout/sessions").header("idempotency-key", session.payment.to_string());
        let answer = insist(OPERATION, request.form(&terms(session))).await?;
        if answer.is_bad_request() {
            return Err(refusal(&answer));
        }
        answer.known::<CheckoutSession>()?.read(OPERATION)
    }

    async fn retrieve(&self, provider_ref: &str) -> Result<Option<Session>, Error> {
        const OPERATION: &str = "stripe.retrieve";
        let session = self.session(OPERATION, provider_ref).await?;
        session.map(|session| session.read(OPERATION)).transpose()
    }

    async fn close(&self, provider_ref: &str) -> Result<SessionState, Error> {
        const OPERATION: &str = "stripe.close";
        if is_id(provider_ref) {
            let path = format!("/v1/checkout/sessions/{provider_ref}/expire");
            let answer = ask(OPERATION, self.post(&path)).await?;
            // Only an open session expires; of any other one Stripe says no, and then it is asked where it stands.
            if !answer.is_bad_request() {
                return Ok(answer.known::<CheckoutSession>()?.read(OPERATION)?.state);
            }
        }
        Ok(self.known(OPERATION, provider_ref).await?.read(OPERATION)?.state)
    }

    async fn refund(&self, refund: RefundId, provider_ref: &str, amount: Money) -> Result<String, Error> {
        const OPERATION: &str = "stripe.refund";
        let session = self.known(OPERATION, provider_ref).await?;
        let intent = session.payment_intent.as_ref().map(Intent::id).map(str::to_owned);
        let intent = intent.ok_or_else(|| Error::unexpected(OPERATION, "a session without money"))?;
        if let Some(made) = self.refund_made(OPERATION, &intent, refund).await? {
            return Ok(made);
        }
        let form = [
            ("payment_intent", intent),
            ("amount", amount.minor().get().to_string()),
            // By these its events are known again.
            ("metadata[refund_id]", refund.to_string()),
            ("metadata[session_id]", provider_ref.to_owned()),
            ("metadata[payment_id]", session.metadata.payment_id.unwrap_or_default()),
            ("metadata[order_id]", session.metadata.order_id.unwrap_or_default()),
        ];
        let request = self.post("/v1/refunds").header("idempotency-key", refund.to_string()).form(&form);
        let answer = insist(OPERATION, request).await?;
        if answer.is_bad_request() {
            return Err(refusal(&answer));
        }
        Ok(answer.known::<Refund>()?.id)
    }

    async fn refund_state(&self, refund_ref: &str) -> Result<Option<RefundState>, Error> {
        const OPERATION: &str = "stripe.refund_state";
        if !is_id(refund_ref) {
            return Ok(None);
        }
        let found: Option<Refund> = ask(OPERATION, self.get(&format!("/v1/refunds/{refund_ref}"))).await?.json()?;
        let state = |found: Refund| match found.status.as_deref() {
            Some("succeeded") => RefundState::Succeeded,
            Some("failed" | "canceled") => RefundState::Failed,
            _ => RefundState::Pending,
        };
        Ok(found.map(state))
    }

    /// First the sessions, then the refunds, by when they were made; `after` begins with the list it belongs to.
    async fn list(&self, from: UnixMillis, until: UnixMillis, after: &str) -> Result<Page, Error> {
        const OPERATION: &str = "stripe.list";
        let (list, last) = after.split_once(':').unwrap_or(("checkout/sessions", ""));
        let mut query = vec![
            ("limit", "100".to_owned()),
            ("created[gte]", (from.get() / 1000).to_string()),
            ("created[lt]", (until.get() / 1000).to_string()),
        ];
        if !last.is_empty() {
            query.push(("starting_after", last.to_owned()));
        }
        let request = self.get(&format!("/v1/{list}")).query(&query);
        let (moves, has_more): (Vec<ProviderEvent>, bool) = match list {
            "refunds" => {
                let page: List<Refund> = ask(OPERATION, request).await?.known()?;
                (page.data.into_iter().map(event::of_listed_refund).collect(), page.has_more)
            }
            _ => {
                let page: List<CheckoutSession> = ask(OPERATION, request).await?.known()?;
                (page.data.into_iter().map(event::of_listed).collect(), page.has_more)
            }
        };
        let next = match moves.last().filter(|_| has_more) {
            Some(last) => Some(format!("{list}:{}", last.id)),
            None if list == "refunds" => None,
            None => Some("refunds:".to_owned()),
        };
        Ok(Page { moves, next })
    }

    /// Its list of sessions says so.
    async fn source(&self, _: &str) -> Result<Option<ProviderEvent>, Error> {
        Ok(None)
    }

    fn authenticate(&self, headers: Headers<'_>, body: &[u8], now: UnixMillis) -> Result<(), &'static str> {
        signature::verify(&self.config.webhook_secrets, headers(SIGNATURE_HEADER).as_deref(), body, now)
    }

    fn read(&self, _: Headers<'_>, body: &[u8]) -> Result<ProviderEvent, &'static str> {
        event::read(body)
    }
}

fn terms(session: &NewSession) -> Vec<(&'static str, String)> {
    let number = session.number.to_string();
    let (order, payment) = (session.order.to_string(), session.payment.to_string());
    let expires_at = session.deadline.plus(OPEN_PAST_DEADLINE_MS).get() / 1000;
    vec![
        ("mode", "payment".to_owned()),
        ("line_items[0][quantity]", "1".to_owned()),
        ("line_items[0][price_data][currency]", session.amount.currency().code().to_lowercase()),
        ("line_items[0][price_data][unit_amount]", session.amount.minor().get().to_string()),
        ("line_items[0][price_data][product_data][name]", format!("Order {number}")),
        ("customer_email", session.email.to_string()),
        ("client_reference_id", order.clone()),
        ("success_url", session.return_url.clone()),
        ("cancel_url", session.cancel_url.clone()),
        ("expires_at", expires_at.to_string()),
        ("metadata[order_id]", order.clone()),
        ("metadata[order_number]", number.clone()),
        ("metadata[payment_id]", payment.clone()),
        // For people who look at the payment in Stripe's dashboard.
        ("payment_intent_data[metadata][order_id]", order),
        ("payment_intent_data[metadata][order_number]", number),
        ("payment_intent_data[metadata][payment_id]", payment),
    ]
}

fn refusal(answer: &Answer) -> Error {
    let said = answer.complaint::<Complaint>().error;
    if said.param == "expires_at" {
        return ApiError::new(ErrorCode::NotPayable, "The time to pay this order is over.").into();
    }
    if said.code == "amount_too_small" {
        let message = "This amount is too small for this way of paying. Please choose another one.";
        return ApiError::new(ErrorCode::BadRequest, message).into();
    }
    answer.refused(&format!("{} {} {}", said.code, said.param, said.message))
}
