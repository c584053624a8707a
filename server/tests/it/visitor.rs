//! A client with cookies of its own: a program that speaks JSON, or a browser without JavaScript.

use reqwest::{
    Client, RequestBuilder,
    header::{self, HeaderMap},
    redirect::Policy,
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Mutex, time::Duration};

pub struct Visitor {
    pub url: String,
    client: Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON ({}): {}", self.status, self.body))
    }

    /// The answer to something that must work.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }

    /// The refusal's status and code.
    pub fn refusal(&self) -> (u16, String) {
        let json = self.json();
        assert!(json["message"].as_str().is_some_and(|text| text.len() > 10), "a refusal says something: {json}");
        (self.status, json["code"].as_str().unwrap_or_default().to_owned())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }
}

impl Visitor {
    pub fn new(url: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(20)).build();
        Self { url: url.to_owned(), client: client.expect("a client"), cookies: Mutex::default() }
    }

    /// Somebody else on the same network: other cookies, connections shared.
    pub fn neighbour(&self) -> Self {
        Self { url: self.url.clone(), client: self.client.clone(), cookies: Mutex::default() }
    }

    /// The same person in a tab, or at a machine, of its own: same cookies, other connections.
    pub fn tab(&self) -> Self {
        let tab = Self::new(&self.url);
        *tab.cookies.lock().expect("cookies") = self.cookies.lock().expect("cookies").clone();
        tab
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.try_get(path).await.expect("an answer")
    }

    /// `None`: nobody answers.
    pub async fn try_get(&self, path: &str) -> Option<Reply> {
        self.send(self.client.get(self.address(path))).await
    }

    /// A page, as a browser asks for it.
    pub async fn page(&self, path: &str) -> Reply {
        let request = self.client.get(self.address(path)).header(header::ACCEPT, "text/html,application/xhtml+xml");
        self.send(request).await.expect("an answer")
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.post_with(path, form, &[]).await
    }

    pub async fn post_with(&self, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Reply {
        self.try_post(path, form, headers).await.expect("an answer")
    }

    /// `None`: nobody answers, or not to the end.
    pub async fn try_post(&self, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Option<Reply> {
        let mut request = self.client.post(self.address(path)).header(header::ACCEPT, "application/json");
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(encode(form));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// A form on that page, sent by a browser without JavaScript.
    pub async fn submit(&self, page: &str, path: &str, form: &[(&str, &str)]) -> Reply {
        let (referer, origin) = (self.address(page), self.url.clone());
        let headers = [
            ("accept", "text/html,application/xhtml+xml"),
            ("referer", &referer),
            ("origin", &origin),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "navigate"),
        ];
        let mut request = self.client.post(self.address(path)).body(encode(form));
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        self.send(request).await.expect("an answer")
    }

    pub async fn send_raw(&self, build: impl FnOnce(&Client, &str) -> RequestBuilder) -> Reply {
        self.send(build(&self.client, &self.url)).await.expect("an answer")
    }

    pub fn cookie_header(&self) -> String {
        let cookies = self.cookies.lock().expect("cookies");
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn has_cookie(&self, name: &str) -> bool {
        self.cookies.lock().expect("cookies").contains_key(name)
    }

    async fn send(&self, request: RequestBuilder) -> Option<Reply> {
        let cookies = self.cookie_header();
        let request = if cookies.is_empty() { request } else { request.header(header::COOKIE, cookies) };
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        self.keep(&headers);
        Some(Reply { status, headers, body: response.text().await.ok()? })
    }

    fn keep(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().expect("cookies");
        for cookie in headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().expect("a readable cookie");
            let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
            let (name, value) = pair.split_once('=').expect("a name and a value");
            if attributes.contains("Max-Age=0") || value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn address(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) }
    }
}

/// `application/x-www-form-urlencoded`.
pub fn encode(form: &[(&str, &str)]) -> String {
    let escaped = |text: &str| {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect::<String>()
    };
    form.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect::<Vec<_>>().join("&")
}
