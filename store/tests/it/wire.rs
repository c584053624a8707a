//! A wire to a server that a test can cut, freeze and mend: the server goes away for this test alone.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    Cut,
    Frozen,
}

pub struct Wire {
    /// Where to connect instead of to the server.
    pub address: String,
    server: Arc<Mutex<String>>,
    state: Arc<watch::Sender<State>>,
    requests: Arc<AtomicUsize>,
}

impl Wire {
    /// A wire to the server at `host:port`.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of one's own");
        let address = listener.local_addr().expect("an address").to_string();
        let (state, requests) = (Arc::new(watch::Sender::new(State::Whole)), Arc::new(AtomicUsize::new(0)));
        let server = Arc::new(Mutex::new(server.to_owned()));
        let (leads_to, seen, counted) = (server.clone(), state.clone(), requests.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = leads_to.lock().expect("the server").clone();
                tokio::spawn(carry(client, server, seen.subscribe(), counted.clone()));
            }
        });
        Self { address, server, state, requests }
    }

    /// New connections end at another server.
    pub fn lead_to(&self, server: &str) {
        server.clone_into(&mut self.server.lock().expect("the server"));
    }

    /// Breaks every connection; new ones are dropped at once.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Everything hangs, and arrives after the mending; new connections are accepted and hang, too.
    pub fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }

    pub fn mend(&self) {
        self.state.send_replace(State::Whole);
    }

    /// Packets that clients sent since the last call: about two for each statement on a pooled connection.
    pub fn requests(&self) -> usize {
        self.requests.swap(0, Ordering::Relaxed)
    }
}

async fn carry(mut client: TcpStream, server: String, mut state: watch::Receiver<State>, requests: Arc<AtomicUsize>) {
    if state.wait_for(|state| *state != State::Frozen).await.is_ok_and(|state| *state == State::Cut) {
        return;
    }
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (asking, answering) = (state.clone(), state.clone());
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    tokio::select! {
        () = pump(from_client, to_server, asking, || _ = requests.fetch_add(1, Ordering::Relaxed)) => {}
        () = pump(from_server, to_client, answering, || {}) => {}
        _ = state.wait_for(|state| *state == State::Cut) => {}
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
    passed: impl Fn(),
) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let _ = state.wait_for(|state| *state != State::Frozen).await;
        passed();
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// A wire that keeps what the client says, piece by piece: each piece is a round trip. Heartbeats are left out.
pub async fn tapped(server: &str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of one's own");
    let address = listener.local_addr().expect("an address").to_string();
    let (server, said) = (server.to_owned(), Arc::new(Mutex::new(Vec::new())));
    let log = said.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(&server).await else { continue };
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            let log = log.clone();
            tokio::spawn(async move {
                let mut piece = vec![0; 64 * 1024];
                while let Ok(length @ 1..) = from_client.read(&mut piece).await {
                    let text = String::from_utf8_lossy(&piece[..length]).into_owned();
                    if !text.contains("PING") || text.contains("EVALSHA") {
                        log.lock().expect("the log").push(text);
                    }
                    if to_server.write_all(&piece[..length]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (address, said)
}

/// The URL with another `host:port`.
pub fn reroute(url: &str, address: &str) -> String {
    let host = host_of(url);
    url.replacen(&host, address, 1)
}

pub fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned()
}
