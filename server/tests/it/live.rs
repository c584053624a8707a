//! `/live`: who may connect, and that what one tab does the other one sees.

use crate::{orders, shop::Shop, visitor::Visitor};
use futures::{SinkExt, StreamExt, stream};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, handshake::client::Request},
};

/// Of what this machine takes in for a tab that does not read.
const NARROW: u32 = 4096;

pub struct Tab(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Tab {
    pub async fn open(visitor: &Visitor) -> Self {
        Self(connect(visitor, Some(&visitor.url)).await.expect("a socket"))
    }

    /// A tab that backs up as soon as nobody reads it.
    pub async fn narrow(visitor: &Visitor) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(NARROW).expect("a small buffer");
        let address = visitor.url.trim_start_matches("http://").parse().expect("an address");
        let stream = MaybeTlsStream::Plain(socket.connect(address).await.expect("a connection"));
        Self(client_async(request(visitor, Some(&visitor.url)), stream).await.expect("a socket").0)
    }

    pub async fn ask(&mut self, ask: Value) {
        self.0.send(Message::text(ask.to_string())).await.expect("send");
    }

    /// The next frame that fits.
    pub async fn frame(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        self.try_frame(fits).await.expect("the socket is open")
    }

    /// `None`: the socket ended before.
    pub async fn try_frame(&mut self, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let wait = async {
            while let Some(Ok(message)) = self.0.next().await {
                let Message::Text(text) = message else { continue };
                let frame: Value = serde_json::from_str(&text).expect("JSON");
                if fits(&frame) {
                    return Some(frame);
                }
            }
            None
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.expect("a frame within ten seconds")
    }

    /// The code with which the shop closes the socket.
    pub async fn close_code(&mut self) -> Option<u16> {
        let wait = async {
            while let Some(Ok(message)) = self.0.next().await {
                if let Message::Close(close) = message {
                    return close.map(|close| close.code.into());
                }
            }
            None
        };
        tokio::time::timeout(Duration::from_secs(30), wait).await.expect("a close within half a minute")
    }
}

async fn connect(
    visitor: &Visitor,
    origin: Option<&str>,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, tungstenite::Error> {
    connect_async(request(visitor, origin)).await.map(|(socket, _)| socket)
}

fn request(visitor: &Visitor, origin: Option<&str>) -> Request {
    let address = format!("{}/live", visitor.url.replacen("http", "ws", 1));
    let mut request = address.into_client_request().expect("a request");
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().expect("an origin"));
    }
    let cookies = visitor.cookie_header();
    if !cookies.is_empty() {
        request.headers_mut().insert("cookie", cookies.parse().expect("cookies"));
    }
    request
}

