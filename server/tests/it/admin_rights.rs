//! Who may call what. The functions are those that the shop registers, and the addresses beside them those that its router is
//! made of; the table says what each of them asks
//! for, a second time and on its own, and must name exactly those that there are.

use crate::{
    admin_people::{Staff, log_in},
    shop::Shop,
    visitor::{Reply, Visitor},
};
use app::ssr::Beside;
use domain::{
    Permission::{self, *},
    account::Role,
};
use http::Method;
use std::collections::{BTreeMap, BTreeSet};

/// After `/api/admin/`.
const TABLE: &[(&str, Permission)] = &[
    ("figures", ReadFigures),
    ("health", ReadWork),
    ("health/repair", RunWork),
    ("health/run", RunWork),
    ("work", ReadWork),
    ("work/discard", RunWork),
    ("work/free", RunWork),
    ("work/letter", ReadWork),
    ("work/retry", RunWork),
    ("work/retry_all", RunWork),
    ("work/run", RunWork),
    ("audit", ReadAudit),
    ("books", ReadCatalogue),
    ("books.csv", ReadCatalogue),
    ("books/create", EditCatalogue),
    ("books/get", ReadCatalogue),
    ("books/low", AdjustStock),
    ("books/low_everywhere", AdjustStock),
    ("books/retire", EditCatalogue),
    ("books/save", EditCatalogue),
    ("books/stock", AdjustStock),
    ("customers", ReadCustomers),
    ("customers/get", ReadCustomers),
    ("files", EditCatalogue),
    ("files/discard", EditCatalogue),
    ("files/get", EditCatalogue),
    ("files/import", EditCatalogue),
    ("files/upload", EditCatalogue),
    ("orders", ReadOrders),
    ("orders.csv", ReadOrders),
    ("orders/address", ServeOrders),
    // What it then does asks for more.
    ("orders/bulk", ReadOrders),
    ("orders/cancel", ServeOrders),
    ("orders/deliver", ShipOrders),
    ("orders/desk", ReadOrders),
    ("orders/fulfil", ShipOrders),
    ("orders/get", ReadOrders),
    ("orders/note", ServeOrders),
    ("orders/paper", ReadOrders),
    ("orders/resend", ServeOrders),
    ("orders/ship", ShipOrders),
    ("payments/let_go", Refund),
    ("payments/quarantined", ReadMoney),
    ("refunds/create", Refund),
    ("refunds/retry", Refund),
    ("staff", ManageStaff),
    ("staff/set", ManageStaff),
];

/// Every server function of the shop, and what its admin side has beside them.
pub fn functions() -> BTreeMap<&'static str, Method> {
    let beside = Beside::ALL.map(|route| (route.path(), route.method()));
    let functions: BTreeMap<_, _> = server_fn::axum::server_fn_paths().chain(beside).collect();
    assert!(functions.contains_key("/api/cart/add"), "no functions of the app: {functions:?}");
    functions
}

async fn call(who: &Visitor, path: &str, method: &Method) -> Reply {
    if *method == Method::GET { who.get(path).await } else { who.post(path, &[]).await }
}

#[test]
fn the_table_names_every_admin_function_and_no_other() {
    let registered: BTreeSet<_> = functions().keys().filter_map(|path| path.strip_prefix("/api/admin/")).collect();
    let named: BTreeSet<_> = TABLE.iter().map(|(path, _)| *path).collect();
    assert_eq!(registered, named, "a function without a line in the table, or a line without one");
    assert!(functions().keys().all(|path| path.starts_with("/api/") && !path.starts_with("/api/admin?")));
}

/// Else it would not be among those that are asked here.
#[test]
fn no_route_of_the_admin_side_is_made_by_hand() {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).expect("a source");
            let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
            let named = code.filter(|line| line.contains("/api/admin")).collect::<Vec<_>>();
            assert!(named.is_empty(), "{}: {named:?}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_answers_those_who_may_call_it_and_nobody_else() {
    let staff = Staff::hired(&[]).await;
    let functions = functions();
    let stranger = staff.shop.visitor();
    let shopper = staff.shop.shopper("shopper@example.org").await;
    for (name, permission) in TABLE {
        let path = format!("/api/admin/{name}");
        let method = &functions[path.as_str()];
        assert_eq!(call(&stranger, &path, method).await.refusal(), (401, "unauthorised".into()), "{path}");
        assert_eq!(call(&shopper, &path, method).await.refusal(), (403, "forbidden".into()), "{path}");
        for (role, person) in &staff.people {
            let reply = call(person, &path, method).await;
            match role.may(*permission) {
                true => assert!(!matches!(reply.status, 401 | 403), "{role:?} {path}: {} {}", reply.status, reply.body),
                false => assert_eq!(reply.refusal(), (403, "forbidden".into()), "{role:?} {path}"),
            }
        }
    }
    assert_eq!(staff.people.len(), Role::ALL.len() - 1, "everybody was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_the_admin_functions_none_is_closed_to_shoppers() {
    let shop = Shop::start().await;
    let mut shopper = shop.shopper("shopper@example.org").await;
    for (path, method) in functions().into_iter().filter(|(path, _)| !path.starts_with("/api/admin/")) {
        let reply = call(&shopper, path, &method).await;
        assert_ne!(reply.status, 403, "{path}: {}", reply.body);
        // Some of them log out.
        if shopper.get("/api/account/addresses").await.status == 401 {
            shopper = shop.visitor();
            log_in(&shopper, "shopper@example.org", "a good password").await;
        }
    }
}
