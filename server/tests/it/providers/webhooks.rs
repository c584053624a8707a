//! The door for webhooks of real providers, over HTTP: whoever is not the provider changes nothing, and the provider's word
//! counts once, however often it comes.

use super::{Event, Kind, SECRETS, Session, Street, Tale, Webhook, event, send, signed};
use crate::{
    orders::{order, wait_for},
    visitor::Visitor,
};
use futures::future::join_all;

const ADMIN: &str = "the password of an admin";
const WHY: &str = "another amount or currency than the order's";

async fn causes(visitor: &Visitor, id: &str) -> Vec<String> {
    let order = order(visitor, id).await;
    let events = order["events"].as_array().expect("a timeline").iter();
    events.map(|event| event["cause"].as_str().expect("a cause").to_owned()).collect()
}

/// A genuine event, and what somebody else could make of it.
fn forgeries(kind: Kind, session: &Session) -> Vec<(&'static str, Webhook)> {
    let told = event("evt_1", session, Tale::Captured);
    let (genuine, name) = (signed(kind, &told, SECRETS[0]), kind.signature_header());
    let with_header = |value: String| {
        let mut webhook = genuine.clone();
        webhook.headers.insert(name, value);
        webhook
    };
    let signature = genuine.headers[name].clone();
    let half = signature[..signature.len() / 2].to_owned();
    let without = |header: &str| {
        let mut webhook = genuine.clone();
        webhook.headers.remove(header);
        webhook
    };
    let mut forged = vec![
        ("no signature", without(name)),
        ("an empty signature", with_header(String::new())),
        ("half a signature", with_header(half)),
        ("a longer signature", with_header(format!("{signature}0"))),
        ("somebody else's secret", signed(kind, &told, "whsec_of_somebody_else")),
        ("a space more", Webhook { body: [&genuine.body[..], b" "].concat(), ..genuine.clone() }),
        ("no body", Webhook { body: Vec::new(), ..genuine.clone() }),
        ("no event", kind.signed(b"[]".to_vec(), "evt_1", SECRETS[0], 0)),
    ];
    for i in (0..genuine.body.len()).step_by(29) {
        let mut tampered = genuine.clone();
        tampered.body[i] ^= 1;
        forged.push(("a byte of the body", tampered));
    }
    match kind {
        // It signs no time, and its id stands beside the body.
        Kind::Razorpay => {
            forged.push(("no id", without("x-razorpay-event-id")));
            let own = format!("asked:{}:paid", session.key);
            forged.push(("an id of ours", kind.signed(genuine.body.clone(), &own, SECRETS[0], 0)));
        }
        Kind::Stripe | Kind::Sandbox => {
            let now = told_at();
            for seconds in [now - 330, now + 360] {
                forged.push(("another time", kind.webhook(&told, SECRETS[0], seconds)));
            }
        }
    }
    forged
}

fn told_at() -> i64 {
    use store::world::{SystemWorld, World};
    SystemWorld.now().get() / 1000
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doors_open_to_their_providers_only() {
    let street = Street::open().await;
    for stand_in in street.both() {
        let (visitor, id, session) = street.paying(stand_in).await;
        let kind = stand_in.kind;
        for (what, webhook) in forgeries(kind, &session) {
            let refused = send(&street.shop, kind, &webhook).await;
            assert_eq!(refused.refusal(), (400, "bad_request".into()), "{kind:?}: {what}");
        }
        let most = kind.signed(vec![b' '; 256 * 1024], "evt_1", SECRETS[0], told_at());
        assert_eq!(send(&street.shop, kind, &most).await.status, 400, "{kind:?}");
        let huge = kind.signed(vec![b' '; 256 * 1024 + 1], "evt_1", SECRETS[0], told_at());
        assert_eq!(send(&street.shop, kind, &huge).await.refusal(), (413, "too_large".into()), "{kind:?}");
        assert_eq!(causes(&visitor, &id).await, ["persisted"], "{kind:?}");
        // None of them took the id away from the genuine one.
        let genuine = signed(kind, &event("evt_1", &session, Tale::Captured), SECRETS[0]);
        assert_eq!(send(&street.shop, kind, &genuine).await.status, 200, "{kind:?}");
        wait_for(&visitor, &id, "PAID").await;
    }
    street.shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_have_one_effect() {
    let street = Street::open().await;
    for stand_in in street.both() {
        let kind = stand_in.kind;
        // Either secret is good while they are changed.
        for secret in SECRETS {
            let (visitor, id, session) = street.paying(stand_in).await;
            let told = event(&format!("evt {id}"), &session, Tale::Captured);
            let webhook = signed(kind, &told, secret);
            let sent = join_all((0..50).map(|_| send(&street.shop, kind, &webhook))).await;
            assert!(sent.iter().all(|reply| reply.status == 200), "{kind:?} {secret}");
            wait_for(&visitor, &id, "PAID").await;
            for again in [format!("evt {id}"), format!("evt again {id}")] {
                let replay = signed(kind, &Event { id: again, ..told.clone() }, secret);
                assert_eq!(send(&street.shop, kind, &replay).await.status, 200, "{kind:?}");
            }
            assert_eq!(causes(&visitor, &id).await, ["persisted", "payment_captured"], "{kind:?}");
            let order = order(&visitor, &id).await;
            assert_eq!(order["payments"].as_array().map(Vec::len), Some(1), "{kind:?}: {order}");
        }
    }
    street.shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_is_fine_and_what_does_not_fit_is_kept_for_the_admin() {
    let street = Street::open_with(&[("BAZAR_ADMIN_PASSWORD", ADMIN)]).await;
    assert!(street.shop.run(&["admin", "create", "boss@example.org", "--name", "Boss"]).status.success());
    let admin = street.shop.visitor();
    admin.post("/api/account/login", &[("email", "boss@example.org"), ("password", ADMIN)]).await.ok();
    for stand_in in street.both() {
        let kind = stand_in.kind;
        let (visitor, id, session) = street.paying(stand_in).await;
        for tale in [Tale::Unheard, Tale::UnderWay] {
            let webhook = signed(kind, &event(&format!("evt {tale:?}"), &session, tale), SECRETS[0]);
            assert_eq!(send(&street.shop, kind, &webhook).await.status, 200, "{kind:?} {tale:?}");
        }
        let less = Event { amount: session.amount - 1, ..event("evt_less", &session, Tale::Captured) };
        assert_eq!(send(&street.shop, kind, &signed(kind, &less, SECRETS[0])).await.status, 200);
        assert_eq!(causes(&visitor, &id).await, ["persisted"], "{kind:?}");
        let shown = admin.get(&format!("/api/admin/payments/quarantined?order_id={id}")).await.ok();
        assert_eq!((&shown[0]["why"], &shown[1]), (&WHY.into(), &serde_json::Value::Null), "{shown}");

        // The checker says so until somebody has seen to it.
        let letters = said(&street, &["dead-letters"]);
        let letter = letters.split_once(" webhook_inbox").expect("a letter").0.lines().last().expect("its id");
        assert!(letters.contains(WHY), "{letters}");
        assert!(!street.shop.run(&["check"]).status.success());
        said(&street, &["dead-letters", "discard", letter, "--reason", "given back by hand"]);
        let all = signed(kind, &event("evt_all", &session, Tale::Captured), SECRETS[0]);
        assert_eq!(send(&street.shop, kind, &all).await.status, 200);
        wait_for(&visitor, &id, "PAID").await;
        street.shop.assert_sound();
    }
}

/// What this command says; it must not fail.
fn said(street: &Street, command: &[&str]) -> String {
    let output = street.shop.run(command);
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
