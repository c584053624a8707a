//! The catalogue's desk over HTTP: forms with and without scripts, who may, files in and out.

use crate::{
    shop::{Shop, eventually},
    visitor::{Reply, Visitor},
};
use serde_json::{Value, json};

const PASSWORD: &str = "the password of an admin";
const UPLOAD: &str = "/api/admin/files/upload";
const PAGES: [&str; 4] = ["/admin/books", "/admin/books/new", "/admin/books/files", "/admin/books?show=low"];

async fn open() -> (Shop, Visitor) {
    let shop = Shop::start_with(&[("BAZAR_ADMIN_PASSWORD", PASSWORD)]).await;
    assert!(shop.run(&["admin", "create", "boss@example.org", "--name", "Boss"]).status.success());
    let admin = shop.visitor();
    admin.post("/api/account/login", &[("email", "boss@example.org"), ("password", PASSWORD)]).await.ok();
    (shop, admin)
}

async fn desk(admin: &Visitor, id: &str) -> Value {
    admin.get(&format!("/api/admin/books/get?id={id}")).await.ok()
}

/// A form with a file, as a browser sends it.
async fn hand_in(who: &Visitor, accept: &str, content: &[u8]) -> Reply {
    let head = "--seam\r\nContent-Disposition: form-data; name=\"file\"; filename=\"new.csv\"\r\nContent-Type: text/csv\r\n\r\n";
    let body = [head.as_bytes(), content, b"\r\n--seam--\r\n"].concat();
    who.send_raw(|client, url| {
        let request = client.post(format!("{url}{UPLOAD}")).header("accept", accept.to_owned());
        request.header("content-type", "multipart/form-data; boundary=seam").body(body)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_book_is_made_changed_counted_and_retired() {
    let (shop, admin) = open().await;
    let shopper = shop.shopper("asha@example.org").await;
    for page in PAGES {
        assert_eq!(admin.page(page).await.status, 200, "{page}");
        assert_eq!(shopper.page(page).await.status, 403, "{page}");
        assert_eq!(
            shop.visitor().page(page).await.location(),
            format!("/login?next={}", page.split('?').next().unwrap())
        );
    }
    let form =
        [("title", "A Fine Book"), ("price", "₹1,250"), ("sku", "F-1"), ("authors", "Asha Rao"), ("copies", "5")];
    assert_eq!(shopper.post("/api/admin/books/create", &form).await.refusal(), (403, "forbidden".into()));
    let made = admin.post("/api/admin/books/create", &form).await.ok();
    let (id, slug) = (made["id"].to_string(), made["slug"].as_str().expect("an address").to_owned());
    assert_eq!((&made["form"]["price"], &made["on_hand"]), (&json!("1250"), &json!(5)));
    eventually("the copies", || async { (shop.on_sale(&id).await == 5).then_some(()) }).await;

    let version = made["version"].to_string();
    let edit = |price: &'static str, version: &str| {
        vec![("title", "A Fine Book"), ("price", price), ("sku", "F-1"), ("authors", "Asha Rao")]
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .chain([("id", id.clone()), ("version", version.to_owned())])
            .collect::<Vec<_>>()
    };
    let send = async |form: Vec<(&'static str, String)>| {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        admin.post("/api/admin/books/save", &form).await
    };
    let saved = send(edit("1300", &version)).await.ok();
    assert_eq!(saved["form"]["price"], "1300");
    let late = send(edit("1310", &version)).await;
    assert_eq!(late.refusal(), (409, "conflict".into()));
    assert_eq!(late.json()["fields"]["price"], "Now: 1300");
    assert_eq!(send(edit("", &saved["version"].to_string())).await.refusal(), (422, "invalid_fields".into()));
    assert!(shopper.page(&format!("/books/{slug}")).await.body.contains("₹1,300"));

    let count = async |delta: &str, operation: &str| {
        let kind = if delta.starts_with('-') { "adjustment" } else { "receipt" };
        let form =
            [("id", id.as_str()), ("delta", delta), ("kind", kind), ("reason", "Counted"), ("operation", operation)];
        admin.post("/api/admin/books/stock", &form).await
    };
    assert_eq!(count("3", "a").await.ok()["on_hand"], 8);
    assert_eq!(count("3", "a").await.ok()["on_hand"], 8, "a double click");
    assert_eq!(count("0", "b").await.refusal(), (422, "invalid_fields".into()));
    assert_eq!(count("-9", "c").await.refusal(), (409, "conflict".into()));
    let seen = desk(&admin, &id).await;
    assert_eq!((&seen["ledger"][0]["by"], &seen["ledger"][0]["note"]), (&json!("Boss"), &json!("Counted")));

    admin.post("/api/admin/books/retire", &[("id", &id), ("retired", "true")]).await.ok();
    eventually("the page to say so", || async {
        shopper.page(&format!("/books/{slug}")).await.body.contains("No longer sold").then_some(())
    })
    .await;
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_without_scripts_lead_on_and_keep_what_was_typed() {
    let (shop, admin) = open().await;
    let new = "/admin/books/new";
    let (long, description) = ("x".repeat(400), "A long story. ".repeat(60));
    let form = [
        ("title", "Half a Book"),
        ("price", "free"),
        ("authors", &long),
        ("description", &description),
        ("sku", "H-1"),
    ];
    let refused = admin.submit(new, "/api/admin/books/create", &form).await;
    assert_eq!(refused.location(), new);
    let page = admin.page(new).await.body;
    assert!(page.contains("Not a price like 499") && page.contains("value=\"Half a Book\""), "{page}");
    assert!(page.contains(description.trim_end()), "the description came back whole");
    let form = [("title", "A Whole Book"), ("price", "250"), ("sku", "H-1"), ("description", &description)];
    let made = admin.submit(new, "/api/admin/books/create", &form).await;
    let address = made.location().to_owned();
    assert!(address.starts_with("/admin/books/") && address.ends_with("?done=made"), "{address}");
    let page = admin.page(&address).await.body;
    assert!(page.contains("The book is on the shelf."), "{page}");
    let id = address.trim_start_matches("/admin/books/").split('?').next().expect("an id").to_owned();
    let operation = desk(&admin, &id).await["operation"].as_str().expect("a name").to_owned();
    let form = [
        ("id", id.as_str()),
        ("delta", "4"),
        ("kind", "receipt"),
        ("reason", "From the press"),
        ("operation", &operation),
    ];
    let here = format!("/admin/books/{id}");
    for _ in 0..2 {
        let counted = admin.submit(&here, "/api/admin/books/stock", &form).await;
        assert_eq!(counted.location(), format!("{here}?done=stock"));
    }
    let refused =
        admin.submit(&here, "/api/admin/books/stock", &[("id", &id), ("delta", "-9"), ("kind", "receipt")]).await;
    assert_eq!(refused.location(), here);
    let page = admin.page(&here).await.body;
    assert!(page.contains("Copies that come are more than none.") && page.contains("value=\"-9\""), "{page}");
    assert_eq!(desk(&admin, &id).await["on_hand"], 4);
    admin.submit("/admin/books?show=low", "/api/admin/books/low_everywhere", &[("low_from", "7")]).await;
    let page = admin.page("/admin/books?show=low").await.body;
    assert!(page.contains("value=\"7\"") && page.contains("A Whole Book"), "{page}");
    shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_looked_at_imported_and_handed_out_again() {
    let (shop, admin) = open().await;
    let shopper = shop.shopper("asha@example.org").await;
    let file = b"sku,title,price,stock\nT-1,,450,\nNEW-1,Brand New,99,3\n";
    assert_eq!(hand_in(&shop.visitor(), "application/json", file).await.refusal(), (401, "unauthorised".into()));
    assert_eq!(hand_in(&shopper, "application/json", file).await.refusal(), (403, "forbidden".into()));
    for (path, refused) in [("/api/admin/books.csv", 403), ("/api/admin/files", 403)] {
        assert_eq!(shopper.get(path).await.status, refused, "{path}");
        assert_eq!(shop.visitor().get(path).await.status, 401, "{path}");
    }
    let kept = hand_in(&admin, "text/html", file).await;
    assert_eq!(kept.status, 303, "{}", kept.body);
    let page = kept.location().to_owned();
    let preview = admin.page(&page).await.body;
    for words in ["Brand New", "400 → 450", "Import it", "Waiting for your word"] {
        assert!(preview.contains(words), "{words}: {preview}");
    }
    let id = page.trim_start_matches("/admin/books/files/").to_owned();
    let said = admin.submit(&page, "/api/admin/files/import", &[("id", &id)]).await;
    assert_eq!(said.location(), page);
    let over = eventually("the import", || async {
        let file = admin.get(&format!("/api/admin/files/get?id={id}")).await.ok();
        (file["state"] == "done").then_some(file)
    })
    .await;
    assert_eq!((&over["outcome"]["added"], &over["by"]), (&json!(1), &json!("Boss")));
    let exported = admin.get("/api/admin/books.csv").await;
    assert_eq!((exported.status, exported.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert!(exported.body.contains("T-1,,The First Book,,Asha Rao,,en,,fiction,,450.00,50,50,no"), "{}", exported.body);
    let again = hand_in(&admin, "application/json", exported.body.as_bytes()).await.ok();
    assert_eq!((&again["preview"]["same"], &again["preview"]["changed"]), (&json!(6), &json!(0)), "{again}");

    let nonsense = hand_in(&admin, "text/html", b"no,such\ncolumns,here\n").await;
    assert_eq!(nonsense.location(), "/admin/books/files");
    assert!(admin.page("/admin/books/files").await.body.contains("a column isbn13 or sku is needed"));
    let large = hand_in(&admin, "application/json", &vec![b'a'; 9 * 1024 * 1024]).await;
    assert_eq!(large.refusal(), (413, "too_large".into()));
    assert_eq!(hand_in(&admin, "application/json", b"").await.refusal(), (422, "invalid_fields".into()));
    shop.assert_sound();
}
