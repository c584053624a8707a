//! A small HTTP server of one's own: whatever it is asked, one function answers.

use serde_json::Value;
use std::{collections::HashMap, future::Future};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

pub struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    query: String,
    head: String,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<String> {
        let line = self.head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:")))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body as a form.
    pub fn form(&self) -> HashMap<String, String> {
        pairs(std::str::from_utf8(&self.body).unwrap())
    }

    pub fn query(&self) -> HashMap<String, String> {
        pairs(&self.query)
    }
}

fn pairs(encoded: &str) -> HashMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://stand.in/?{encoded}")).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// Serves as long as the test lives; returns `host:port`. `None` hangs up.
pub async fn serve<A, F>(answer: A) -> String
where
    A: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Option<(u16, String)>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(talk(socket, answer.clone()));
        }
    });
    address
}

async fn talk<A, F>(socket: TcpStream, answer: A) -> Option<()>
where
    A: Fn(Request) -> F,
    F: Future<Output = Option<(u16, String)>>,
{
    let mut socket = BufReader::new(socket);
    loop {
        let (status, body) = answer(read(&mut socket).await?).await?;
        let answer = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(answer.as_bytes()).await.ok()?;
    }
}

async fn read(socket: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if socket.read_until(b'\n', &mut head).await.ok()? == 0 {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut words = head.split(' ');
    let (method, address) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = address.split_once('?').unwrap_or((&address, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let mut request = Request { method, path, query, head, body: Vec::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body = vec![0; length];
    socket.read_exact(&mut request.body).await.ok()?;
    Some(request)
}
