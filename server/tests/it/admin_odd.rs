//! Forms that no page sends: odd bytes, huge numbers, names of other things. What comes back is a deed or a refusal in words,
//! never a fault of the shop.

use crate::{
    admin_rights::functions,
    desk::Scene,
    visitor::{Reply, Visitor, encode},
};
use http::Method;

/// In every field at once.
const ODD: [&str; 10] = [
    "\0",
    "\u{feff}\u{202e}a",
    "-1",
    "0",
    "9223372036854775807",
    "99999999999999999999",
    "1e9",
    "' OR 1=1 --",
    "\r\nSet-Cookie: a=b",
    "💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥💥",
];

/// What any function of the desk reads, each with something that most of them take. `id`: of whatever it is about.
const FIELDS: [(&str, &str); 60] = [
    ("id", ""),
    ("order_id", ""),
    ("orders[]", ""),
    ("book_id", ""),
    ("chosen", ""),
    ("event_id", "1"),
    ("message_id", "1"),
    ("payment_id", ""),
    ("refund_id", "00000000-0000-4000-8000-000000000001"),
    ("idempotency_key", "odd"),
    ("step", "fulfil"),
    ("carrier", "Blue Dart"),
    ("tracking", "BD 1"),
    ("reason", "A torn page"),
    ("note", "Wrap it as a present"),
    ("amount", "1"),
    ("restock", "false"),
    ("ask", "false"),
    ("agreed", ""),
    ("seen", "0"),
    ("name", "Asha Rao"),
    ("line1", "12 MG Road"),
    ("line2", ""),
    ("city", "Bengaluru"),
    ("state", "Karnataka"),
    ("postcode", "560001"),
    ("country", "IN"),
    ("phone", "9845012345"),
    ("email", "asha@example.org"),
    ("role", "packer"),
    ("q", "asha"),
    ("before", "9"),
    ("after", "1.1.a"),
    ("person", "1"),
    ("action", "order.ship"),
    ("subject", "order"),
    ("category", "fiction"),
    ("show", "low"),
    ("sort", ""),
    ("delta", "1"),
    ("kind", "adjustment"),
    ("operation", "odd"),
    ("low_from", "3"),
    ("version", "1"),
    ("copies", "1"),
    ("sku", "ODD-1"),
    ("title", "A Book"),
    ("authors", "Asha Rao"),
    ("language", "en"),
    ("categories", "fiction"),
    ("description", "Good."),
    ("price", "499"),
    ("retired", "false"),
    ("source", "cart"),
    ("key", "a:1"),
    ("status", "PAID"),
    ("provider", "sandbox"),
    ("from", "2026-01-01"),
    ("book", "1"),
    ("customer", "asha@example.org"),
];

async fn call(who: &Visitor, path: &str, method: &Method, form: &[(&str, &str)]) -> Reply {
    match *method {
        Method::GET => who.get(&format!("{path}?{}", encode(form))).await,
        _ => who.post(path, form).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_breaks_a_function_of_the_desk() {
    let scene = Scene::set().await;
    let book = scene.shop.book("The First Book").await;
    let right = |path: &str| {
        FIELDS.map(|(name, value)| match name {
            "id" if path.contains("/orders/") => (name, scene.order.as_str()),
            "id" if path.contains("/books/") => (name, book.as_str()),
            "id" => (name, "1"),
            "order_id" | "orders[]" => (name, scene.order.as_str()),
            "book_id" => (name, book.as_str()),
            _ => (name, value),
        })
    };
    for (path, method) in functions().into_iter().filter(|(path, _)| path.starts_with("/api/admin/")) {
        for odd in ODD {
            let reply = call(&scene.admin, path, &method, &FIELDS.map(|(name, _)| (name, odd))).await;
            assert!(reply.status < 500, "{path} with {odd:?}: {} {}", reply.status, reply.body);
        }
        // Behind a refusal of one field another one may wait.
        for at in 0..FIELDS.len() {
            let mut form = right(path);
            form[at].1 = "1.1.\0";
            let reply = call(&scene.admin, path, &method, &form).await;
            assert!(reply.status < 500, "{path} with {:?}: {} {}", form[at], reply.status, reply.body);
        }
    }
    scene.shop.assert_sound();
}
