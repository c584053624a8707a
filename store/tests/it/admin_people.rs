//! People of the shop and its customers: roles, the log of what they do, and what they see of others.

use crate::orders::shop::Shop;
use domain::{
    AccountId, ErrorCode, Owner, Permission,
    account::{Email, Role},
    people::{AuditPage, Changed},
};
use store::{
    accounts,
    admin::{
        audit, customers,
        staff::{self, Wanted},
    },
    error::Error,
    orders,
    viewer::Viewer,
};

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> ErrorCode {
    refused.expect_err("a refusal").to_api().code
}

/// Somebody with an account, its address proven, of this role.
async fn person(shop: &Shop, name: &str, role: Role) -> Viewer {
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO accounts (email, name, password_hash, role, email_verified_at)
         VALUES (lower($1) || '@shop.example', $1, 'x', $2, now()) RETURNING id",
    )
    .bind(name)
    .bind(role.as_str())
    .fetch_one(&shop.pg)
    .await
    .expect("an account");
    Viewer { role, ..Viewer::new(Owner::Account(AccountId::new(id).expect("an id"))) }
}

fn id(viewer: &Viewer) -> AccountId {
    viewer.owner.account().expect("an account")
}

async fn log(shop: &Shop, subject: &str) -> AuditPage {
    let wanted = audit::Wanted { subject: subject.to_owned(), ..audit::Wanted::default() };
    audit::list(&shop.store, &wanted).await.expect("the log")
}

async fn give(shop: &Shop, owner: &Viewer, email: &str, role: &str) -> Result<(), Error> {
    staff::set_role(&shop.store, owner, &Wanted { email, role, agreed: None }).await
}

#[tokio::test]
async fn a_role_is_agreed_to_written_down_and_ends_the_sessions_of_before() {
    let shop = Shop::open().await;
    let boss = person(&shop, "Boss", Role::Owner).await;
    let asha = person(&shop, "Asha", Role::Shopper).await;
    let before = accounts::get(&shop.store, id(&asha)).await.unwrap().expect("there");
    let wanted = |agreed| Wanted { email: " ASHA@shop.example", role: "packer", agreed };
    let asked = staff::set_role(&shop.store, &boss, &wanted(Some(""))).await.expect_err("asked first").to_api();
    assert_eq!(asked.code, ErrorCode::NeedsConfirmation);
    assert!(asked.message.starts_with("Asha (asha@shop.example) becomes packer: packs"), "{}", asked.message);
    assert!(log(&shop, "account").await.entries.is_empty());
    staff::set_role(&shop.store, &boss, &wanted(asked.fields.get("agreed").map(String::as_str))).await.unwrap();
    give(&shop, &boss, "asha@shop.example", "packer").await.expect("what is so already");

    let now = accounts::get(&shop.store, id(&asha)).await.unwrap().expect("there");
    assert_eq!(now.view.role, Role::Packer);
    assert_ne!(now.auth_hash, before.auth_hash, "sessions carry it");
    let page = log(&shop, "asha@shop.example").await;
    let [entry] = &page.entries[..] else { panic!("{page:?}") };
    let by = entry.by.as_ref().map(|by| (by.account_id, by.name.as_str()));
    assert_eq!((by, entry.role.as_str(), entry.action.as_str()), (Some((id(&boss), "Boss")), "owner", "staff.role"));
    let change = Changed { field: "role".into(), before: Some("shopper".into()), after: Some("packer".into()) };
    assert_eq!((entry.subject.as_deref(), &entry.changes[..]), (Some("Asha"), &[change][..]));
    let staff: Vec<_> = staff::list(&shop.store).await.unwrap().into_iter().map(|person| person.name).collect();
    assert_eq!(staff, ["Boss", "Asha"]);
}

