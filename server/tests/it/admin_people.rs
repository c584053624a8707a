//! The people of the shop over HTTP: how roles are given, what comes of it, and how long they stay logged in.

use crate::{
    live::Tab,
    orders::{place, wait_for},
    shop::{Shop, eventually},
    visitor::Visitor,
};
use domain::account::Role;
use std::time::{Duration, Instant};

const PASSWORD: &str = "the password of an admin";
const OWNER: &str = "owner@example.org";

/// A shop, and one person of each role in it.
pub struct Staff {
    pub shop: Shop,
    pub people: Vec<(Role, Visitor)>,
}

impl Staff {
    pub async fn hired(settings: &[(&str, &str)]) -> Self {
        let shop = Shop::start_with(&[&[("BAZAR_ADMIN_PASSWORD", PASSWORD)], settings].concat()).await;
        let roles = Role::ALL.into_iter().rev().filter(|role| role.is_staff());
        let mut people: Vec<(Role, Visitor)> = Vec::new();
        for role in roles {
            let email = format!("{}@example.org", role.as_str());
            let made = shop.run(&["admin", "create", &email, "--name", role.title()]);
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            if let Some((_, owner)) = people.first() {
                give(owner, &email, role.as_str()).await;
            }
            let person = shop.visitor();
            log_in(&person, &email, PASSWORD).await;
            people.push((role, person));
        }
        Self { shop, people }
    }

    pub fn of(&self, role: Role) -> &Visitor {
        self.people.iter().find(|(known, _)| *known == role).map(|(_, person)| person).expect("hired")
    }
}

pub async fn log_in(person: &Visitor, email: &str, password: &str) {
    person.post("/api/account/login", &[("email", email), ("password", password)]).await.ok();
}

