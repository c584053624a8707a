//! Who did what behind the counter: written by whoever changes something, in the same transaction, and never changed.

mod action;
mod changes;
mod queries;

pub use action::Action;

use super::planned_anew;
use crate::{
    Store,
    error::{During, Error},
    viewer::Viewer,
    world::to_timestamp,
};
use changes::changes;
use domain::{
    AccountId, OrderId,
    account::Email,
    order::OrderNumber,
    people::{Actor, AuditEntry, AuditPage},
};
use queries::{Filter, Note};
use serde_json::Value;
use sqlx::PgExecutor;
use std::fmt::Display;

/// Entries of one page.
const PAGE: usize = 50;
/// Longest text of a filter, in characters.
const MAX_FILTER: usize = 254;
/// In the place of a role.
const COMMAND_LINE: &str = "command line";
const WORKER: &str = "worker";

/// Writes down that `admin` did this to that: `subject` like `("order", id)`; `before` and
/// `after` are objects of what is another one since, or null.
pub(crate) async fn note(
    db: impl PgExecutor<'_>,
    store: &Store,
    admin: &Viewer,
    action: Action,
    subject: (&str, &(dyn Display + Sync)),
    before: Value,
    after: Value,
) -> Result<(), Error> {
    let account = admin.owner.account().map(AccountId::get);
    write(db, store, (account, admin.role.as_str()), action, subject, [before, after]).await
}

/// The same for what is done by a command of the binary.
pub(crate) async fn note_command(
    db: impl PgExecutor<'_>,
    store: &Store,
    action: Action,
    subject: (&str, &(dyn Display + Sync)),
    after: Value,
) -> Result<(), Error> {
    write(db, store, (None, COMMAND_LINE), action, subject, [Value::Null, after]).await
}

/// The end of what somebody began and a worker did: it stands under the name of whoever began it.
pub(crate) async fn note_end(
    tx: &mut sqlx::PgTransaction<'_>,
    store: &Store,
    (begun, ended): (Action, Action),
    subject: (&str, &(dyn Display + Sync)),
    after: Value,
) -> Result<(), Error> {
    let begun = queries::who_did(&mut **tx, begun.as_str(), subject.0, &subject.1.to_string())
        .await
        .during("audit.note_end")?;
    let (account, role) = begun.unwrap_or((None, WORKER.to_owned()));
    write(&mut **tx, store, (account, &role), ended, subject, [Value::Null, after]).await
}

async fn write(
    db: impl PgExecutor<'_>,
    store: &Store,
    (account, role): (Option<i64>, &str),
    action: Action,
    (kind, id): (&str, &(dyn Display + Sync)),
    [before, after]: [Value; 2],
) -> Result<(), Error> {
    let there = |value: Value| (!value.is_null()).then_some(value);
    let action = action.as_str();
    let note = Note { account, role, action, kind, id: id.to_string(), before: there(before), after: there(after) };
    queries::insert(db, note, to_timestamp(store.now())).await.during("audit.note")
}

/// What somebody wants to read; an empty part lets everything through.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub person: Option<AccountId>,
    pub action: String,
    /// A kind (`order`), one of it (`order:…`), the number of an order, or the address of an account.
    pub subject: String,
    /// Only what is older than the entry of this id.
    pub before: Option<i64>,
}

/// What was done, the latest first.
pub async fn list(store: &Store, wanted: &Wanted) -> Result<AuditPage, Error> {
    const OPERATION: &str = "audit.list";
    let pg = store.postgres(OPERATION).await?;
    let (people, actions) = (people(store).await?, queries::actions(pg).await.during(OPERATION)?);
    let Some((kind, subject)) = subject(store, &short(&wanted.subject)).await? else {
        return Ok(AuditPage { entries: Vec::new(), people, actions, next: None });
    };
    let filter = Filter {
        account: wanted.person.map(AccountId::get),
        action: Some(short(&wanted.action)).filter(|action| !action.is_empty()),
        kind,
        subject,
        before: wanted.before,
    };
    let mut tx = planned_anew(store, OPERATION).await?;
    let mut rows = queries::list(&mut *tx, &filter, PAGE + 1).await.during(OPERATION)?;
    let has_more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let entries = rows.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let next = entries.last().filter(|_| has_more).map(|entry| entry.id);
    Ok(AuditPage { entries, people, actions, next })
}

async fn people(store: &Store) -> Result<Vec<Actor>, Error> {
    const OPERATION: &str = "audit.people";
    let rows = queries::people(store.postgres(OPERATION).await?).await.during(OPERATION)?;
    rows.into_iter().map(|(id, name)| Ok(Actor { account_id: account(id)?, name })).collect()
}

/// The kind and the id that a text names; `None`: it names nothing that there is.
async fn subject(store: &Store, text: &str) -> Result<Option<(Option<String>, Option<String>)>, Error> {
    const OPERATION: &str = "audit.subject";
    let pg = store.postgres(OPERATION).await?;
    let one = |kind: &str, id: Option<String>| id.map(|id| (Some(kind.to_owned()), Some(id)));
    if text.is_empty() {
        return Ok(Some((None, None)));
    }
    if let Ok(number) = OrderNumber::parse(text) {
        let order = queries::order(pg, number.as_str()).await.during(OPERATION)?;
        return Ok(one("order", order.map(|order| OrderId::new(order).to_string())));
    }
    if let Ok(email) = Email::parse(text) {
        let account = queries::account(pg, email.as_str()).await.during(OPERATION)?;
        return Ok(one("account", account.map(|account| account.to_string())));
    }
    Ok(Some(match text.split_once(':') {
        Some((kind, id)) => (Some(kind.to_owned()), Some(id.to_owned())),
        None => (Some(text.to_owned()), None),
    }))
}

fn entry(row: queries::Row) -> Result<AuditEntry, Error> {
    let by = match row.account_id.zip(row.name) {
        Some((id, name)) => Some(Actor { account_id: account(id)?, name }),
        None => None,
    };
    Ok(AuditEntry {
        id: row.id,
        at: crate::world::from_timestamp(row.at),
        by,
        role: row.role,
        action: row.action,
        subject_kind: row.subject_kind,
        subject_id: row.subject_id,
        subject: row.subject,
        changes: changes(row.before, row.after),
    })
}

fn account(id: i64) -> Result<AccountId, Error> {
    AccountId::new(id).map_err(|error| Error::unexpected("audit.account", error.to_string()))
}

fn short(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(MAX_FILTER).collect()
}
