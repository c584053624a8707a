//! Money that admins send back, over HTTP: who may, how much, once, and what everybody sees of it.

use crate::{
    desk::Scene,
    orders::{order, wait_for},
    shop::{Shop, eventually},
    visitor::{Reply, Visitor},
};
use serde_json::{Value, json};

const CREATE: &str = "/api/admin/refunds/create";
const KEY: &str = "idempotency-key";

async fn refund(who: &Visitor, order: &str, key: &str, form: &[(&str, &str)]) -> Reply {
    let form = [&[("order_id", order), ("reason", "A torn page")], form].concat();
    who.post_with(CREATE, &form, &[(KEY, key)]).await
}

/// The order as the admin sees it, as soon as its refunds stand so.
async fn refunds(admin: &Visitor, order: &str, stand: &[&str]) -> Value {
    eventually(&format!("refunds {stand:?}"), || async {
        let seen = admin.get(&format!("/api/admin/orders/get?id={order}")).await.ok();
        let states: Vec<&str> =
            seen["refunds"].as_array()?.iter().filter_map(|refund| refund["status"].as_str()).collect();
        (states == stand).then_some(seen)
    })
    .await
}

/// What a field of a form on the page holds.
fn held<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split('"').next().expect("a value")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_then_the_rest_never_more_and_only_by_admins() {
    let scene = Scene::set().await;
    let Scene { shop, admin, shopper, order: id, .. } = &scene;
    for (who, refused) in [(shopper, (403, "forbidden".into())), (&shop.visitor(), (401, "unauthorised".into()))] {
        assert_eq!(refund(who, id, "a", &[]).await.refusal(), refused);
        assert_eq!(who.post("/api/admin/refunds/retry", &[("refund_id", id)]).await.refusal(), refused);
        assert_eq!(who.get("/api/admin/payments/quarantined").await.refusal(), refused);
    }
    assert_eq!(admin.post(CREATE, &[("order_id", id)]).await.refusal(), (400, "missing_key".into()));
    for (field, amount) in [("amount", "64901"), ("amount", "0"), ("typed_amount", "649.01"), ("typed_amount", "4,50")]
    {
        let refused = refund(admin, id, "a", &[(field, amount)]).await;
        assert_eq!(refused.refusal(), (422, "invalid_fields".into()), "{amount}");
        assert!(refused.json()["fields"][field].is_string(), "{}", refused.body);
    }
    assert!(refund(admin, id, "a", &[("amount", "64901")]).await.body.contains("At most ₹649 can go back."));

    let part = refund(admin, id, "a", &[("amount", "10000")]).await.ok();
    assert_eq!((&part["status"], &part["amount"]), (&json!("requested"), &json!(10_000)));
    assert_eq!(refund(admin, id, "a", &[("typed_amount", "100")]).await.ok()["refund_id"], part["refund_id"], "once");
    assert_eq!(refund(admin, id, "a", &[("amount", "10001")]).await.refusal(), (422, "key_reused".into()));
    let seen = refunds(admin, id, &["confirmed"]).await;
    assert_eq!((&seen["status"], &seen["refunds"][0]["by"]), (&json!("PAID"), &json!("Boss")));
    let page = shopper.page(&format!("/orders/{id}")).await.body;
    assert!(page.contains("₹100 went back to you before.") && !page.contains("By Boss"), "{page}");

    let rest = refund(admin, id, "b", &[("restock", "true")]).await.ok();
    assert_eq!(rest["amount"], 54_900);
    let seen = wait_for(shopper, id, "REFUNDED").await;
    let causes: Vec<&str> =
        seen["events"].as_array().expect("events").iter().filter_map(|event| event["cause"].as_str()).collect();
    assert_eq!(causes[2..], ["refund_requested", "refund_confirmed", "refund_requested", "refund_confirmed"]);
    assert!(seen["refunds"].as_array().expect("refunds").iter().all(|refund| refund["by"].is_null()), "{seen}");
    scene.on_sale(10).await;
    assert_eq!(refund(admin, id, "c", &[]).await.refusal(), (404, "not_found".into()));
    let page = shopper.page(&format!("/orders/{id}")).await.body;
    assert!(page.contains("The money is back with you.") && page.contains("₹649 went back the way it came."), "{page}");
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_without_scripts_keeps_what_was_typed_and_asks_first() {
    let scene = Scene::set().await;
    let Scene { shop, admin, order: id, .. } = &scene;
    let path = format!("/admin/orders/{id}");
    let key = async || held(&admin.page(&path).await.body, "idempotency_key").to_owned();
    let form = |amount, key: &str, agreed: &str| {
        let pairs = [("order_id", id.as_str()), ("typed_amount", amount), ("reason", "Bent corner"), ("ask", "true")];
        let kept = [("idempotency_key", key), ("agreed", agreed)];
        [&pairs[..], &kept[..]].concat().iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let submit = async |form: Vec<(String, String)>| {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let sent = admin.submit(&path, CREATE, &form).await;
        assert_eq!((sent.status / 100, sent.location()), (3, path.as_str()), "{}", sent.body);
        admin.page(&path).await.body
    };
    let first = key().await;
    let page = submit(form("7000", &first, "")).await;
    for kept in ["At most ₹649 can go back.", "value=\"7000\"", "value=\"Bent corner\""] {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    let page = submit(form("100.50", &first, "")).await;
    assert!(page.contains("₹100.50 goes back to asha@example.org by Sandbox Pay. The rest of it stays."), "{page}");
    assert!(page.contains("Yes, send it back") && page.contains("value=\"100.50\""), "{page}");
    let agreed = held(&page, "agreed").to_owned();
    let nothing = order(admin, id).await;
    assert!(nothing["refunds"].as_array().is_none_or(Vec::is_empty), "{nothing}");
    // A double click.
    let page = submit(form("100.50", &first, &agreed)).await;
    assert!(page.contains("By Boss") && page.contains("Bent corner"), "{page}");
    submit(form("100.50", &first, &agreed)).await;
    let seen = refunds(admin, id, &["confirmed"]).await;
    assert_eq!(seen["refunds"][0]["amount"], 10_050);
    assert_ne!(key().await, first, "the next form is another wish");
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_the_provider_cannot_make_is_said_and_wanted_again() {
    let scene = Scene::set().await;
    let Scene { shop, admin, shopper, order: id, page, .. } = &scene;
    assert_eq!(shopper.submit(page, page, &[("outcome", "refuse_refund")]).await.status, 303);
    refund(admin, id, "a", &[]).await.ok();
    let seen = refunds(admin, id, &["failed"]).await;
    assert_eq!((&seen["status"], &seen["payments"][0]["status"]), (&json!("PAID"), &json!("captured")));
    let desk = admin.page(&format!("/admin/orders/{id}")).await.body;
    assert!(desk.contains("The provider could not make it.") && desk.contains("Start packing"), "{desk}");
    let story = shopper.page(&format!("/orders/{id}")).await.body;
    assert!(story.contains("The money could not be sent back yet."), "{story}");
    assert!(!story.contains("The provider could not make it."), "{story}");
    refund(admin, id, "b", &[]).await.ok();
    wait_for(shopper, id, "REFUNDED").await;
    shop.assert_sound();
}

/// What was said about orders by mail.
fn told(shop: &Shop) -> Vec<(String, String)> {
    let mut mails = shop.mails();
    mails.retain(|(kind, _)| kind.starts_with("order."));
    mails
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_told_once_by_mail() {
    let scene = Scene::set().await;
    let Scene { shop, admin, order: id, .. } = &scene;
    // A step that is past when its mail would leave is no news any more.
    for (step, mails) in [("fulfil", 1), ("ship", 2), ("deliver", 3)] {
        scene.take(admin, step, id).await.ok();
        eventually(step, || async { Some(()).filter(|()| told(shop).len() >= mails) }).await;
    }
    let part = refund(admin, id, "a", &[("amount", "10000")]).await.ok();
    refunds(admin, id, &["confirmed"]).await;
    refund(admin, id, "b", &[]).await.ok();
    let mails = eventually("five mails", || async { Some(told(shop)).filter(|mails| mails.len() >= 5) }).await;
    let kinds: Vec<&str> = mails.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["order.paid", "order.shipped", "order.delivered", "order.refunded", "order.refunded"]);
    let id_of = |mail: &str| mail.lines().find(|line| line.starts_with("Message-ID:")).map(str::to_owned);
    let ids: std::collections::BTreeSet<_> = mails.iter().map(|(_, mail)| id_of(mail)).collect();
    assert!(ids.len() == 5 && !ids.contains(&None), "{ids:?}");
    let refund = part["refund_id"].as_str().expect("an id");
    assert!(id_of(&mails[3].1).is_some_and(|id| id.contains(&format!("order.refunded.{refund}@"))), "{ids:?}");
    assert!(mails[1].1.contains("BD 42"), "{}", mails[1].1);
    shop.assert_sound();
}
