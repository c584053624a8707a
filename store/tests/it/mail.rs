//! Mail on real servers: when a forgotten cart gets one, what is in it, where its links lead, and what becomes of it when
//! the mail server says no.

mod forgotten;
mod links;
mod smtp;

use crate::carts::Shop;
use domain::{BookId, Owner, UnixMillis};
use std::{path::PathBuf, sync::Arc, time::Duration};
use store::{
    Store,
    carts::abandoned,
    jobs::{DrainOutbox, Job},
    mail::{Way, unsubscribe},
    world::{SystemWorld, World},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The same world some time later.
pub struct Later(pub Duration);

impl World for Later {
    fn now(&self) -> UnixMillis {
        SystemWorld.now().plus(i64::try_from(self.0.as_millis()).expect("not that late"))
    }

    fn uuid(&self) -> uuid::Uuid {
        SystemWorld.uuid()
    }
}

/// The shop as another process sees it some time later.
async fn later(shop: &Shop, time: Duration) -> Store {
    Store::connect(shop.store.config().clone(), Arc::new(Later(time))).await.expect("connect")
}

async fn in_a_week(shop: &Shop) -> Store {
    later(shop, 8 * DAY).await
}

/// An account with two books in the cart, written down.
async fn forgetful(shop: &Shop) -> (Owner, Vec<BookId>) {
    let (owner, books) = (shop.shopper().await, shop.books(2, 9).await);
    shop.add(&owner, books[0], 2).await;
    shop.add(&owner, books[1], 1).await;
    shop.drain().await;
    (owner, books)
}

async fn remind(store: &Store) -> u64 {
    abandoned::remind(store).await.expect("looked").written
}

/// Everything that waits in the outbox's lane for mails, once.
pub async fn send(store: &Store) {
    while let Some(batch) = DrainOutbox::MAIL.fetch(store).await.expect("fetched") {
        DrainOutbox::MAIL.handle(store, batch).await.expect("handled");
    }
}

fn mails(shop: &Shop) -> Vec<String> {
    mails_of(&shop.store)
}

/// Takes the files out of the shop's folder, oldest first.
pub fn mails_of(store: &Store) -> Vec<String> {
    let Way::Files(folder) = &store.config().mail.way else { panic!("mails are not files here") };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(files.iter().all(|file| file.extension().is_some_and(|end| end == "eml")), "{files:?}");
    let mails = files.iter().map(|file| decoded(&std::fs::read_to_string(file).expect("a mail"))).collect();
    std::fs::remove_dir_all(folder).expect("the folder");
    mails
}

/// The text of a message without its transfer encoding.
pub fn decoded(mail: &str) -> String {
    let joined = mail.replace("=\r\n", "").replace("\r\n ", " ");
    let (mut bytes, mut rest) = (Vec::new(), joined.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *byte == b'=').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(encoded) => {
                bytes.push(encoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).expect("utf-8")
}

/// The token at the end of the link to that path.
pub fn token(mail: &str, path: &str) -> String {
    let (_, rest) = mail.split_once(&format!("http://127.0.0.1:1/{path}/")).expect("a link");
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

async fn sql(shop: &Shop, statement: &'static str) -> u64 {
    sqlx::query(statement).execute(&mut shop.pg().await).await.expect(statement).rows_affected()
}

async fn count(shop: &Shop, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(&mut shop.pg().await).await.expect(statement)
}
