//! Stand-ins for the three providers: the same desk of sessions and refunds behind each one's own API, made from its
//! documentation, which can be out of order in every way that providers are.

pub mod http;
mod razorpay;
mod sandbox;
mod stripe;

use http::Request;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use store::{
    config::{RazorpayConfig, Secret, StoreConfig, StripeConfig},
    payments::{
        provider::{Provider, RefundState, SessionState},
        razorpay::Razorpay,
        sandbox_client::SandboxClient,
        stripe::Stripe,
    },
    testkit,
    world::{SystemWorld, World},
};

pub const ALL: [Kind; 3] = [Kind::Stripe, Kind::Razorpay, Kind::Sandbox];
/// What the shop's key for each of them is.
pub const KEY: &str = "sk_test_contract";
/// What both sides sign events with, the new one first.
pub const SECRETS: [&str; 2] = ["whsec_the_new_one", "whsec_the_old_one"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Stripe,
    Razorpay,
    Sandbox,
}

/// How a provider can be out of order.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Answers nothing but this.
    Status(u16, &'static str),
    /// So many answers of that kind, then the right one.
    Busy(u32),
    /// Takes the request and hangs up.
    Cut,
    /// Takes the request and says nothing.
    Silent,
    /// 200, and no JSON, or too much of it.
    Garbage(usize),
}

/// A session as a provider knows it.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: String,
    /// What it was asked for, word by word.
    pub asked: String,
    pub key: String,
    pub order: String,
    pub amount: i64,
    pub currency: String,
    pub email: String,
    pub return_url: String,
    pub state: SessionState,
    /// When it was made, in seconds of Unix time.
    pub made_at: i64,
    pub given_back: i64,
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub id: String,
    pub key: String,
    pub session: String,
    pub amount: i64,
    pub notes: HashMap<String, String>,
    pub state: RefundState,
    /// When it was made, in seconds of Unix time.
    pub made_at: i64,
}

#[derive(Default)]
pub struct Desk {
    pub sessions: Vec<Session>,
    pub refunds: Vec<Refund>,
    pub fault: Option<Fault>,
    pub requests: usize,
}

impl Desk {
    fn session(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.id == id)
    }

    /// Makes the refund, once for a key; `None`: there is not so much money.
    fn refund(&mut self, session: &str, key: &str, amount: i64, notes: HashMap<String, String>) -> Option<Refund> {
        if let Some(made) = self.refunds.iter().find(|refund| refund.key == key) {
            return Some(made.clone());
        }
        let paid = self.session(session).filter(|session| session.state == SessionState::Paid)?;
        if paid.given_back + amount > paid.amount {
            return None;
        }
        paid.given_back += amount;
        let id = format!("re_{}", self.refunds.len() + 1);
        let (key, session, state) = (key.into(), session.into(), RefundState::Pending);
        let made = Refund { id, key, session, amount, notes, state, made_at: now() };
        self.refunds.push(made.clone());
        Some(made)
    }

    /// The keys of requests are kept for a day.
    pub fn forget_keys(&mut self) {
        self.refunds.iter_mut().for_each(|made| made.key = String::new());
    }

    fn made_refund(&self, id: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    /// Somebody gives money back on the provider's own pages.
    pub fn give_back(&mut self, session: &str, amount: i64) -> String {
        let key = format!("by hand {}", self.refunds.len());
        let made = self.refund(session, &key, amount, HashMap::new()).expect("so much money");
        self.settle(&made.id, RefundState::Succeeded);
        made.id
    }

    pub fn settle(&mut self, refund: &str, state: RefundState) {
        self.refunds.iter_mut().find(|made| made.id == refund).unwrap().state = state;
    }
}

fn now() -> i64 {
    SystemWorld.now().get() / 1000
}

/// The part of a list, newest first, that lies within a time, after the first `skip`; at most so many.
fn window<T>(all: &[T], made_at: impl Fn(&T) -> i64, (from, until): (i64, i64), skip: usize, most: usize) -> Vec<&T> {
    let within = all.iter().rev().filter(|it| (from..until).contains(&made_at(it)));
    within.skip(skip).take(most).collect()
}

#[derive(Clone)]
pub struct StandIn {
    pub kind: Kind,
    pub address: String,
    desk: Arc<Mutex<Desk>>,
}

impl StandIn {
    pub async fn open(kind: Kind) -> Self {
        let desk = Arc::<Mutex<Desk>>::default();
        let theirs = desk.clone();
        let answer = move |request: Request| {
            let desk = theirs.clone();
            async move { answer(kind, &desk, &request).await }
        };
        Self { kind, address: format!("http://{}", http::serve(answer).await), desk }
    }

    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    pub fn set(&self, id: &str, state: SessionState) {
        self.desk().session(id).unwrap().state = state;
    }

    pub fn state(&self, id: &str) -> SessionState {
        self.desk().session(id).unwrap().state
    }

