//! Promise 3: one order per owner and key, under the id that both name, here and at the gate.

use super::{Finding, queries, redis_side, snapshot};
use crate::{
    Store,
    error::{During, Error},
    orders::draft::order_id,
    stock::keyspace::{Scan, exist},
};
use domain::{IdempotencyKey, OrderId, Owner, order::Placed};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use uuid::Uuid;

const OPERATION: &str = "check.promise_3";
const PAGE: i64 = 5_000;
/// Between two looks for an order that seems to be nowhere: it may just be on its way into Postgres.
const PAUSE: Duration = Duration::from_millis(300);

pub(super) async fn check(store: &Store) -> Result<Finding, Error> {
    let mut finding = Finding::new("3: one click, one order");
    let mut violations = ledger(store, &mut finding).await?;
    let mut scan = Scan::new(store.keys().idempotencies());
    let mut records = 0;
    while let Some(names) = scan.next(store).await? {
        records += names.len();
        violations.extend(gate_records(store, &names).await?);
    }
    finding.count("keys_at_the_gate", records);
    finding.violated(violations);
    Ok(finding)
}

async fn ledger(store: &Store, finding: &mut Finding) -> Result<Vec<String>, Error> {
    let mut tx = snapshot(store).await?;
    let mut violations = queries::repeated_keys(&mut tx).await.during(OPERATION)?;
    let (mut count, mut last) = (0, Uuid::nil());
    loop {
        let page = queries::keys_page(&mut tx, last, PAGE).await.during(OPERATION)?;
        let Some(end) = page.last() else { break };
        (count, last) = (count + page.len(), end.id);
        for row in page {
            let named = row.owner.parse::<Owner>().ok().zip(IdempotencyKey::parse(&row.idempotency_key).ok());
            if named.map(|(owner, key)| order_id(&owner, &key).get()) != Some(row.id) {
                let (owner, key) = (row.owner, row.idempotency_key);
                violations.push(format!("order {} is not the one that {owner} and key {key} name", row.id));
            }
        }
    }
    finding.count("orders", count);
    Ok(violations)
}

/// A key's record at the gate.
struct Record {
    name: String,
    order: Uuid,
    fingerprint: String,
}

/// `names`: `<owner>:<key>` of each record.
async fn gate_records(store: &Store, names: &[String]) -> Result<Vec<String>, Error> {
    let prefix = store.keys().idempotencies();
    let keys: Vec<String> = names.iter().map(|name| format!("{prefix}{name}")).collect();
    let mut violations = Vec::new();
    let mut records = Vec::new();
    for (name, fields) in names.iter().zip(redis_side::fields(store, &keys, "fingerprint", "answer").await?) {
        match record(name, fields) {
            Ok(record) => records.extend(record),
            Err(line) => violations.push(line),
        }
    }
    let missing = against_ledger(store, &records, &mut violations).await?;
    if !missing.is_empty() {
        violations.extend(lost(store, missing).await?);
    }
    Ok(violations)
}

/// `None`: gone by now, its 48 hours were over.
fn record(name: &str, fields: (Option<String>, Option<String>)) -> Result<Option<Record>, String> {
    let unreadable = || format!("the gate's record of {name} is unreadable");
    let (fingerprint, answer) = match fields {
        (None, None) => return Ok(None),
        (Some(fingerprint), Some(answer)) => (fingerprint, answer),
        _ => return Err(unreadable()),
    };
    let answer: Placed = serde_json::from_str(&answer).map_err(|_| unreadable())?;
    let (owner, key) = split(name).ok_or_else(unreadable)?;
    let order = answer.order_id;
    match order == order_id(&owner, &key) {
        true => Ok(Some(Record { name: name.to_owned(), order: order.get(), fingerprint })),
        false => Err(format!("the gate answers {name} with order {order}, which it does not name")),
    }
}

/// An owner is `a:…` or `g:…`; whatever follows is the key, colons included.
fn split(name: &str) -> Option<(Owner, IdempotencyKey)> {
    let end = name.match_indices(':').nth(1)?.0;
    Some((name[..end].parse().ok()?, IdempotencyKey::parse(&name[end + 1..]).ok()?))
}

/// Compares with the orders in Postgres; returns those that are not there.
async fn against_ledger<'a>(
    store: &Store,
    records: &'a [Record],
    violations: &mut Vec<String>,
) -> Result<Vec<&'a Record>, Error> {
    let ids: Vec<Uuid> = records.iter().map(|record| record.order).collect();
    let rows = queries::fingerprints(store.pg(), &ids).await.during(OPERATION)?;
    let rows: HashMap<Uuid, String> = rows.into_iter().map(|row| (row.id, row.fingerprint)).collect();
    let mut missing = Vec::new();
    for record in records {
        match rows.get(&record.order) {
            Some(fingerprint) if *fingerprint == record.fingerprint => {}
            Some(_) => violations.push(format!("the gate and order {} differ about the request", record.order)),
            None => missing.push(record),
        }
    }
    Ok(missing)
}

/// Accepted orders that are neither in Postgres, nor held by the gate, nor parked for an admin.
async fn lost(store: &Store, missing: Vec<&Record>) -> Result<Vec<String>, Error> {
    let keys: Vec<String> = missing.iter().map(|record| store.keys().reservation(OrderId::new(record.order))).collect();
    let held = exist(store, &keys).await?;
    let suspects: Vec<&Record> = missing.into_iter().zip(held).filter(|(_, held)| !held).map(|(r, _)| r).collect();
    if suspects.is_empty() {
        return Ok(Vec::new());
    }
    tokio::time::sleep(PAUSE).await;
    let ids: Vec<Uuid> = suspects.iter().map(|record| record.order).collect();
    let written = queries::written(store.pg(), &ids).await.during(OPERATION)?;
    let written: HashSet<Uuid> = written.into_iter().collect();
    let texts: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let parked = queries::parked_orders(store.pg(), &texts).await.during(OPERATION)?;
    let is_lost = |record: &&Record| !written.contains(&record.order) && !parked.contains(&record.order.to_string());
    let lines = suspects.into_iter().filter(is_lost);
    Ok(lines.map(|record| format!("order {} of {} was accepted and is nowhere", record.order, record.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_hold_colons() {
        let read = |name: &str| split(name).map(|(owner, key)| format!("{owner} {key}"));
        assert_eq!(read("a:7:x:y").as_deref(), Some("a:7 x:y"));
        let guest = "g:6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
        assert_eq!(read(&format!("{guest}:k")), Some(format!("{guest} k")));
        assert_eq!(read("a:7"), None);
        assert_eq!(read("a:7:"), None);
    }
}