#[tokio::test]
async fn roles_go_to_proven_accounts_and_come_from_owners() {
    let shop = Shop::open().await;
    let (boss, ravi) = (person(&shop, "Boss", Role::Owner).await, person(&shop, "Ravi", Role::Manager).await);
    person(&shop, "Asha", Role::Shopper).await;
    sqlx::query("UPDATE accounts SET email_verified_at = NULL WHERE name = 'Asha'").execute(&shop.pg).await.unwrap();
    for (email, role) in [
        ("asha@shop.example", "packer"),
        ("nobody@shop.example", "packer"),
        ("asha", "packer"),
        ("ravi@shop.example", "king"),
    ] {
        assert_eq!(code(give(&shop, &boss, email, role).await), ErrorCode::InvalidFields, "{email} {role}");
    }
    // Also one whose role is another one by now than when they logged in.
    let former = Viewer { role: Role::Owner, ..ravi };
    assert_eq!(code(give(&shop, &former, "ravi@shop.example", "owner").await), ErrorCode::Forbidden);
    assert_eq!(shop.count("SELECT count(*) FROM admin_audit").await, 0);
}

#[tokio::test]
async fn there_is_always_an_owner_even_if_two_unmake_each_other() {
    let shop = Shop::open().await;
    let (one, two) = (person(&shop, "One", Role::Owner).await, person(&shop, "Two", Role::Owner).await);
    let (first, second) = tokio::join!(
        give(&shop, &one, "two@shop.example", "shopper"),
        give(&shop, &two, "one@shop.example", "shopper")
    );
    assert_eq!([first, second].iter().filter(|given| given.is_ok()).count(), 1);
    assert_eq!(shop.count("SELECT count(*) FROM accounts WHERE role = 'owner'").await, 1);
    let (last, email) = match staff::list(&shop.store).await.unwrap()[0].account_id == id(&one) {
        true => (one, "one@shop.example"),
        false => (two, "two@shop.example"),
    };
    assert_eq!(code(give(&shop, &last, email, "manager").await), ErrorCode::InvalidFields);
}

