//! The board and the desk over HTTP: filters in the address, the file for spreadsheets, several orders at once without
//! scripts, papers, and who may have them.

use crate::{desk::Scene, orders::wait_for};

const BULK: &str = "/api/admin/orders/bulk";

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_the_state_and_its_file_has_the_same_orders() {
    let scene = Scene::set().await;
    let Scene { shop, admin, shopper, order, .. } = &scene;
    let listed = |query: &'static str| async move {
        admin.get(&format!("/api/admin/orders?{query}")).await.ok()["orders"].as_array().map_or(0, Vec::len)
    };
    for (query, count) in [("", 1), ("status=PAID", 1), ("status=SHIPPED", 0), ("payment=captured&provider=sandbox", 1)]
    {
        assert_eq!(listed(query).await, count, "{query}");
    }
    assert_eq!(listed("from=2020-01-01&to=2020-12-31").await, 0);
    assert_eq!(listed("q=asha&min=100&max=99999&sort=largest&customer=asha@example.org").await, 1);
    assert_eq!(admin.get("/api/admin/orders?from=soon").await.refusal(), (422, "invalid_fields".into()));
    let page = admin.page("/admin/orders?from=soon&q=asha").await.body;
    assert!(page.contains("Write a day like") && page.contains("value=\"asha\""), "the form keeps it: {page}");

    name_a_formula(&scene).await;
    let file = admin.get("/api/admin/orders.csv?status=PAID").await;
    assert_eq!((file.status, file.header("content-type")), (200, "text/csv; charset=utf-8"));
    let lines: Vec<&str> = file.body.trim_start_matches('\u{feff}').lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("number,status,placed,email"), "{lines:?}");
    assert!(lines[1].contains("Only Ten Copies") && lines[1].contains("\"'=SUM(A1)\""), "{lines:?}");
    assert_eq!(admin.get("/api/admin/orders.csv?status=SHIPPED").await.body.lines().count(), 1, "only the head");
    assert_eq!(admin.get("/api/admin/orders.csv?min=much").await.refusal(), (422, "invalid_fields".into()));
    assert_eq!(shopper.get("/api/admin/orders.csv").await.refusal(), (403, "forbidden".into()));
    assert_eq!(shop.visitor().get("/api/admin/orders.csv").await.refusal(), (401, "unauthorised".into()));

    for (paper, word) in [("slip", "Packing slip"), ("invoice", "Printed books (HSN 4901), GST 0%")] {
        let page = admin.page(&format!("/admin/orders/{order}/{paper}")).await.body;
        assert!(page.contains(word) && page.contains("Only Ten Copies"), "{paper}: {page}");
    }
    assert_eq!(admin.page(&format!("/admin/orders/{order}/poster")).await.status, 404);
    shop.assert_sound();
}

/// A name that a spreadsheet would take for a formula.
async fn name_a_formula(scene: &Scene) {
    let form = [
        ("order_id", scene.order.as_str()),
        ("name", "=SUM(A1)"),
        ("line1", "12 MG Road"),
        ("city", "Bengaluru"),
        ("state", "Karnataka"),
        ("postcode", "560001"),
        ("country", "IN"),
        ("phone", "9845012345"),
    ];
    let changed = scene.admin.post("/api/admin/orders/address", &form).await.ok();
    assert_eq!(changed["address"]["name"], "=SUM(A1)");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_orders_go_on_without_scripts() {
    let scene = Scene::set().await;
    let Scene { admin, order, .. } = &scene;
    let id = order.as_str();
    let none = admin.submit("/admin/orders", BULK, &[("step", "fulfil"), ("ask", "true")]).await;
    assert_eq!(none.location(), "/admin/orders");
    assert!(admin.page("/admin/orders").await.body.contains("Choose the orders first."));
    let packed =
        admin.submit("/admin/orders?status=PAID", BULK, &[("orders[]", id), ("step", "fulfil"), ("ask", "true")]).await;
    assert_eq!((packed.status / 100, packed.location()), (3, "/admin/orders?status=PAID"));
    wait_for(&scene.shopper, id, "FULFILLING").await;
    let form = [("orders[]", id), ("step", "cancel"), ("reason", "A flood"), ("ask", "true")];
    admin.submit("/admin/orders", BULK, &form).await;
    let page = admin.page("/admin/orders").await.body;
    assert!(page.contains("1 order will be cancelled") && page.contains("goes back for 1 paid one"), "{page}");
    let (_, rest) = page.split_once("name=\"agreed\" value=\"").expect("a button");
    let mark = rest.split('"').next().expect("a mark");
    assert!(page.contains(&format!("name=\"chosen\" value=\"{id}\"")), "what was chosen comes along: {page}");
    let form = [("chosen", id), ("step", "cancel"), ("reason", "A flood"), ("ask", "true"), ("agreed", mark)];
    admin.submit("/admin/orders", BULK, &form).await;
    wait_for(&scene.shopper, id, "REFUNDED").await;
    let again = admin.submit("/admin/orders", BULK, &[("chosen", id), ("step", "fulfil"), ("ask", "true")]).await;
    assert_eq!(again.location(), "/admin/orders");
    assert!(admin.page("/admin/orders").await.body.contains("0 orders went on."), "what did not work is said");
    scene.shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_says_what_the_tax_office_wants_to_read() {
    let settings =
        [("BAZAR_GSTIN", "29ABCDE1234F1Z5"), ("BAZAR_TAX_BOOKS", "5"), ("BAZAR_BUSINESS", "Asha Books; 12 MG Road")];
    let scene = Scene::set_with(&settings).await;
    let page = scene.admin.page(&format!("/admin/orders/{}/invoice", scene.order)).await.body;
    for word in ["Asha Books", "GSTIN 29ABCDE1234F1Z5", "Printed books (HSN 4901), GST 5%", "Tax within these prices"] {
        assert!(page.contains(word), "{word}: {page}");
    }
}
