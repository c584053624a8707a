//! What the shop asks of a payment provider, whichever it is.

use super::{breaker::Guarded, razorpay::Razorpay, sandbox_client::SandboxClient, stripe::Stripe};
use crate::{Store, error::Error};
use async_trait::async_trait;
use domain::{Currency, Money, OrderId, PaymentId, RefundId, UnixMillis, account::Email, order::OrderNumber};

/// Looks a header up by its lower-case name.
pub type Headers<'a> = &'a (dyn for<'n> Fn(&'n str) -> Option<String> + Sync);

/// What a session is opened for. Every field comes from the order's row, so a repeat under the same key is the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Also the idempotency key: however often it is sent, the provider makes one session.
    pub payment: PaymentId,
    pub order: OrderId,
    pub number: OrderNumber,
    pub amount: Money,
    pub email: Email,
    /// Where the provider sends the browser afterwards, and where it leads back to without paying.
    pub return_url: String,
    pub cancel_url: String,
    /// When the order stops taking money. Most providers keep a session open for longer: the shop closes it itself.
    pub deadline: UnixMillis,
}

/// A session at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub provider_ref: String,
    pub redirect_url: String,
    pub state: SessionState,
    /// What it takes, or took; `None`: no money of this shop.
    pub amount: Option<Money>,
    /// The provider's own id of the money, once there is some.
    pub capture_ref: Option<String>,
}

/// Where a session stands, by the provider's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    Open,
    /// The person did their part; the money is under way and can no longer be stopped.
    Processing,
    Paid,
    Declined,
    Closed,
}

/// What an event says happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    Captured,
    Declined,
    /// One attempt failed, and the session takes another.
    AttemptFailed,
    /// The session ended without money.
    Closed,
    /// `None`: a refund that this shop did not ask for.
    RefundSucceeded(Option<RefundId>),
    /// The provider took a refund up and could not make it.
    RefundFailed(Option<RefundId>),
    /// Nothing this shop acts on.
    Unknown,
}

/// A provider's event, read but not yet believed: only the ledger decides what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// The provider's own id of the event; the same event may come many times. Empty: it came without one.
    pub id: String,
    /// The provider's word for it, for the inbox.
    pub name: String,
    pub kind: EventKind,
    /// What it is about; empty and `None` for kinds that are not acted on.
    pub provider_ref: String,
    /// The provider's own id of the money, by which refunds made at the provider are known.
    pub capture_ref: Option<String>,
    /// The provider's own id of the refund, in events about one.
    pub refund_ref: Option<String>,
    pub payment: Option<PaymentId>,
    pub order: Option<OrderId>,
    /// `None`: an amount or currency that is no money of this shop.
    pub amount: Option<Money>,
}

impl ProviderEvent {
    /// One that nothing follows from.
    pub(super) fn nothing() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            kind: EventKind::Unknown,
            provider_ref: String::new(),
            capture_ref: None,
            refund_ref: None,
            payment: None,
            order: None,
            amount: None,
        }
    }
}

/// Where a refund stands, by the provider's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    Pending,
    Succeeded,
    Failed,
}

/// A part of a provider's statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Money that came and money that went back, as an event would tell it; the ids are the provider's of the moves.
    pub moves: Vec<ProviderEvent>,
    /// Where the next page begins; `None`: this is the last one.
    pub next: Option<String>,
}

/// A payment provider.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its name in URLs and in the ledger.
    fn name(&self) -> &'static str;

    /// Whether it takes money of this currency.
    fn takes(&self, currency: Currency) -> bool;

    /// Opens a session; the same payment gets the same session again.
    async fn create(&self, session: &NewSession) -> Result<Session, Error>;

    /// Asks about a session; `None`: the provider does not know it.
    async fn retrieve(&self, provider_ref: &str) -> Result<Option<Session>, Error>;

    /// Closes a session so that nobody can pay it any more; answers where it stands afterwards.
    async fn close(&self, provider_ref: &str) -> Result<SessionState, Error>;

    /// Asks for money to go back; returns the provider's id of the refund. The same refund is made once.
    async fn refund(&self, refund: RefundId, provider_ref: &str, amount: Money) -> Result<String, Error>;

    /// Where a refund stands; `None`: the provider does not know it.
    async fn refund_state(&self, refund_ref: &str) -> Result<Option<RefundState>, Error>;

    /// The statement of a time, from `from` until before `until`: pages of at most some hundred moves, the first one
    /// `after` nothing.
    async fn list(&self, from: UnixMillis, until: UnixMillis, after: &str) -> Result<Page, Error>;

    /// The session that brought this money, as the event of it, for statements that do not say. `None`: none did.
    async fn source(&self, capture_ref: &str) -> Result<Option<ProviderEvent>, Error>;

    /// Whether this webhook really is the provider's.
    fn authenticate(&self, headers: Headers<'_>, body: &[u8], now: UnixMillis) -> Result<(), &'static str>;

    /// Reads a webhook.
    fn read(&self, headers: Headers<'_>, body: &[u8]) -> Result<ProviderEvent, &'static str>;
}

/// All there are, in the order of the pay buttons.
pub(crate) const NAMES: [&str; 3] = [Stripe::NAME, Razorpay::NAME, SandboxClient::NAME];

/// The configured provider of that name.
pub(crate) fn find(store: &Store, name: &str) -> Option<Box<dyn Provider>> {
    let (http, config) = (store.http().clone(), store.config());
    let provider: Box<dyn Provider> = match name {
        Stripe::NAME => Box::new(Stripe::new(http, config.stripe.clone()?)),
        Razorpay::NAME => Box::new(Razorpay::new(http, config.razorpay.clone()?)),
        SandboxClient::NAME => Box::new(SandboxClient::new(http, config.sandbox.clone()?)),
        _ => return None,
    };
    Some(Box::new(Guarded { store: store.clone(), provider }))
}
