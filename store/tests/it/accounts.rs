//! Accounts against real servers.

mod addresses;
mod links;

use domain::{
    ErrorCode,
    account::{Registration, Role},
};
use std::time::Instant;
use store::{Store, accounts, error::Error, testkit};

pub fn registration(email: &str, password: &str) -> Registration {
    Registration::parse(email, password, "Asha").expect("a registration")
}

pub async fn knows(store: &Store, email: &str, password: &str) -> bool {
    accounts::verify(store, email, password).await.expect("compared").is_some()
}

#[tokio::test]
async fn only_the_right_password_opens_an_account() {
    let store = testkit::store().await;
    let made = accounts::register(&store, registration("Asha@Example.org", "correct horse")).await.expect("registered");
    assert_eq!((made.view.email.as_str(), made.view.role), ("asha@example.org", Role::Shopper));
    assert!(knows(&store, " ASHA@example.org ", "correct horse").await);
    for (email, password) in [
        ("asha@example.org", "correct horsE"),
        ("asha@example.org", ""),
        ("nobody@example.org", "correct horse"),
        ("not an address", "correct horse"),
        ("' OR 1=1 --@x.y", "correct horse"),
    ] {
        assert!(!knows(&store, email, password).await, "{email} {password}");
    }
    let found = accounts::get(&store, made.view.id).await.expect("read").expect("there");
    assert_eq!((&found.view, &found.auth_hash), (&made.view, &made.auth_hash));
    let unknown = domain::AccountId::new(999_999).expect("an id");
    assert!(accounts::get(&store, unknown).await.expect("read").is_none());
}

#[tokio::test]
async fn one_address_is_one_account_however_many_register_at_once() {
    let store = testkit::store().await;
    let attempts = (0..8).map(|n| accounts::register(&store, registration("a@b.in", &format!("password {n}"))));
    let results = futures::future::join_all(attempts).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for refusal in results.into_iter().filter_map(Result::err) {
        let Error::Refused(refusal) = refusal else { panic!("{refusal:?}") };
        assert_eq!(refusal.code, ErrorCode::InvalidFields);
        assert!(refusal.fields.contains_key("email"));
    }
}

#[tokio::test]
async fn an_unknown_address_takes_as_long_as_a_wrong_password() {
    let store = testkit::store().await;
    accounts::register(&store, registration("a@b.in", "correct horse")).await.expect("registered");
    // The best of several rounds, taken in turn: other tests run at the same time.
    let mut best = [u128::MAX; 3];
    for _ in 0..8 {
        for (email, best) in ["a@b.in", "b@b.in", "no address"].into_iter().zip(&mut best) {
            let started = Instant::now();
            assert!(!knows(&store, email, "wrong password").await);
            *best = started.elapsed().as_micros().min(*best);
        }
    }
    let [known, unknown, odd] = best;
    // Far apart only when a hash is left out: hashing is ten times slower than the rest.
    for other in [unknown, odd] {
        assert!(other * 2 > known && known * 2 > other, "known {known} µs, unknown {unknown} µs, odd {odd} µs");
    }
}

#[tokio::test]
async fn an_admin_is_made_and_a_new_password_ends_old_sessions() {
    let store = testkit::store().await;
    let shopper = accounts::register(&store, registration("a@b.in", "correct horse")).await.expect("registered");
    assert!(accounts::get(&store, shopper.view.id).await.expect("read").is_some());
    let admin = accounts::create_admin(&store, registration("a@b.in", "another horse")).await.expect("made");
    assert_eq!((admin.view.id, admin.view.role), (shopper.view.id, Role::Owner));
    assert_ne!(admin.auth_hash, shopper.auth_hash);
    assert!(!knows(&store, "a@b.in", "correct horse").await);
    assert!(knows(&store, "a@b.in", "another horse").await);
    let cached = accounts::get(&store, shopper.view.id).await.expect("read").expect("there");
    assert_eq!(cached.auth_hash, admin.auth_hash, "the cache has let go of the old one");
}

#[tokio::test]
async fn the_demo_logins_work_and_come_once() {
    let store = testkit::store().await;
    let logins = accounts::seed_demo(&store).await.expect("seeded");
    assert_eq!(logins.iter().map(|login| login.role).collect::<Vec<_>>(), [Role::Owner, Role::Shopper]);
    for login in &logins {
        let account = accounts::verify(&store, login.email, login.password).await.expect("compared").expect("known");
        assert_eq!(account.view.role, login.role);
        assert!(account.view.is_verified);
    }
    assert_eq!(super::catalog::count(&store, "SELECT count(*) FROM outbox WHERE topic = 'mail.send'").await, 0);
    assert_eq!(accounts::seed_demo(&store).await.expect("seeded again"), logins);
    let accounts = "SELECT count(*) FROM accounts WHERE email LIKE '%@bookbazar.local'";
    assert_eq!(super::catalog::count(&store, accounts).await, 2);
}
