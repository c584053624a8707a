//! The links of a mail, followed in a running shop by the shopper, by somebody else, and by a mail program.

use crate::shop::{Shop, eventually};
use crate::visitor::Visitor;
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};
use store::jobs::schedule::run_now;

/// On the page of somebody who unsubscribed.
const DONE: &str = "We will send you no more";

struct Mailed {
    shop: Shop,
    shopper: Visitor,
    restore: String,
    unsubscribe: String,
}

/// A shopper who left two copies of the first and one of the fourth book for too long, and got a mail about it.
async fn mailed() -> Mailed {
    let folder = folder();
    let settings = [("BAZAR_MAIL_DIR", folder.to_str().expect("a path")), ("BAZAR_ABANDONED_AFTER", "1")];
    let shop = Shop::start_with(&settings).await;
    let shopper = shop.shopper("asha@example.org").await;
    for (title, copies) in [("The First Book", "2"), ("Only Two Copies", "1")] {
        let book = shop.book(title).await;
        shopper.post("/api/cart/add", &[("book_id", &book), ("quantity", copies)]).await.ok();
    }
    let store = shop.store().await;
    let mail = eventually("the mail", || async {
        // Its turn comes by the hour; here it is always its turn.
        assert!(run_now(&store, "carts.abandoned").await.expect("made due"));
        let mut files = std::fs::read_dir(&folder).ok()?.flatten();
        // Others are for other mails, or not written to their end.
        let is_it = |name: &str| name.contains("cart.forgotten") && name.ends_with(".eml");
        let file = files.find(|file| is_it(&file.file_name().to_string_lossy()))?;
        std::fs::read_to_string(file.path()).ok()
    })
    .await;
    std::fs::remove_dir_all(&folder).expect("the folder of mails");
    let mail = mail.replace("=\r\n", "").replace("\r\n ", " ");
    let path = |start: &str| {
        let (_, rest) = mail.split_once(&format!("{}{start}", shop.url)).expect("a link");
        let token: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
        format!("{start}{token}")
    };
    let (restore, unsubscribe) = (path("/cart/restore/"), path("/mail/unsubscribe/"));
    assert!(mail.contains("To: Asha <asha@example.org>"), "{mail}");
    assert!(!shop.log().contains("asha@example.org"), "no address in the log");
    Mailed { shop, shopper, restore, unsubscribe }
}

/// One that nobody else has.
fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("bazar-mail-{}-{number}", std::process::id()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_brings_the_books_back() {
    let Mailed { shop, shopper, restore, .. } = mailed().await;
    let token = restore.trim_start_matches("/cart/restore/").to_owned();
    let back = shopper.page(&restore).await;
    assert_eq!((back.status / 100, back.location()), (3, "/cart"), "the shopper still has them");

    let stranger = shop.visitor();
    let page = stranger.page(&restore).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("The First Book") && page.body.contains("Put them in my cart"), "{}", page.body);
    assert_eq!(page.header("x-robots-tag"), "noindex");
    assert!(!stranger.has_cookie("bb_guest"), "looking makes nobody a guest");
    assert_eq!(stranger.get("/api/cart").await.ok()["copies"], 0);

    for _ in 0..2 {
        let sent = stranger.submit(&restore, "/api/cart/restore", &[("token", &token)]).await;
        assert_eq!((sent.status / 100, sent.location()), (3, "/cart"), "{}", sent.body);
        assert_eq!(stranger.get("/api/cart").await.ok()["copies"], 3, "put back once");
    }
    let page = stranger.page("/cart").await;
    assert!(!page.body.contains("sold out right now"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_said_on_the_way() {
    let Mailed { shop, restore, .. } = mailed().await;
    let token = restore.trim_start_matches("/cart/restore/").to_owned();
    shop.import("sku,stock\nT-4,0\n");
    let visitor = shop.visitor();
    eventually("sold out", || async { visitor.page(&restore).await.body.contains("Sold out just now").then_some(()) })
        .await;
    let sent = visitor.submit(&restore, "/api/cart/restore", &[("token", &token)]).await;
    assert_eq!(sent.location(), "/cart");
    let cart = visitor.page("/cart").await;
    assert!(cart.body.contains("sold out right now") && cart.body.contains("The First Book"), "{}", cart.body);
    assert!(!visitor.page("/cart").await.body.contains("sold out right now"), "said once");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_links_lead_nowhere() {
    let Mailed { shop, restore, unsubscribe, .. } = mailed().await;
    let visitor = shop.visitor();
    let restore_token = restore.trim_start_matches("/cart/restore/");
    let unsubscribe_token = unsubscribe.trim_start_matches("/mail/unsubscribe/");
    for (page, token) in
        [("cart/restore", unsubscribe_token), ("mail/unsubscribe", restore_token), ("cart/restore", "x")]
    {
        assert_eq!(visitor.page(&format!("/{page}/{token}")).await.status, 404, "{page}/{token}");
    }
    let refused = visitor.post("/api/cart/restore", &[("token", unsubscribe_token)]).await;
    assert_eq!(refused.refusal(), (404, "not_found".into()));
    assert!(!visitor.has_cookie("bb_guest"));
    let refused = visitor.post(&format!("/mail/unsubscribe/{restore_token}"), &[]).await;
    assert_eq!(refused.refusal(), (404, "not_found".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_or_a_button_unsubscribes() {
    let Mailed { shop, unsubscribe, .. } = mailed().await;
    let person = shop.visitor();
    let page = person.page(&unsubscribe).await;
    assert_eq!((page.status, page.header("x-robots-tag")), (200, "noindex"));
    assert!(page.body.contains(&format!("action=\"{unsubscribe}\"")), "{}", page.body);
    assert!(!person.page(&unsubscribe).await.body.contains(DONE), "looking changes nothing");

    // A mail program: from another site, without a cookie.
    let program = shop.visitor();
    let foreign = [("origin", "https://mail.example"), ("sec-fetch-site", "cross-site"), ("accept", "text/html")];
    for _ in 0..2 {
        let reply = program.post_with(&unsubscribe, &[("List-Unsubscribe", "One-Click")], &foreign).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    assert!(person.page(&unsubscribe).await.body.contains(DONE));

    let sent = person.submit(&unsubscribe, &unsubscribe, &[]).await;
    assert_eq!((sent.status / 100, sent.location()), (3, unsubscribe.as_str()));
    assert!(person.page(&unsubscribe).await.body.contains(DONE));
    assert!(!shop.log().contains(unsubscribe.trim_start_matches("/mail/unsubscribe/")), "no token in the log");
}
