//! Messages that fail, panic, or kill whoever takes them up.

use super::*;

async fn put(store: &Store, key: &str) {
    let now = to_timestamp(store.now());
    super::super::enqueue(store.pg(), Topic::PaymentClose, key, &serde_json::json!({}), now).await.unwrap();
}

/// Does what is due, panicking at one key; returns how many messages that were.
async fn round(store: &Store) -> usize {
    sqlx::query("UPDATE outbox SET due_at = '-infinity'").execute(store.pg()).await.unwrap();
    let batch = lease(store, &[Topic::PaymentClose], 10, Duration::ZERO).await.unwrap().unwrap_or_default();
    for message in &batch {
        let work = async { if message.key == "poison" { panic!("poisoned") } else { Ok(()) } };
        if attempt(store, message, work).await.unwrap().is_some() {
            done(store, message).await.unwrap();
        }
    }
    batch.len()
}

async fn letters(store: &Store) -> Vec<(String, String, i32)> {
    sqlx::query_as("SELECT key, error, attempts FROM dead_letters").fetch_all(store.pg()).await.unwrap()
}

#[tokio::test]
async fn a_panic_is_a_failure_of_its_own_message() {
    let store = crate::testkit::store().await;
    put(&store, "poison").await;
    for attempt in 1..=MAX_ATTEMPTS {
        assert!(letters(&store).await.is_empty(), "attempt {attempt}");
        put(&store, "good").await;
        assert_eq!(round(&store).await, 2);
    }
    assert_eq!(round(&store).await, 0, "the good ones are done, the bad one is parked");
    let error = "outbox.attempt: panicked: poisoned".to_owned();
    assert_eq!(letters(&store).await, [("payment.close:poison".to_owned(), error, MAX_ATTEMPTS)]);
}

/// Every lease ends with the death of its worker, at the message that it dies of.
#[tokio::test]
async fn what_its_workers_die_of_is_alone_and_then_parked() {
    let store = crate::testkit::store().await;
    put(&store, "deadly").await;
    put(&store, "neighbour").await;
    for lease_no in 1..=MAX_LEASES {
        put(&store, "fresh").await;
        sqlx::query("UPDATE outbox SET due_at = '-infinity' WHERE key <> 'fresh'").execute(store.pg()).await.unwrap();
        let batch = lease(&store, &[Topic::PaymentClose], 10, Duration::ZERO).await.unwrap().expect("due");
        let keys: Vec<&str> = batch.iter().map(|message| message.key.as_str()).collect();
        match lease_no >= super::super::ALONE_FROM {
            true => assert_eq!(keys, ["deadly"], "lease {lease_no}"),
            false => assert!(keys.contains(&"deadly") && keys.len() > 1, "lease {lease_no}: {keys:?}"),
        }
        for message in batch.iter().filter(|message| message.key == "deadly") {
            assert!(begin(&store, message).await.unwrap(), "lease {lease_no}");
        }
        // Another worker goes on with what is due, while the lease of the dead one lasts.
        while let Some(batch) = lease(&store, &[Topic::PaymentClose], 10, Duration::ZERO).await.unwrap() {
            for message in &batch {
                assert_ne!(message.key, "deadly");
                assert!(begin(&store, message).await.unwrap());
                done(&store, message).await.unwrap();
            }
        }
    }
    assert_eq!(round(&store).await, 1);
    let letters = letters(&store).await;
    assert_eq!((letters.len(), letters[0].0.as_str()), (1, "payment.close:deadly"));
    assert!(letters[0].1.contains("taken up 10 times without an outcome"), "{letters:?}");
    sqlx::query("UPDATE outbox SET due_at = '-infinity'").execute(store.pg()).await.unwrap();
    while round(&store).await > 0 {}
    assert_eq!(self::letters(&store).await.len(), 1, "the neighbours are done");
}