    /// Somebody pays, as long as it is open; whether it was.
    pub fn pay(&self, id: &str) -> bool {
        let mut desk = self.desk();
        let session = desk.session(id).unwrap();
        let is_open = session.state == SessionState::Open;
        if is_open {
            session.state = SessionState::Paid;
        }
        is_open
    }

    /// The shop's way to it.
    pub fn client(&self) -> Box<dyn Provider> {
        self.client_with(KEY, Duration::from_secs(10))
    }

    pub fn client_with(&self, key: &str, timeout: Duration) -> Box<dyn Provider> {
        let mut config = testkit::config("postgres://nowhere");
        self.configure(&mut config, key);
        let http = reqwest::Client::builder().timeout(timeout).build().unwrap();
        match self.kind {
            Kind::Stripe => Box::new(Stripe::new(http, config.stripe.unwrap())),
            Kind::Razorpay => Box::new(Razorpay::new(http, config.razorpay.unwrap())),
            Kind::Sandbox => Box::new(SandboxClient::new(http, config.sandbox.unwrap())),
        }
    }

    pub fn configure(&self, config: &mut StoreConfig, key: &str) {
        let (api, secret) = (self.address.clone(), Secret::new(key));
        let webhook_secrets = SECRETS.map(Secret::new).to_vec();
        match self.kind {
            Kind::Stripe => config.stripe = Some(StripeConfig { api, secret_key: secret, webhook_secrets }),
            Kind::Razorpay => {
                let key_id = "rzp_test_contract".into();
                config.razorpay = Some(RazorpayConfig { api, key_id, key_secret: secret, webhook_secrets });
            }
            Kind::Sandbox => {
                let sandbox = config.sandbox.as_mut().unwrap();
                sandbox.base_url = api;
                sandbox.api_key = secret;
                sandbox.webhook_secrets = webhook_secrets;
            }
        }
    }
}

async fn answer(kind: Kind, desk: &Mutex<Desk>, request: &Request) -> Option<(u16, String)> {
    let fault = {
        let mut desk = desk.lock().unwrap();
        desk.requests += 1;
        let fault = desk.fault.clone();
        if let Some(Fault::Busy(left)) = &mut desk.fault {
            *left = left.saturating_sub(1);
        }
        fault
    };
    match fault {
        Some(Fault::Status(status, body)) => return Some((status, body.to_owned())),
        Some(Fault::Busy(1..)) => return Some((409, "{}".to_owned())),
        Some(Fault::Cut) => return None,
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::Garbage(length)) => return Some((200, "<".repeat(length))),
        Some(Fault::Busy(0)) | None => {}
    }
    let desk = &mut *desk.lock().unwrap();
    let (status, body): (u16, Value) = match kind {
        Kind::Stripe => stripe::answer(desk, request),
        Kind::Razorpay => razorpay::answer(desk, request),
        Kind::Sandbox => sandbox::answer(desk, request),
    };
    Some((status, body.to_string()))
}

/// What a provider tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tale {
    /// Money of this amount came.
    Captured,
    /// The person did their part; the money has not come yet.
    UnderWay,
    Closed,
    /// Money went back, as the shop asked or (no reference) as somebody at the provider did.
    Refunded,
    Unheard,
}

/// One event, in no provider's words yet.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    pub tale: Tale,
    pub session: String,
    pub payment: String,
    pub order: String,
    pub amount: i64,
    pub currency: &'static str,
    pub refund: String,
}

/// A webhook as it travels.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub headers: HashMap<&'static str, String>,
    pub body: Vec<u8>,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stripe => Stripe::NAME,
            Self::Razorpay => Razorpay::NAME,
            Self::Sandbox => SandboxClient::NAME,
        }
    }

    pub const fn signature_header(self) -> &'static str {
        match self {
            Self::Stripe => "stripe-signature",
            Self::Razorpay => "x-razorpay-signature",
            Self::Sandbox => "sandbox-signature",
        }
    }

    /// The event in this provider's words, signed at that second.
    pub fn webhook(self, event: &Event, secret: &str, at: i64) -> Webhook {
        let body = match self {
            Self::Stripe => stripe::event(event),
            Self::Razorpay => razorpay::event(event),
            Self::Sandbox => sandbox::event(event),
        };
        self.signed(body.to_string().into_bytes(), &event.id, secret, at)
    }

    pub fn signed(self, body: Vec<u8>, id: &str, secret: &str, at: i64) -> Webhook {
        use store::payments::signature::{sign, sign_body};
        let secret = Secret::new(secret);
        let signature = match self {
            Self::Stripe | Self::Sandbox => sign(&secret, at, &body),
            Self::Razorpay => sign_body(&secret, &body),
        };
        let mut headers = HashMap::from([(self.signature_header(), signature)]);
        if self == Self::Razorpay {
            headers.insert("x-razorpay-event-id", id.to_owned());
        }
        Webhook { headers, body }
    }
}