async fn give(owner: &Visitor, email: &str, role: &str) {
    owner.post("/api/admin/staff/set", &[("email", email), ("role", role)]).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_role_holds_at_once_and_closes_what_was_open() {
    let staff = Staff::hired(&[]).await;
    let (owner, packer) = (staff.of(Role::Owner), staff.of(Role::Packer));
    let mut tab = Tab::open(packer).await;
    tab.frame(|frame| frame["type"] == "cart").await;
    assert_eq!(packer.get("/api/admin/orders").await.status, 200);

    // Without JavaScript: asked first, with the consequence, and what was chosen stays.
    let form = [("email", "packer@example.org"), ("role", "support"), ("ask", "true")];
    let asked = owner.submit("/admin/staff", "/api/admin/staff/set", &form).await;
    assert_eq!((asked.status, asked.location()), (303, "/admin/staff"));
    let page = owner.page("/admin/staff").await.body;
    assert!(page.contains("Packer (packer@example.org) becomes support"), "{page}");
    let (_, rest) = page.split_once("name=\"agreed\" value=\"").expect("a button");
    let mark = rest.split('"').next().expect("a mark");
    let agreed = [&form[..], &[("agreed", mark)]].concat();
    let done = owner.submit("/admin/staff", "/api/admin/staff/set", &agreed).await;
    assert_eq!((done.status, done.location()), (303, "/admin/staff"), "{}", done.body);

    assert_eq!(tab.close_code().await, Some(1008));
    assert_eq!(packer.get("/api/admin/orders").await.refusal().0, 401);
    log_in(packer, "packer@example.org", PASSWORD).await;
    assert_eq!(packer.get("/api/admin/customers").await.status, 200);
    let page = owner.page("/admin/audit?action=staff.role").await.body;
    assert!(page.contains("<del>packer") && page.contains("<ins>support"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_asks_in_nobody_elses_name() {
    let staff = Staff::hired(&[]).await;
    let owner = staff.of(Role::Owner);
    let people = owner.get("/api/admin/staff").await.ok();
    let of = |name: &str| {
        let known = people.as_array().and_then(|people| people.iter().find(|person| person["name"] == name));
        known.unwrap_or_else(|| panic!("{people}"))["account_id"].to_string()
    };
    let (own, other) = (of("Owner"), of("Packer"));
    let look = async |page_of: &str| {
        let header = ("bazar-page-of", page_of.to_owned());
        owner
            .send_raw(|client, url| {
                let request = client.get(format!("{url}/api/admin/staff")).header("accept", "application/json");
                request.header("cookie", owner.cookie_header()).header(header.0, header.1)
            })
            .await
    };
    assert_eq!(look(&own).await.status, 200);
    for wrong in [other.as_str(), "", "x"] {
        assert_eq!(look(wrong).await.refusal(), (401, "unauthorised".into()), "{wrong:?}");
        let form = [("low_from", "7")];
        let done = owner.post_with("/api/admin/books/low_everywhere", &form, &[("bazar-page-of", wrong)]).await;
        assert_eq!(done.refusal(), (401, "unauthorised".into()), "{wrong:?}");
    }
    assert!(!owner.page("/admin/audit").await.body.contains("Stock low"), "nothing was done");

    // Whoever logs in after them on the same machine closes what they had open, at once.
    let mut tab = Tab::open(owner).await;
    tab.frame(|frame| frame["type"] == "cart").await;
    log_in(owner, "packer@example.org", PASSWORD).await;
    let asked = Instant::now();
    assert_eq!(tab.close_code().await, Some(1008));
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_stays_one() {
    let staff = Staff::hired(&[]).await;
    let owner = staff.of(Role::Owner);
    let form = [("email", OWNER), ("role", "manager")];
    let refused = owner.post("/api/admin/staff/set", &form).await;
    assert_eq!(refused.refusal(), (422, "invalid_fields".into()));
    assert!(refused.json()["fields"]["role"].as_str().is_some_and(|text| text.contains("needs an owner")));
    staff.shop.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_the_shop_are_logged_out_by_the_hour_and_shoppers_are_not() {
    let settings = [("BAZAR_STAFF_SESSION_SECONDS", "12"), ("BAZAR_STAFF_IDLE_SECONDS", "9")];
    let shop = Shop::start_with(&[&[("BAZAR_ADMIN_PASSWORD", PASSWORD)], &settings[..]].concat()).await;
    assert!(shop.run(&["admin", "create", OWNER, "--name", "Boss"]).status.success());
    let shopper = shop.shopper("asha@example.org").await;
    let [busy, silent] = [shop.visitor(), shop.visitor()];
    log_in(&silent, OWNER, PASSWORD).await;
    let started = Instant::now();
    log_in(&busy, OWNER, PASSWORD).await;
    // Whoever goes on working outlives the silence, and not the hours.
    eventually("the end of the shift", || async { (busy.get("/api/admin/orders").await.status == 401).then_some(()) })
        .await;
    assert!(started.elapsed() >= Duration::from_secs(12), "after {:?}", started.elapsed());
    assert!(!busy.has_cookie("bb_session"), "nothing of it is left in the browser");
    assert_eq!(silent.get("/api/admin/orders").await.refusal(), (401, "unauthorised".into()));
    assert_eq!(silent.page("/admin/orders").await.location(), "/login?next=/admin/orders");
    assert_eq!(shopper.get("/api/account/addresses").await.status, 200);
    log_in(&busy, OWNER, PASSWORD).await;
    assert_eq!(busy.get("/api/admin/orders").await.status, 200);
}

/// A shift of whoever only looks on ends by silence: never before it, and long before the hours to which a look that counted
/// would prolong it. Both are sooner than the next ping, at which a socket looks anyway.
const SILENCE: Duration = Duration::from_secs(5);
const HOURS: Duration = Duration::from_secs(15);
const PING: Duration = Duration::from_secs(domain::live::BEAT_SECONDS as u64);

#[tokio::test(flavor = "multi_thread")]
async fn open_pages_neither_prolong_a_shift_nor_outlive_it() {
    let settings = [("BAZAR_STAFF_SESSION_SECONDS", "15"), ("BAZAR_STAFF_IDLE_SECONDS", "5")];
    let shop = Shop::start_with(&[&[("BAZAR_ADMIN_PASSWORD", PASSWORD)], &settings[..]].concat()).await;
    // A session that ends by a request has all sockets of its account look; so who only looks on has an account alone.
    const OTHER: &str = "other@example.org";
    for email in [OWNER, OTHER] {
        assert!(shop.run(&["admin", "create", email, "--name", "Boss"]).status.success());
    }
    let looks = Duration::from_millis(300);
    let works = async {
        let (busy, began) = (shop.visitor(), Instant::now());
        log_in(&busy, OWNER, PASSWORD).await;
        let (mut tab, opened) = (Tab::open(&busy).await, Instant::now());
        let works = async {
            while busy.get("/api/admin/work").await.status == 200 {
                tokio::time::sleep(looks).await;
            }
            began.elapsed()
        };
        let closes = async {
            assert_eq!(tab.close_code().await, Some(1008));
            assert!(opened.elapsed() < PING, "by the ping: {:?}", opened.elapsed());
            began.elapsed()
        };
        tokio::join!(works, closes)
    };
    let goes_away = async {
        let (away, began) = (shop.visitor(), Instant::now());
        log_in(&away, OWNER, PASSWORD).await;
        assert_eq!(Tab::open(&away).await.close_code().await, Some(1008));
        began.elapsed()
    };
    let looks_by_itself = async {
        let (alone, began) = (shop.visitor(), Instant::now());
        log_in(&alone, OTHER, PASSWORD).await;
        let look = |client: &reqwest::Client, url: &str| {
            client.get(format!("{url}/api/admin/work")).header(app::call::BY_ITSELF, "1")
        };
        while alone.send_raw(look).await.status == 200 {
            tokio::time::sleep(looks).await;
        }
        began.elapsed()
    };
    let ((worked, closed), silent, looked) = tokio::join!(works, goes_away, looks_by_itself);
    for ended in [silent, looked] {
        assert!((SILENCE..HOURS).contains(&ended), "by silence: {silent:?}, {looked:?}");
    }
    assert!(worked >= HOURS && closed >= HOURS, "by the clock: {worked:?}, {closed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_a_session_before_its_hours() {
    let settings = [("BAZAR_STAFF_IDLE_SECONDS", "5"), ("BAZAR_ADMIN_PASSWORD", PASSWORD)];
    let shop = Shop::start_with(&settings).await;
    assert!(shop.run(&["admin", "create", OWNER, "--name", "Boss"]).status.success());
    let owner = shop.visitor();
    log_in(&owner, OWNER, PASSWORD).await;
    assert_eq!(owner.get("/api/admin/orders").await.status, 200);
    tokio::time::sleep(SILENCE + Duration::from_millis(200)).await;
    assert_eq!(owner.get("/api/admin/orders").await.refusal().0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_read_with_their_orders_and_carts() {
    let staff = Staff::hired(&[]).await;
    let support = staff.of(Role::Support);
    let asha = staff.shop.shopper("asha@example.org").await;
    let book = staff.shop.book("The First Book").await;
    asha.post("/api/cart/add", &[("book_id", &book), ("quantity", "2")]).await.ok();
    let placed = place(&asha, "first").await.ok();
    let order = placed["order_id"].as_str().expect("an order");
    wait_for(&asha, order, "PAYMENT_PENDING").await;
    asha.post("/api/cart/add", &[("book_id", &book), ("quantity", "3")]).await.ok();

    let number = placed["number"].as_str().expect("a number");
    let found = support.get(&format!("/api/admin/customers?q={number}")).await.ok();
    let id = found["customers"][0]["account_id"].to_string();
    let customer = support.get(&format!("/api/admin/customers/get?id={id}")).await.ok();
    assert_eq!((&customer["cart"]["copies"], &customer["orders"][0]["number"]), (&3.into(), &number.into()));
    let page = support.page(&format!("/admin/customers/{id}")).await.body;
    for words in ["asha@example.org", number, "Cart now", "The First Book", "Not confirmed yet"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let list = support.page("/admin/customers?q=asha").await.body;
    assert!(list.contains(&format!("/admin/customers/{id}")), "{list}");
    assert!(!list.contains("/admin/staff") && !list.contains("/admin/audit"), "links only to what they may see");
    assert_eq!(support.page("/admin/customers/999999").await.status, 404);
    assert_eq!(staff.of(Role::Packer).page(&format!("/admin/customers/{id}")).await.status, 403);
}
