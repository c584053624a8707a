//! Razorpay: one Payment Link per payment, to which the browser is redirected. The payment's id is the link's reference,
//! which Razorpay takes once.

mod event;
mod wire;

use super::{
    answer::{Answer, ask, insist, is_id},
    provider::{Headers, NewSession, Page, Provider, ProviderEvent, RefundState, Session, SessionState},
    signature,
};
use crate::{config::RazorpayConfig, error::Error};
use async_trait::async_trait;
use domain::{ApiError, Currency, ErrorCode, Money, RefundId, UnixMillis};
use reqwest::RequestBuilder;
use serde_json::json;
use wire::{Complaint, Link, Links, List, Payment, Refund, note};

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "x-razorpay-signature";
/// The header that carries the event's id. It is not signed: an event sent again under another id is another row of the
/// inbox without an effect.
pub const EVENT_ID_HEADER: &str = "x-razorpay-event-id";
/// Razorpay wants a link open for at least 15 minutes, counted from when it is made, at the latest at the deadline; and
/// some for clocks that differ. The shop closes it itself.
const OPEN_PAST_DEADLINE_MS: i64 = 20 * 60_000;

pub struct Razorpay {
    http: reqwest::Client,
    config: RazorpayConfig,
}

impl Razorpay {
    pub const NAME: &'static str = "razorpay";

    pub fn new(http: reqwest::Client, config: RazorpayConfig) -> Self {
        Self { http, config }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.with_key(self.http.get(format!("{}/v1{path}", self.config.api)))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.with_key(self.http.post(format!("{}/v1{path}", self.config.api)))
    }

    fn with_key(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.config.key_id, Some(self.config.key_secret.reveal()))
    }

    async fn link(&self, operation: &'static str, id: &str) -> Result<Option<Link>, Error> {
        if !is_id(id) {
            return Ok(None);
        }
        let answer = ask(operation, self.get(&format!("/payment_links/{id}"))).await?;
        // An id of nothing is a bad request to Razorpay.
        if answer.is_bad_request() && answer.complaint::<Complaint>().is_unknown_id() {
            return Ok(None);
        }
        answer.json()
    }

    async fn known(&self, operation: &'static str, id: &str) -> Result<Link, Error> {
        let link = self.link(operation, id).await?;
        link.ok_or_else(|| Error::unexpected(operation, "Razorpay does not know this link"))
    }

    /// The refund of this payment that bears our name: whoever asks again much later meets a key that is forgotten.
    async fn refund_made(
        &self,
        operation: &'static str,
        payment: &str,
        refund: RefundId,
    ) -> Result<Option<String>, Error> {
        let request = self.get(&format!("/payments/{payment}/refunds")).query(&[("count", "100")]);
        let made: List<Refund> = ask(operation, request).await?.known()?;
        let refund = refund.to_string();
        Ok(made.items.into_iter().find(|made| note(&made.notes, "refund_id") == Some(&refund)).map(|made| made.id))
    }

    /// The link that the list of links finds by this name; it knows two, `reference_id` and `payment_id`.
    async fn find(&self, operation: &'static str, name: &str, value: &str) -> Result<Option<Link>, Error> {
        let request = self.get("/payment_links").query(&[(name, value)]);
        let found: Option<Links> = ask(operation, request).await?.json()?;
        Ok(found.and_then(|found| found.payment_links.into_iter().next()))
    }
}

#[async_trait]
impl Provider for Razorpay {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    /// Other currencies are for accounts that Razorpay has activated for them.
    fn takes(&self, currency: Currency) -> bool {
        currency == Currency::Inr
    }

    async fn create(&self, session: &NewSession) -> Result<Session, Error> {
        const OPERATION: &str = "razorpay.create";
        let answer = insist(OPERATION, self.post("/payment_links").json(&terms(session))).await?;
        if !answer.is_bad_request() {
            return answer.known::<Link>()?.read(OPERATION);
        }
        // Perhaps because it exists already.
        let reference = session.payment.to_string();
        match self.find(OPERATION, "reference_id", &reference).await? {
            Some(link) if link.reference_id.as_deref() == Some(&reference) => link.read(OPERATION),
            _ => Err(refusal(&answer)),
        }
    }

    async fn retrieve(&self, provider_ref: &str) -> Result<Option<Session>, Error> {
        const OPERATION: &str = "razorpay.retrieve";
        let link = self.link(OPERATION, provider_ref).await?;
        link.map(|link| link.read(OPERATION)).transpose()
    }

    async fn close(&self, provider_ref: &str) -> Result<SessionState, Error> {
        const OPERATION: &str = "razorpay.close";
        if is_id(provider_ref) {
            let answer = ask(OPERATION, self.post(&format!("/payment_links/{provider_ref}/cancel"))).await?;
            // Only an open link is cancelled; of any other one Razorpay says no, and then it is asked where it stands.
            if !answer.is_bad_request() {
                return Ok(answer.known::<Link>()?.read(OPERATION)?.state);
            }
        }
        Ok(self.known(OPERATION, provider_ref).await?.read(OPERATION)?.state)
    }

