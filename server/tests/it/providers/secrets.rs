//! No line of the log and no answer repeats a key, a token, a password, an address or a card, whatever goes wrong.

use super::{KEY, SECRETS, Street, Tale, event, init, order, send, signed, standins::Fault};
use crate::{orders::ADDRESS, shop::eventually};

const PASSWORD: &str = "a good password";
const DATABASE_PASSWORD: &str = "the-word-of-postgres";
/// Our own code says everything it has to say.
const LOGS: &str = "info,bazar=trace,store=trace,app=trace,server=trace,sqlx=warn,hyper=warn,tower_sessions=warn,\
    tower_sessions_core=warn,axum_login=warn,tower_http=warn,apalis_core=warn";
/// What a provider might repeat of what it was sent.
const WORDS: &str = r#"{"error":{"code":"invalid","param":"customer_email","field":"customer","description":
    "Invalid: asha@example.org, 4242 4242 4242 4242","message":"Invalid: asha@example.org, 4242424242424242"}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_repeats_what_is_nobodys_business() {
    let mut street = Street::prepare(&[("RUST_LOG", LOGS)]).await;
    let database = street.shop.setting("DATABASE_URL");
    street.shop.set("DATABASE_URL", &database.replacen("bazar@", &format!("bazar:{DATABASE_PASSWORD}@"), 1));
    street.shop.import_books();
    street.shop.spawn("all");
    street.shop.wait_until_ready().await;

    let mut tokens = vec![street.shop.setting("BAZAR_SECRET")];
    let shopper = street.shop.shopper("asha@example.org").await;
    tokens.extend(cookies(&shopper.cookie_header()));
    let wrong = [("email", "asha@example.org"), ("password", "another good password")];
    assert_eq!(shopper.post("/api/account/login", &wrong).await.status, 401);
    for stand_in in street.both() {
        let (kind, name) = (stand_in.kind, stand_in.kind.name());
        for fault in [
            Fault::Status(401, WORDS),
            Fault::Status(400, WORDS),
            Fault::Status(402, WORDS),
            Fault::Status(500, WORDS),
            Fault::Garbage(100),
            Fault::Cut,
        ] {
            stand_in.desk().fault = Some(fault);
            let (visitor, id) = order(&street.shop).await;
            let refused = init(&visitor, &id, name).await;
            assert!(refused.status >= 400);
            assert_clean("an answer", &refused.body, &tokens);
            tokens.extend(cookies(&visitor.cookie_header()));
        }
        stand_in.desk().fault = None;
        let (_, _, session) = eventually("the circuit to close", || async {
            let (visitor, id) = order(&street.shop).await;
            let is_open = init(&visitor, &id, name).await.status == 200;
            let session = stand_in.desk().sessions.last().cloned();
            is_open.then(|| session.map(|session| (visitor, id, session))).flatten()
        })
        .await;
        let told = event("evt_1", &session, Tale::Captured);
        let genuine = signed(kind, &told, SECRETS[0]);
        for webhook in [signed(kind, &told, "whsec_of_somebody_else"), genuine.clone(), genuine] {
            send(&street.shop, kind, &webhook).await;
            tokens.extend(webhook.headers.get(kind.signature_header()).cloned());
        }
        let less = super::Event { amount: 1, ..event("evt_2", &session, Tale::Captured) };
        assert_eq!(send(&street.shop, kind, &signed(kind, &less, SECRETS[1])).await.status, 200);
    }
    eventually("a mail", || async { street.shop.log().contains("mail").then_some(()) }).await;
    street.shop.stop("TERM");
    assert_clean("the log", &street.shop.log(), &tokens);
}

/// The values of these cookies; short ones say nothing.
fn cookies(header: &str) -> Vec<String> {
    let values = header.split("; ").filter_map(|cookie| cookie.split_once('=')).map(|(_, value)| value.to_owned());
    values.filter(|value| value.len() > 15).collect()
}

fn assert_clean(what: &str, text: &str, tokens: &[String]) {
    let of_people = ADDRESS.iter().filter(|(name, _)| matches!(*name, "name" | "line1" | "phone" | "email"));
    let known = [KEY, SECRETS[0], SECRETS[1], PASSWORD, DATABASE_PASSWORD, "4242"];
    let never = of_people.map(|(_, value)| *value).chain(known).chain(tokens.iter().map(String::as_str));
    for secret in never {
        if let Some(line) = text.lines().find(|line| line.contains(secret)) {
            panic!("{what} repeats {secret:?}: {line}");
        }
    }
}
