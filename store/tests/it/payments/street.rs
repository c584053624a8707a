//! The street between shop and provider: a small HTTP server in front of the real sandbox provider and the shop's real
//! receiver of webhooks, whose both ends can be out of order.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use store::{
    Store,
    error::Error,
    payments::{self, WebhookError},
    sandbox, testkit,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let store = testkit::store_with(|config| {
            config.base_url = "http://shop.test".into();
            let sandbox = config.sandbox.as_mut().unwrap();
            sandbox.base_url = format!("http://{address}/sandbox");
            sandbox.webhook_url = format!("http://{address}/webhooks/sandbox");
            sandbox.late_after = std::time::Duration::from_millis(1);
        })
        .await;
        let street = Self { store, state: Arc::default() };
        let server = street.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let street = server.clone();
                tokio::spawn(async move { street.serve(socket).await });
            }
        });
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

    async fn serve(self, socket: TcpStream) -> Option<()> {
        let mut socket = BufReader::new(socket);
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                if socket.read_until(b'\n', &mut head).await.ok()? == 0 {
                    return None;
                }
            }
            let head = String::from_utf8(head).ok()?;
            let header = |name: &str| {
                let line = head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:")))?;
                Some(line.split_once(':')?.1.trim().to_owned())
            };
            let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
            socket.read_exact(&mut body).await.ok()?;
            let mut words = head.split(' ');
            let (method, path) = (words.next()?, words.next()?);
            let (status, answer) = self.answer(method, path, &header, &body).await;
            let answer = format!(
                "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}",
                answer.len()
            );
            socket.write_all(answer.as_bytes()).await.ok()?;
        }
    }

    async fn answer(
        &self,
        method: &str,
        path: &str,
        header: &(dyn for<'a> Fn(&'a str) -> Option<String> + Sync),
        body: &[u8],
    ) -> (u16, String) {
        let store = &self.store;
        if let Some(provider) = path.strip_prefix("/webhooks/") {
            if self.state.shop_down.load(Ordering::SeqCst) {
                return (500, String::new());
            }
            return match payments::receive(store, provider, header, body).await {
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
        let parts: Vec<&str> = path.trim_start_matches("/sandbox/v1/").split('/').collect();
        match (method, parts.as_slice()) {
            ("POST", ["payments"]) => {
                self.state.sessions_asked.fetch_add(1, Ordering::SeqCst);
                json(sandbox::create(store, &key, serde_json::from_slice(body).unwrap()).await.map(Some))
            }
            ("GET", ["payments", id]) => json(sandbox::get(store, id).await),
            ("POST", ["payments", id, "close"]) => json(sandbox::close(store, id).await),
            ("POST", ["payments", id, "refunds"]) => {
                let asked: sandbox::CreateRefund = serde_json::from_slice(body).unwrap();
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