#[tokio::test]
async fn the_log_is_only_ever_added_to() {
    let shop = Shop::open().await;
    let (boss, book) = (person(&shop, "Boss", Role::Owner).await, shop.book(5).await);
    let (_, order) = shop.paid_order(&[(book, 2)]).await;
    orders::begin_packing(&shop.store, &boss, order).await.unwrap();
    orders::begin_packing(&shop.store, &boss, order).await.expect("the second press");
    orders::ship(&shop.store, &boss, order, "Blue Dart", Some("BD 42")).await.unwrap();
    orders::deliver(&shop.store, &boss, order).await.unwrap();
    let (_, other) = shop.paid_order(&[(book, 1)]).await;
    orders::call_off(&shop.store, &boss, other, "Out of print").await.unwrap();

    let steps = |page: AuditPage| page.entries.into_iter().map(|entry| entry.action).collect::<Vec<_>>();
    let page = log(&shop, &format!("order:{order}")).await;
    let changed: Vec<_> = page.entries[1].changes.iter().map(|change| change.after.as_deref()).collect();
    assert_eq!(changed, [Some("Blue Dart, BD 42"), Some("SHIPPED")]);
    let number = page.entries[0].subject.clone().expect("a number");
    assert_eq!(steps(page), ["order.deliver", "order.ship", "order.fulfil"]);
    assert_eq!(steps(log(&shop, &number.to_lowercase()).await).len(), 3);
    assert_eq!(steps(log(&shop, "BB-0000-0000").await).len(), 0);
    let wanted = audit::Wanted { action: "order.cancel".into(), person: Some(id(&boss)), ..Default::default() };
    let page = audit::list(&shop.store, &wanted).await.unwrap();
    assert_eq!((page.people.len(), page.actions.len(), page.next), (1, 4, None));
    assert_eq!(steps(page), ["order.cancel"]);
    for change in ["UPDATE admin_audit SET role = 'x'", "DELETE FROM admin_audit", "TRUNCATE admin_audit"] {
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(change)).execute(&shop.pg).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("only ever added to")), "{change}");
    }
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn the_log_is_read_page_by_page() {
    let shop = Shop::open().await;
    sqlx::query(
        "INSERT INTO admin_audit (at, role, action, subject_kind, subject_id)
         SELECT now(), 'command line', 'x', 'order', n::text FROM generate_series(1, 120) n",
    )
    .execute(&shop.pg)
    .await
    .unwrap();
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = audit::list(&shop.store, &audit::Wanted { before, ..Default::default() }).await.unwrap();
        seen.extend(page.entries.into_iter().map(|entry| entry.subject_id.parse::<i64>().unwrap()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=120).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn customers_are_found_by_name_address_and_order() {
    let shop = Shop::open().await;
    let book = shop.book(9).await;
    let asha = person(&shop, "Asha Rao", Role::Shopper).await;
    sqlx::query("UPDATE accounts SET email = 'asha_rao@x.example'").execute(&shop.pg).await.unwrap();
    person(&shop, "Ravi", Role::Shopper).await;
    store::carts::add(&shop.store, &asha.owner, book, domain::Quantity::new(2).unwrap()).await.unwrap();
    let (_, of_guest) = shop.payable_order(&[(book, 1)]).await;
    let guest: (String, String) = sqlx::query_as("SELECT number, email FROM orders WHERE id = $1")
        .bind(of_guest.get())
        .fetch_one(&shop.pg)
        .await
        .unwrap();
    let found = async |search: &str| {
        let page = customers::list(&shop.store, search, None).await.unwrap();
        let names: Vec<_> = page.customers.into_iter().map(|customer| customer.name).collect();
        (names.join(", "), page.guest.map(|guest| guest.email))
    };
    let named = |names: &str| (names.to_owned(), None);
    assert_eq!(found("").await, named("Ravi, Asha Rao"));
    assert_eq!(found(" SHA R").await, named("Asha Rao"));
    assert_eq!(found("a_rao@").await, named("Asha Rao"));
    assert_eq!(found("a_ra_").await, named(""));
    assert_eq!(found("%").await, named(""));
    assert_eq!(found(&guest.0.to_lowercase()).await, (String::new(), Some(guest.1.clone())));
    assert_eq!(found(&guest.1).await.1, Some(guest.1.clone()));

    let view = customers::get(&shop.store, id(&asha)).await.unwrap();
    assert_eq!(
        (view.cart.map(|cart| cart.copies), view.order_count, view.email.as_str()),
        (Some(2), 0, "asha_rao@x.example")
    );
    let view = customers::get_guest(&shop.store, &Email::parse(&guest.1).unwrap()).await.unwrap();
    assert_eq!((view.orders.len(), view.order_count, view.account), (1, 1, None));
    let nobody = customers::get(&shop.store, AccountId::new(999_999).unwrap()).await;
    assert_eq!(code(nobody), ErrorCode::NotFound);
}

#[tokio::test]
async fn customers_are_read_page_by_page() {
    let shop = Shop::open().await;
    sqlx::query(
        "INSERT INTO accounts (email, name, password_hash) SELECT n || '@x.example', 'N' || n, 'x' FROM generate_series(1, 120) n",
    )
    .execute(&shop.pg)
    .await
    .unwrap();
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = customers::list(&shop.store, "x.example", before).await.unwrap();
        seen.extend(page.customers.into_iter().map(|customer| customer.account_id.get()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=120).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn whoever_sees_all_orders_cancels_only_their_own_as_a_shopper() {
    let shop = Shop::open().await;
    let (packer, book) = (person(&shop, "Packer", Role::Packer).await, shop.book(5).await);
    let (_, order) = shop.payable_order(&[(book, 1)]).await;
    assert!(packer.may(Permission::ReadOrders));
    assert_eq!(code(orders::cancel(&shop.store, &packer, order).await), ErrorCode::NotFound);
}
