//! How others find the shop: what pages say of themselves, sitemaps, robots, and addresses that moved.

use crate::{
    shop::{Shop, eventually},
    visitor::{Reply, Visitor},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a page says of itself.
struct Said {
    title: String,
    /// Of `<meta>` by name or property, of the canonical link by `canonical`.
    tags: BTreeMap<String, String>,
    data: Vec<Value>,
}

impl Said {
    fn of(page: &Reply) -> Self {
        let head = page.body.split_once("</head>").expect("a head").0;
        let mut tags = BTreeMap::new();
        for tag in head.split('<').filter(|tag| tag.starts_with("meta ") || tag.starts_with("link ")) {
            let name = attribute(tag, "name").or_else(|| attribute(tag, "property")).or_else(|| attribute(tag, "rel"));
            let value = attribute(tag, "content").or_else(|| attribute(tag, "href"));
            if let (Some(name), Some(value)) = (name, value) {
                assert!(
                    name == "preload" || name == "theme-color" || !tags.contains_key(&name),
                    "{name} is said twice"
                );
                tags.insert(name, value);
            }
        }
        let title = head.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).expect("a title").0;
        Self { title: title.to_owned(), tags, data: data(head, page.header("content-security-policy")) }
    }

    fn tag(&self, name: &str) -> &str {
        self.tags.get(name).map(String::as_str).unwrap_or_default()
    }

    fn thing(&self, kind: &str) -> &Value {
        let is_kind = |thing: &&Value| thing["@type"].to_string().contains(&format!("\"{kind}\""));
        self.data.iter().find(is_kind).unwrap_or_else(|| panic!("no {kind}: {:?}", self.data))
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(
        rest.split_once('"')?.0.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
    )
}

/// The things in JSON-LD; each script carries the nonce of the policy.
fn data(head: &str, policy: &str) -> Vec<Value> {
    let nonce = policy.split_once("'nonce-").and_then(|(_, rest)| rest.split_once('\'')).expect("a nonce").0;
    let scripts = head.split("<script").filter(|script| script.contains("application/ld+json"));
    let graphs = scripts.map(|script| {
        let (open, rest) = script.split_once('>').expect("an open tag");
        assert_eq!(attribute(open, "nonce").as_deref(), Some(nonce));
        let graph: Value = serde_json::from_str(rest.split_once("</script>").expect("an end").0).expect("JSON");
        assert_eq!(graph["@context"], "https://schema.org");
        graph["@graph"].as_array().expect("things").clone()
    });
    graphs.flatten().collect()
}

async fn said(visitor: &Visitor, path: &str) -> Said {
    let page = visitor.page(path).await;
    assert_eq!((page.status, page.header("x-robots-tag")), (200, "all"), "{path}");
    Said::of(&page)
}

const MORE: &str = "\
sku,isbn13,title,subtitle,authors,price_inr,stock,categories,popularity,year,pages,description
X-1,9780143039426,\"Salt, & </script> \"\"Steel\"\"\",A tale,Asha Rao;Meera Nair,1250.50,5,fiction,5,1961,288,\"Long ago.
And far.\"
";

#[tokio::test(flavor = "multi_thread")]
async fn a_book_says_what_it_is_and_costs() {
    let shop = Shop::start_with(&[("BAZAR_DELIVERY_DAYS", "2-4")]).await;
    assert!(shop.import(MORE).status.success());
    let visitor = shop.visitor();
    let path = "/books/salt-and-script-steel";
    // The running process hears of the file, the gate of the copies a moment later.
    let is_known = || async { visitor.page(path).await.body.contains("schema.org/InStock").then_some(()) };
    eventually("the new book and its copies", is_known).await;
    let book = said(&visitor, path).await;
    let url = format!("{}{path}", shop.url);
    assert_eq!((book.tag("canonical"), book.tag("og:url")), (url.as_str(), url.as_str()));
    assert_eq!((book.tag("description"), book.tag("og:type")), ("Long ago. And far.", "book"));
    assert_eq!(book.tag("og:title"), "Salt, & </script> \"Steel\" by Asha Rao, Meera Nair");
    assert_eq!(book.tag("og:image"), format!("{}/share.png", shop.url));
    assert!(book.title.ends_with(" · Book Bazar"), "{}", book.title);

    let product = book.thing("Product");
    assert_eq!(product["name"], "Salt, & </script> \"Steel\"");
    assert_eq!((&product["isbn"], &product["numberOfPages"]), (&"9780143039426".into(), &288.into()));
    assert_eq!((&product["author"][1]["name"], &product["datePublished"]), (&"Meera Nair".into(), &"1961".into()));
    let offer = &product["offers"];
    assert_eq!((&offer["price"], &offer["priceCurrency"]), (&"1250.50".into(), &"INR".into()));
    assert_eq!(offer["availability"], "https://schema.org/InStock");
    assert_eq!(offer["shippingDetails"]["shippingRate"]["value"], "0.00", "above the threshold");
    assert_eq!(offer["shippingDetails"]["deliveryTime"]["transitTime"]["maxValue"], 4);
    let steps = book.thing("BreadcrumbList")["itemListElement"].as_array().expect("steps").clone();
    let steps: Vec<_> = steps.iter().map(|step| step["item"].as_str().unwrap_or_default()).collect();
    assert_eq!(steps, [format!("{}/books", shop.url), format!("{}/categories/fiction", shop.url), url.clone()]);
    let image = product["image"].as_str().expect("a picture");
    assert_eq!(visitor.get(image).await.status, 200);

    let none = said(&visitor, "/books/none-left").await;
    let offer = &none.thing("Product")["offers"];
    assert_eq!(offer["availability"], "https://schema.org/OutOfStock");
    assert_eq!(offer["shippingDetails"]["shippingRate"]["value"], "49.00");
    assert!(none.tag("description").contains("Delivery ₹49, free from ₹999"), "{}", none.tag("description"));
    // The page says so too, and shows what else the author wrote.
    let page = visitor.page("/books/none-left").await.body;
    assert!(page.contains("Usually with you in 2 to 4 days") && page.contains("More by this author"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_and_its_lists_are_found_and_private_pages_are_not() {
    let shop = Shop::start().await;
    let visitor = shop.visitor();
    let home = said(&visitor, "/").await;
    assert_eq!(home.tag("canonical"), format!("{}/", shop.url));
    let search = &home.thing("WebSite")["potentialAction"]["target"]["urlTemplate"];
    assert_eq!(search, &format!("{}/books?q={{search_term_string}}", shop.url));
    assert_eq!(home.thing("Organization")["name"], "Book Bazar");
    for path in ["/books", "/categories/fiction", "/authors/kiran-das"] {
        let list = said(&visitor, path).await;
        assert_eq!(list.tag("canonical"), format!("{}{path}", shop.url));
        assert!(!list.tag("description").is_empty(), "{path}");
        list.thing("BreadcrumbList");
    }
    assert_eq!(said(&visitor, "/books?page=1&utm_source=x").await.tag("canonical"), format!("{}/books", shop.url));

    let asha = shop.shopper("asha@example.org").await;
    for path in [
        "/books?q=book",
        "/books?sort=title",
        "/categories/fiction?in_stock=true",
        "/books?page=99",
        "/cart",
        "/checkout",
        "/orders",
        "/account",
        "/login",
        "/register",
        "/admin/orders",
        "/nowhere",
        "/books/no-such-book",
    ] {
        let page = asha.page(path).await;
        assert_eq!(page.header("x-robots-tag"), "noindex", "{path}");
        assert!(!page.body.contains("canonical") && !page.body.contains("ld+json"), "{path}");
        assert!(!Said::of(&page).tag("description").is_empty(), "{path}");
    }
    let robots = visitor.get("/robots.txt").await.body;
    for line in ["Disallow: /cart", "Disallow: /admin", "Disallow: /*?q=", "Disallow: /*&in_stock="] {
        assert!(robots.lines().any(|said| said == line), "{line}: {robots}");
    }
    assert!(robots.contains(&format!("Sitemap: {}/sitemap.xml", shop.url)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_title_leaves_the_old_address_working() {
    let shop = Shop::start().await;
    let visitor = shop.visitor();
    for title in ["The First Book of All", "The Very First Book"] {
        assert!(shop.import(&format!("sku,title\nT-1,{title}\n")).status.success());
    }
    for old in ["the-first-book", "the-first-book-of-all"] {
        let moved = eventually("the redirect to the newest address", || async {
            let page = visitor.page(&format!("/books/{old}?from=mail")).await;
            (page.location() == "/books/the-very-first-book?from=mail").then_some(page)
        });
        let moved = moved.await;
        assert_eq!(moved.status, 308, "{old}");
        assert_eq!(moved.header("x-robots-tag"), "noindex");
        let cover = visitor.get(&format!("/covers/{old}.svg")).await;
        assert_eq!((cover.status, cover.location()), (308, "/covers/the-very-first-book.svg"));
    }
    let page = said(&visitor, "/books/the-very-first-book").await;
    assert_eq!(page.tag("canonical"), format!("{}/books/the-very-first-book", shop.url));
    // A tab that is still open asks for the data only.
    let data = visitor.get("/api/page/book?slug=the-first-book").await.ok();
    assert_eq!(data["card"]["slug"], "the-very-first-book");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sitemap_names_every_page_once_however_it_is_split() {
    let shop = Shop::start_with(&[("BAZAR_SITEMAP_URLS", "2")]).await;
    let visitor = shop.visitor();
    let index = visitor.get("/sitemap.xml").await;
    assert!(index.header("content-type").starts_with("application/xml"));
    assert!(index.body.contains("<lastmod>20"), "{}", index.body);
    let mut pages = Vec::new();
    for file in locations(&index.body) {
        let file = visitor.get(&file).await;
        assert_eq!(file.status, 200);
        assert!(file.body.starts_with("<?xml") && file.body.trim_end().ends_with("</urlset>"), "{}", file.body);
        let found = locations(&file.body);
        assert!(file.body.contains("/categories/") || (1..=2).contains(&found.len()), "{}", file.body);
        pages.extend(found);
    }
    let (count, mut paths) = (pages.len(), pages);
    paths.sort();
    paths.dedup();
    assert_eq!((paths.len(), count), (13, 13), "{paths:?}");
    for path in &paths {
        let page = visitor.page(path).await;
        assert_eq!((page.status, page.header("x-robots-tag")), (200, "all"), "{path}");
        assert_eq!(Said::of(&page).tag("canonical"), path, "what is listed is the one address of the page");
    }
    assert_eq!(locations(&index.body).len(), 6, "pages, three of books, two of authors");
    for file in
        ["books-3.xml", "authors-2.xml", "books--1.xml", "books-x.xml", "books-9223372036854775807.xml", "pages"]
    {
        assert_eq!(visitor.get(&format!("/sitemaps/{file}")).await.refusal(), (404, "not_found".into()), "{file}");
    }
}

fn locations(xml: &str) -> Vec<String> {
    xml.split("<loc>").skip(1).map(|rest| rest.split_once("</loc>").expect("an end").0.to_owned()).collect()
}
