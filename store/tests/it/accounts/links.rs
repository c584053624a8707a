//! Links that prove an address: who gets one, how long it works, and what ends with it.

use super::{knows, registration};
use crate::mail::{Later, mails_of, send, token};
use domain::{AccountId, ApiError, ErrorCode, account::AccountView, account::Email};
use std::{sync::Arc, time::Duration};
use store::{
    Store, accounts,
    accounts::links::{ask_to_verify, forgot_password, may_reset, reset_password, to_verify, verify_email},
    error::Error,
    testkit,
};

const HOUR: Duration = Duration::from_secs(3600);

fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

async fn later(store: &Store, time: Duration) -> Store {
    Store::connect(store.config().clone(), Arc::new(Later(time))).await.expect("connect")
}

/// A new account, and the mail that asks whether the address is theirs.
async fn registered(store: &Store, address: &str) -> (AccountId, String) {
    let account = accounts::register(store, registration(address, "correct horse")).await.expect("registered");
    (account.view.id, mail(store).await)
}

/// The only mail there is.
async fn mail(store: &Store) -> String {
    send(store).await;
    let mut mails = mails_of(store);
    assert_eq!(mails.len(), 1);
    mails.remove(0)
}

async fn reset_token(store: &Store, address: &str) -> String {
    forgot_password(store, &email(address)).await.expect("asked");
    token(&mail(store).await, "password/reset")
}

