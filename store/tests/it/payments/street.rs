//! The street between shop and provider: a small HTTP server in front of the real sandbox provider and the shop's real
//! receiver of webhooks, whose both ends can be out of order.

use super::standins::http::{self, Request};
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use store::{
    Store,
    error::Error,
    payments::{self, WebhookError},
    sandbox, testkit,
};

#[derive(Clone)]
pub struct Street {
    pub store: Store,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    provider_down: AtomicBool,
    shop_down: AtomicBool,
    sessions_asked: AtomicUsize,
}

impl Street {
    /// A shop whose late money is late at once.
    pub async fn open() -> Self {
        let opened = Arc::<OnceLock<Self>>::default();
        let street = opened.clone();
        let answer = move |request: Request| {
            let street = street.get().cloned();
            async move { Some(street?.answer(&request).await) }
        };
        let address = http::serve(answer).await;
        let store = testkit::store_with(|config| {
            config.base_url = "http://shop.test".into();
            let sandbox = config.sandbox.as_mut().unwrap();
            sandbox.base_url = format!("http://{address}/sandbox");
            sandbox.webhook_url = format!("http://{address}/webhooks/sandbox");
            sandbox.late_after = std::time::Duration::from_millis(1);
        })
        .await;
        let street = Self { store, state: Arc::default() };
        assert!(opened.set(street.clone()).is_ok());
        street
    }

    pub fn break_provider(&self, down: bool) {
        self.state.provider_down.store(down, Ordering::SeqCst);
    }

    pub fn break_shop(&self, down: bool) {
        self.state.shop_down.store(down, Ordering::SeqCst);
    }

    /// How often the shop asked for a session.
    pub fn sessions_asked(&self) -> usize {
        self.state.sessions_asked.load(Ordering::SeqCst)
    }

    async fn answer(&self, request: &Request) -> (u16, String) {
        let store = &self.store;
        let header = |name: &str| request.header(name);
        if let Some(provider) = request.path.strip_prefix("/webhooks/") {
            if self.state.shop_down.load(Ordering::SeqCst) {
                return (500, String::new());
            }
            return match payments::receive(store, provider, &header, &request.body).await {
                Ok(_) => (200, String::new()),
                Err(WebhookError::Failed(error)) => panic!("{error:?}"),
                Err(_) => (400, String::new()),
            };
        }
        if self.state.provider_down.load(Ordering::SeqCst) {
            return (503, String::new());
        }
        let key = header("authorization").unwrap_or_default();
        if !sandbox::is_authorised(store, key.strip_prefix("Bearer ").unwrap_or_default()) {
            return (401, String::new());
        }
        let key = header("idempotency-key").unwrap_or_default();
        let parts: Vec<&str> = request.path.trim_start_matches("/sandbox/v1/").split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["payments"]) => {
                self.state.sessions_asked.fetch_add(1, Ordering::SeqCst);
                json(sandbox::create(store, &key, serde_json::from_slice(&request.body).unwrap()).await.map(Some))
            }
            ("GET", ["payments", id]) => json(sandbox::get(store, id).await),
            ("GET", ["refunds", id]) => {
                let state = sandbox::refund_state(store, id).await;
                json(state.map(|state| state.map(|status| sandbox::RefundStatus { status })))
            }
            ("GET", ["statement"]) => {
                let query = request.query();
                let moment = |name: &str| domain::UnixMillis::new(query[name].parse().unwrap());
                let (from, until) = (moment("from"), moment("until"));
                json(sandbox::statement(store, from, until, &query["after"]).await.map(Some))
            }
            ("POST", ["payments", id, "close"]) => json(sandbox::close(store, id).await),
            ("POST", ["payments", id, "refunds"]) => {
                let asked: sandbox::CreateRefund = serde_json::from_slice(&request.body).unwrap();
                let made = sandbox::refund(store, &key, id, asked.amount).await;
                json(made.map(|id| id.map(|id| sandbox::RefundCreated { id })))
            }
            _ => (404, String::new()),
        }
    }
}

fn json<T: serde::Serialize>(result: Result<Option<T>, Error>) -> (u16, String) {
    match result {
        Ok(Some(body)) => (200, serde_json::to_string(&body).unwrap()),
        Ok(None) => (404, String::new()),
        Err(error) => (error.to_api().code.status(), String::new()),
    }
}
