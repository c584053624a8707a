//! What stands around every request: health, headers, refusals, files.

use crate::shop::{Shop, eventually};
use reqwest::header;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_process_says_how_it_is() {
    let shop = Shop::start().await;
    let visitor = shop.visitor();
    assert_eq!(visitor.get("/healthz").await.status, 200);
    let ready = visitor.get("/readyz").await.ok();
    assert_eq!(ready["ready"], true);
    for probe in ["postgres", "migrations", "redis", "redis.policy", "redis.aof", "gate", "sessions"] {
        assert_eq!(ready["probes"][probe], "ok", "{ready}");
    }
    // Figures are on the private listener, and only there.
    assert_eq!(visitor.get("/metrics").await.status, 404);
    let metrics = visitor.get(&shop.metrics).await;
    assert!(metrics.body.contains("bazar_http_requests_total"), "{}", metrics.body);
    assert!(metrics.body.contains(r#"route="/readyz""#), "{}", metrics.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_come_with_a_strict_policy_and_nothing_to_keep() {
    let shop = Shop::start().await;
    let page = shop.visitor().page("/").await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    let nonce = policy.split_once("'nonce-").and_then(|(_, rest)| rest.split_once('\'')).map(|(nonce, _)| nonce);
    let nonce = nonce.unwrap_or_else(|| panic!("no nonce: {policy}"));
    let inline = page.body.matches("<script").count();
    let allowed = page.body.matches(&format!("nonce=\"{nonce}\"")).count();
    assert!(inline > 0 && allowed >= inline, "{allowed} of {inline} scripts carry the nonce of the header");
    for part in
        ["default-src 'self'", "'wasm-unsafe-eval'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"]
    {
        assert!(policy.contains(part), "{part} is missing: {policy}");
    }
    assert!(!policy.contains("unsafe-inline") && !page.body.contains(" style=\""), "{policy}");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.header("etag").is_empty() && page.header("last-modified").is_empty());
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert!(page.headers.get("x-request-id").is_some());
    assert!(page.headers.get("set-cookie").is_none(), "looking around leaves nothing behind");
    let second = shop.visitor().page("/").await;
    assert!(!second.header("content-security-policy").contains(nonce), "a nonce is used once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_404() {
    let shop = Shop::start().await;
    let visitor = shop.visitor();
    for path in ["/nowhere", "/books/no-such-book", "/orders/6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "/nowhere.txt"] {
        let page = visitor.page(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert!(page.header("content-security-policy").contains("nonce-"), "{path}");
    }
    for path in ["/books/%00", "/books/a%0ab", "/orders/%00"] {
        assert_eq!(visitor.page(path).await.status, 404, "{path}");
    }
    for path in ["/covers/%00.svg", "/sandbox/pay/%00"] {
        assert_eq!(visitor.get(path).await.status, 404, "{path}");
    }
    assert_eq!(visitor.get("/api/nothing").await.refusal(), (404, "not_found".into()));
    assert_eq!(visitor.post("/nothing", &[]).await.refusal(), (404, "not_found".into()));
    assert_eq!(visitor.get("/covers/no-such-book.svg").await.refusal(), (404, "not_found".into()));
    let script = visitor.get("/pkg/gone.js").await;
    assert_eq!(script.refusal(), (404, "not_found".into()));
    assert!(!script.header("cache-control").contains("immutable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_cannot_act_for_a_shopper() {
    let shop = Shop::start().await;
    let book = shop.book("The First Book").await;
    let visitor = shop.visitor();
    let form = [("book_id", book.as_str()), ("quantity", "1")];
    let foreign: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", &shop.url)],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ];
    for headers in foreign {
        let reply = visitor.post_with("/api/cart/add", &form, headers).await;
        assert_eq!(reply.refusal(), (403, "cross_site".into()), "{headers:?}");
        assert!(reply.headers.get("set-cookie").is_none());
    }
    let own: [&[(&str, &str)]; 3] = [&[("sec-fetch-site", "same-origin")], &[("origin", &shop.url)], &[]];
    for headers in own {
        assert_eq!(visitor.post_with("/api/cart/add", &form, headers).await.status, 200, "{headers:?}");
    }
    // A provider's webhook comes from elsewhere by nature; its signature is what counts.
    let webhook = visitor.post_with("/webhooks/sandbox", &[], &[("origin", "https://provider.example")]).await;
    assert_eq!(webhook.refusal(), (400, "bad_request".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_limited() {
    let shop = Shop::start().await;
    let huge = "x".repeat(70 * 1024);
    let reply = shop.visitor().post("/api/cart/add", &[("book_id", &huge)]).await;
    assert_eq!(reply.refusal(), (413, "too_large".into()));
    // Without a length told beforehand it counts while reading.
    let mut socket = TcpStream::connect(shop.url.trim_start_matches("http://")).await.expect("connect");
    let head = "POST /api/cart/add HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    socket.write_all(head.as_bytes()).await.expect("write");
    let chunk = format!("2000\r\n{}\r\n", "x".repeat(0x2000));
    for _ in 0..12 {
        // The shop may have answered and hung up in the middle.
        let _ = socket.write_all(chunk.as_bytes()).await;
    }
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn covers_are_drawn() {
    let shop = Shop::start().await;
    let visitor = shop.visitor();
    let cover = visitor.get("/covers/the-first-book.svg").await;
    assert_eq!((cover.status, cover.header("content-type")), (200, "image/svg+xml"));
    assert!(cover.body.contains("The First Book"));
    let tag = cover.header("etag").to_owned();
    let again = visitor.send_raw(|client, url| {
        client.get(format!("{url}/covers/the-first-book.svg")).header(header::IF_NONE_MATCH, &tag)
    });
    assert_eq!(again.await.status, 304);
    assert!(visitor.get("/covers/the-first-book.svg?v=1").await.header("cache-control").contains("immutable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_carry_ids_and_no_secrets() {
    let shop = Shop::start_with(&[("BAZAR_LOG", "json")]).await;
    let visitor = shop.shopper("quiet@example.org").await;
    let reply = visitor.get("/api/cart").await;
    let id = reply.header("x-request-id").to_owned();
    let line = eventually("the line in the log", || async {
        shop.log().lines().find(|line| line.contains(&id)).map(str::to_owned)
    });
    let line: serde_json::Value = serde_json::from_str(&line.await).expect("a JSON line");
    assert_eq!(line["http.status"], 200, "{line}");
    assert_eq!(line["span"]["http.route"], "/api/cart", "{line}");
    let log = shop.log();
    assert!(!log.contains("quiet@example.org") && !log.contains("a good password"), "{log}");
}