async fn view(store: &Store, id: AccountId) -> AccountView {
    accounts::get(store, id).await.expect("read").expect("there").view.clone()
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> ApiError {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_reset_works_once_and_ends_every_session_and_every_other_link() {
    let store = testkit::store().await;
    let (id, _) = registered(&store, "asha@example.org").await;
    let before = accounts::get(&store, id).await.expect("read").expect("there");
    let older = reset_token(&store, "asha@example.org").await;
    let token = reset_token(&store, "ASHA@example.org").await;
    assert!(may_reset(&store, &token).await.expect("looked"));
    assert!(refusal(reset_password(&store, &token, "short").await).fields.contains_key("password"));
    reset_password(&store, &token, "another horse").await.expect("reset");

    assert!(knows(&store, "asha@example.org", "another horse").await);
    assert!(!knows(&store, "asha@example.org", "correct horse").await);
    let after = accounts::get(&store, id).await.expect("read").expect("there");
    assert_ne!(after.auth_hash, before.auth_hash, "sessions of before are over");
    assert!(after.view.is_verified && !before.view.is_verified, "they read the mails of that address");
    assert!(mail(&store).await.contains("Subject: Your password was changed"));
    for used in [&token, &older, &format!("{token}0"), &String::new()] {
        assert!(!may_reset(&store, used).await.expect("looked"), "{used}");
        assert_eq!(refusal(reset_password(&store, used, "a third horse").await).code, ErrorCode::NotFound);
    }
    assert!(knows(&store, "asha@example.org", "another horse").await);
}

#[tokio::test]
async fn of_many_who_follow_one_link_at_once_one_sets_the_password() {
    let store = testkit::store().await;
    registered(&store, "asha@example.org").await;
    let token = reset_token(&store, "asha@example.org").await;
    let words: Vec<String> = (0..6).map(|n| format!("horse number {n}")).collect();
    let all = futures::future::join_all(words.iter().map(|word| reset_password(&store, &token, word))).await;
    let done: Vec<&String> =
        words.iter().zip(&all).filter(|(_, result)| result.is_ok()).map(|(word, _)| word).collect();
    assert_eq!(done.len(), 1);
    assert!(knows(&store, "asha@example.org", done[0]).await);
}

#[tokio::test]
async fn an_hour_later_the_link_is_dead_and_no_mail_leaves() {
    let store = testkit::store().await;
    registered(&store, "asha@example.org").await;
    let token = reset_token(&store, "asha@example.org").await;
    let soon = later(&store, HOUR - Duration::from_secs(60)).await;
    assert!(may_reset(&soon, &token).await.expect("looked"));
    let late = later(&store, HOUR + Duration::from_secs(1)).await;
    assert!(!may_reset(&late, &token).await.expect("looked"));
    assert_eq!(refusal(reset_password(&late, &token, "another horse").await).code, ErrorCode::NotFound);
    forgot_password(&store, &email("asha@example.org")).await.expect("asked");
    send(&late).await;
    assert_eq!(mails_of(&store), Vec::<String>::new(), "a dead link is not sent");
}

#[tokio::test]
async fn asking_for_an_unknown_address_does_the_same_work_and_sends_nothing() {
    let store = testkit::store().await;
    registered(&store, "asha@example.org").await;
    for address in ["asha@example.org", "nobody@example.org"] {
        for _ in 0..7 {
            forgot_password(&store, &email(address)).await.expect("the same answer");
        }
    }
    let rows = "SELECT count(*) FROM account_links WHERE purpose = 'reset'";
    assert_eq!(crate::catalog::count(&store, rows).await, 10, "five for each, then none");
    let waiting = "SELECT count(*) FROM outbox WHERE payload->>'kind' = 'account.reset'";
    assert_eq!(crate::catalog::count(&store, waiting).await, 10);
    send(&store).await;
    let mails = mails_of(&store);
    assert_eq!(mails.len(), 5);
    assert!(mails.iter().all(|mail| mail.contains("To: Asha <asha@example.org>")));
    let next = later(&store, HOUR + Duration::from_secs(1)).await;
    forgot_password(&next, &email("asha@example.org")).await.expect("asked");
    assert_eq!(crate::catalog::count(&store, rows).await, 11, "an hour later it goes on");
}

#[tokio::test]
async fn an_address_is_confirmed_by_its_own_account_only_and_once() {
    let store = testkit::store().await;
    let (asha, mail) = registered(&store, "asha@example.org").await;
    let token = token(&mail, "account/email");
    assert!(mail.contains("Asha <asha@example.org>") && !view(&store, asha).await.is_verified);
    let (other, _) = registered(&store, "ravi@example.org").await;
    assert_eq!(to_verify(&store, other, &token).await.expect("looked"), None);
    assert_eq!(refusal(verify_email(&store, other, &token).await).code, ErrorCode::NotFound);
    assert_eq!(to_verify(&store, asha, &token).await.expect("looked").as_deref(), Some("asha@example.org"));
    assert!(!view(&store, asha).await.is_verified, "looking changes nothing");
    verify_email(&store, asha, &token).await.expect("confirmed");
    assert!(view(&store, asha).await.is_verified && !view(&store, other).await.is_verified);
    assert_eq!(refusal(verify_email(&store, asha, &token).await).code, ErrorCode::NotFound);

    for _ in 0..4 {
        ask_to_verify(&store, asha, &email("asha@example.org")).await.expect("once more");
    }
    let refused = refusal(ask_to_verify(&store, asha, &email("asha@example.org")).await);
    assert_eq!(refused.code, ErrorCode::TooManyRequests, "five in an hour");
}

#[tokio::test]
async fn a_new_address_asks_for_the_password_and_stands_once_confirmed() {
    let store = testkit::store().await;
    let (asha, _) = registered(&store, "asha@example.org").await;
    registered(&store, "ravi@example.org").await;
    let now = view(&store, asha).await;
    let change = async |to: &str, password: &str| {
        accounts::change_email(&store, &view(&store, asha).await, &email(to), password).await
    };
    assert!(refusal(change("new@example.org", "wrong").await).fields.contains_key("password"));
    assert!(refusal(change("asha@example.org", "correct horse").await).fields.contains_key("email"));
    change("new@example.org", "correct horse").await.expect("asked");
    let letter = mail(&store).await;
    assert!(letter.contains("To: Asha <new@example.org>"), "{letter}");
    assert_eq!(view(&store, asha).await, now, "until then the old one stands");
    verify_email(&store, asha, &token(&letter, "account/email")).await.expect("confirmed");
    let after = view(&store, asha).await;
    assert_eq!((after.email.as_str(), after.is_verified), ("new@example.org", true));
    let told = mail(&store).await;
    assert!(told.contains("To: Asha <asha@example.org>") && told.contains("another e-mail address"), "{told}");
    assert!(!told.contains("new@example.org"), "a stranger may read it by now: {told}");
    assert!(knows(&store, "new@example.org", "correct horse").await);
    assert!(!knows(&store, "asha@example.org", "correct horse").await);

    change("ravi@example.org", "correct horse").await.expect("the answer says nothing about others");
    let taken = verify_email(&store, asha, &token(&mail(&store).await, "account/email")).await;
    assert!(refusal(taken).fields.contains_key("email"), "one address, one account");
    assert_eq!(view(&store, asha).await.email.as_str(), "new@example.org");
    send(&store).await;
    assert_eq!(mails_of(&store), Vec::<String>::new(), "what did not happen is not told");
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_what_was_opened_with_it() {
    let store = testkit::store().await;
    let (asha, _) = registered(&store, "asha@example.org").await;
    let hash = async || accounts::get(&store, asha).await.expect("read").expect("there").auth_hash.clone();
    let reset = reset_token(&store, "asha@example.org").await;
    let before = hash().await;
    let wrong = refusal(accounts::change_password(&store, asha, "wrong", "another horse").await);
    assert!(wrong.fields.contains_key("current"));
    let weak = refusal(accounts::change_password(&store, asha, "correct horse", "short").await);
    assert!(weak.fields.contains_key("password"));
    assert_eq!(hash().await, before);
    let changed = accounts::change_password(&store, asha, "correct horse", "another horse").await.expect("changed");
    assert_ne!(changed.auth_hash, before);
    let told = mail(&store).await;
    assert!(told.contains("To: Asha <asha@example.org>") && told.contains("password/forgot"), "{told}");
    assert!(knows(&store, "asha@example.org", "another horse").await);
    assert!(!may_reset(&store, &reset).await.expect("looked"), "links of before are over, too");

    let before = hash().await;
    accounts::sign_out_everywhere(&store, asha).await.expect("signed out");
    assert_ne!(hash().await, before);
    assert!(knows(&store, "asha@example.org", "another horse").await, "the password stays");
    accounts::change_name(&store, asha, " Asha Rao ").await.expect("named");
    assert_eq!(view(&store, asha).await.name, "Asha Rao");
    assert!(refusal(accounts::change_name(&store, asha, "\n").await).fields.contains_key("name"));
}
