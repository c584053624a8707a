//! A wire to a server that a test can cut and mend: the server goes away for this test alone.

use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
};

pub struct Wire {
    /// Where to connect instead of to the server.
    pub address: String,
    is_whole: Arc<watch::Sender<bool>>,
}

impl Wire {
    /// A wire to the server at `host:port`.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of one's own");
        let address = listener.local_addr().expect("an address").to_string();
        let is_whole = Arc::new(watch::Sender::new(true));
        let (server, state) = (server.to_owned(), is_whole.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), state.subscribe()));
            }
        });
        Self { address, is_whole }
    }

    /// Breaks every connection; new ones are dropped at once.
    pub fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    pub fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

async fn carry(mut client: TcpStream, server: String, mut is_whole: watch::Receiver<bool>) {
    if !*is_whole.borrow() {
        return;
    }
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = is_whole.wait_for(|is_whole| !is_whole) => {}
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