    async fn refund(&self, refund: RefundId, provider_ref: &str, amount: Money) -> Result<String, Error> {
        const OPERATION: &str = "razorpay.refund";
        let link = self.known(OPERATION, provider_ref).await?;
        let payment = link.captured().filter(|id| is_id(id));
        let payment = payment.ok_or_else(|| Error::unexpected(OPERATION, "a link without money"))?;
        if let Some(made) = self.refund_made(OPERATION, payment, refund).await? {
            return Ok(made);
        }
        let body = json!({
            "amount": amount.minor(),
            "speed": "normal",
            // By these its events are known again.
            "notes": {
                "refund_id": refund,
                "link_id": provider_ref,
                "payment_id": link.note("payment_id").unwrap_or_default(),
                "order_id": link.note("order_id").unwrap_or_default(),
            },
        });
        let request = self.post(&format!("/payments/{payment}/refund"));
        let request = request.header("x-refund-idempotency", refund.to_string()).json(&body);
        let answer = insist(OPERATION, request).await?;
        if answer.is_bad_request() {
            return Err(refusal(&answer));
        }
        Ok(answer.known::<Refund>()?.id)
    }

    async fn refund_state(&self, refund_ref: &str) -> Result<Option<RefundState>, Error> {
        const OPERATION: &str = "razorpay.refund_state";
        if !is_id(refund_ref) {
            return Ok(None);
        }
        let answer = ask(OPERATION, self.get(&format!("/refunds/{refund_ref}"))).await?;
        if answer.is_bad_request() && answer.complaint::<Complaint>().is_unknown_id() {
            return Ok(None);
        }
        let found: Option<Refund> = answer.json()?;
        let state = |found: Refund| match found.status.as_str() {
            "processed" => RefundState::Succeeded,
            "failed" => RefundState::Failed,
            _ => RefundState::Pending,
        };
        Ok(found.map(state))
    }

    /// First the payments, then the refunds, by when they were made; `after` is the list and how many of it are read.
    /// Its list of links cannot be asked for a time, and a payment does not say which link it is of: see [`Self::source`].
    async fn list(&self, from: UnixMillis, until: UnixMillis, after: &str) -> Result<Page, Error> {
        const OPERATION: &str = "razorpay.list";
        let (list, read) = after.split_once(':').unwrap_or(("payments", "0"));
        let read: usize = read.parse().map_err(|_| Error::unexpected(OPERATION, "no such page"))?;
        let query = [
            ("from", (from.get() / 1000).to_string()),
            // The last second is of this statement.
            ("to", ((until.get() - 1) / 1000).to_string()),
            ("count", "100".to_owned()),
            ("skip", read.to_string()),
        ];
        let request = self.get(&format!("/{list}")).query(&query);
        let moves: Vec<ProviderEvent> = match list {
            "refunds" => {
                let page: List<Refund> = ask(OPERATION, request).await?.known()?;
                page.items.into_iter().map(event::of_listed_refund).collect()
            }
            _ => {
                let page: List<Payment> = ask(OPERATION, request).await?.known()?;
                page.items.into_iter().map(event::of_listed).collect()
            }
        };
        // It may give fewer than it was asked for: only a page of nothing is behind the last one.
        let next = match moves.len() {
            0 if list == "refunds" => None,
            0 => Some("refunds:0".to_owned()),
            some => Some(format!("{list}:{}", read + some)),
        };
        Ok(Page { moves, next })
    }

    async fn source(&self, capture_ref: &str) -> Result<Option<ProviderEvent>, Error> {
        const OPERATION: &str = "razorpay.source";
        if !is_id(capture_ref) {
            return Ok(None);
        }
        let link = self.find(OPERATION, "payment_id", capture_ref).await?;
        Ok(link.map(|link| event::of_paid_link(link, capture_ref)))
    }

    fn authenticate(&self, headers: Headers<'_>, body: &[u8], _: UnixMillis) -> Result<(), &'static str> {
        signature::verify_body(&self.config.webhook_secrets, headers(SIGNATURE_HEADER).as_deref(), body)
    }

    fn read(&self, headers: Headers<'_>, body: &[u8]) -> Result<ProviderEvent, &'static str> {
        event::read(headers(EVENT_ID_HEADER).unwrap_or_default(), body)
    }
}

fn terms(session: &NewSession) -> serde_json::Value {
    json!({
        "amount": session.amount.minor(),
        "currency": session.amount.currency().code(),
        "accept_partial": false,
        "reference_id": session.payment,
        "description": format!("Order {}", session.number),
        "customer": { "email": session.email },
        // Mails about the order come from the shop.
        "notify": { "sms": false, "email": false },
        "reminder_enable": false,
        "notes": { "order_id": session.order, "order_number": session.number.to_string(), "payment_id": session.payment },
        "callback_url": session.return_url,
        "callback_method": "get",
        "expire_by": session.deadline.plus(OPEN_PAST_DEADLINE_MS).get() / 1000,
    })
}

fn refusal(answer: &Answer) -> Error {
    let said = answer.complaint::<Complaint>().error;
    if said.field == "expire_by" || said.description.contains("expire_by") {
        return ApiError::new(ErrorCode::NotPayable, "The time to pay this order is over.").into();
    }
    answer.refused(&format!("{} {} {}", said.code, said.field, said.description))
}