fn is_cart_of(copies: i64) -> impl Fn(&Value) -> bool {
    move |frame| frame["type"] == "cart" && frame["cart"]["copies"] == copies
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_cannot_listen() {
    let shop = Shop::start().await;
    let visitor = shop.visitor();
    for origin in [None, Some("https://evil.example"), Some("null")] {
        match connect(&visitor, origin).await {
            Err(tungstenite::Error::Http(response)) => assert_eq!(response.status(), 403, "{origin:?}"),
            other => panic!("{origin:?}: {other:?}"),
        }
    }
    assert!(connect(&visitor, Some(&shop.url)).await.is_ok(), "a stranger may follow the stock");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_reaches_the_other_tab_and_nobody_else() {
    let shop = Shop::start().await;
    let book = shop.book("The First Book").await;
    let form = |copies| [("book_id", book.as_str()), ("quantity", copies)];
    let (visitor, stranger) = (shop.shopper("asha@example.org").await, shop.shopper("ravi@example.org").await);
    let (mut one, mut two) = (Tab::open(&visitor).await, Tab::open(&visitor).await);
    let mut other = Tab::open(&stranger).await;
    for tab in [&mut one, &mut two, &mut other] {
        tab.ask(json!({ "type": "snapshot" })).await;
        tab.frame(is_cart_of(0)).await;
    }
    visitor.post("/api/cart/add", &form("2")).await.ok();
    let seen = one.frame(is_cart_of(2)).await;
    assert_eq!(two.frame(is_cart_of(2)).await["cart"]["version"], seen["cart"]["version"]);
    stranger.post("/api/cart/add", &form("3")).await.ok();
    let own = other.frame(|frame| frame["type"] == "cart" && frame["cart"]["copies"] != 0).await;
    assert_eq!(own["cart"]["copies"], 3, "the first thing they hear is their own cart: {own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_and_orders_are_followed() {
    let shop = Shop::start().await;
    let book = shop.book("Only Ten Copies").await;
    let visitor = shop.visitor();
    let mut watcher = Tab::open(&shop.visitor()).await;
    watcher.ask(json!({ "type": "watch", "books": [book.parse::<i64>().expect("a number")] })).await;
    visitor.post("/api/cart/add", &[("book_id", &book), ("quantity", "4")]).await.ok();
    let placed = orders::place(&visitor, "live").await.ok();
    watcher.frame(|frame| frame["type"] == "stock" && frame["available"] == 6).await;

    let mut page = Tab::open(&visitor).await;
    page.ask(json!({ "type": "order", "order_id": placed["order_id"] })).await;
    page.frame(|frame| frame["order"]["status"] == "PAYMENT_PENDING").await;
    visitor.post("/api/orders/cancel", &[("order_id", placed["order_id"].as_str().expect("id"))]).await.ok();
    page.frame(|frame| frame["order"]["status"] == "CANCELLED").await;
    watcher.frame(|frame| frame["type"] == "stock" && frame["available"] == 10).await;

    // Somebody else's order stays silent: the next thing this tab hears is its own cart.
    watcher.ask(json!({ "type": "order", "order_id": placed["order_id"] })).await;
    watcher.ask(json!({ "type": "snapshot" })).await;
    let next = watcher.frame(|frame| frame["type"] != "stock").await;
    assert_eq!(next["type"], "cart", "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_closes_the_socket() {
    let shop = Shop::start().await;
    let visitor = shop.visitor();
    let nonsense = [Message::text("hello"), Message::binary(vec![1, 2, 3])];
    for message in nonsense {
        let mut tab = Tab::open(&visitor).await;
        tab.0.send(message).await.expect("send");
        assert_eq!(tab.close_code().await, Some(1003));
    }
    let mut tab = Tab::open(&visitor).await;
    tab.0.send(Message::text("x".repeat(5000))).await.expect("send");
    assert_ne!(tab.close_code().await, Some(1003), "too long to be read at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_closes_the_sockets_of_that_session() {
    let shop = Shop::start().await;
    let visitor = shop.shopper("asha@example.org").await;
    let mut tab = Tab::open(&visitor).await;
    visitor.post("/api/account/logout", &[]).await;
    // At the next ping: at most 25 seconds later.
    let wait = async {
        while let Some(Ok(message)) = tab.0.next().await {
            if let Message::Close(close) = message {
                return close.map(|close| u16::from(close.code));
            }
        }
        None
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(40), wait).await.expect("a close"), Some(1008));
}

/// Design §9; `bench/sockets.sh` measures two thousand on a release build.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_socket_costs_little() {
    const SOCKETS: u64 = 300;
    let shop = Shop::start().await;
    let visitor = &shop.visitor();
    let open = move |_| async move {
        loop {
            let mut tab = Tab::open(visitor).await;
            tab.ask(json!({ "type": "watch", "books": [1, 2, 3] })).await;
            // So many at once may find no connection to Postgres free in time; browsers ask again, too.
            let first = tab.frame(|frame| is_cart_of(0)(frame) || frame["type"] == "resync").await;
            if first["type"] == "cart" {
                return tab;
            }
        }
    };
    // What the process needs once is no socket's.
    let _first = stream::iter(0..30).then(open).collect::<Vec<_>>().await;
    let before = shop.resident();
    let _idle = stream::iter(0..SOCKETS).map(open).buffer_unordered(16).collect::<Vec<_>>().await;
    let each = shop.resident().saturating_sub(before) / SOCKETS;
    assert!(each <= 30, "{each} KiB per socket");
}
