//! The gate's scripts for stock: one operation, and the installation of a rebuild.

use super::queries::{Line, Operation, OperationId};
use crate::{
    Store,
    error::{During, Error},
};
use domain::{OrderId, Owner};
use std::sync::LazyLock;

/// How long the gate remembers an applied operation: an hour longer than Postgres keeps its row ([`crate::jobs::Prune`]).
pub(super) const OPERATION_LIFE_S: i64 = 25 * 3600;

static APPLY: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../lua/gate_apply.lua")));
static TAKE: LazyLock<redis::Script> = LazyLock::new(|| redis::Script::new(include_str!("../../../lua/gate_take.lua")));
static CLOSE: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../lua/stock_close.lua")));
static SWEEP: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../lua/stock_sweep.lua")));
static LOAD: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../lua/stock_load.lua")));

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApplyAnswer {
    Applied,
    /// Applied before, or part of a rebuild.
    Already,
}

/// Applies a row of `gate_ops`; `owner`: whose hold ends with it.
pub(super) async fn apply(store: &Store, operation: &Operation, owner: Option<Owner>) -> Result<ApplyAnswer, Error> {
    const OPERATION: &str = "stock.script_apply";
    let keys = store.keys();
    let mut call = APPLY.prepare_invoke();
    let OperationId { id, at } = operation.name();
    call.key(keys.operation(id, at)).key(keys.stock()).key(keys.changes()).key(keys.epoch()).key(keys.loading());
    let mut order_id = String::new();
    if let Some(order) = operation.order_id.map(OrderId::new) {
        // Without an owner there is no reservation either; any key of the slot will do.
        let holds = owner.map_or_else(|| keys.loading(), |owner| keys.holds(&owner));
        call.key(keys.reservation(order)).key(holds);
        order_id = order.to_string();
    }
    call.arg(&operation.kind).arg(order_id).arg(OPERATION_LIFE_S).arg(keys.live_stock());
    for Line { book, copies } in operation.lines()? {
        call.arg(book).arg(copies);
    }
    let answer: String = call.invoke_async(&mut store.redis()).await.during(OPERATION)?;
    apply_answer(&answer).ok_or_else(|| Error::unexpected(OPERATION, format!("answered {answer}")))
}

fn apply_answer(code: &str) -> Option<ApplyAnswer> {
    match code {
        "APPLIED" => Some(ApplyAnswer::Applied),
        "ALREADY" => Some(ApplyAnswer::Already),
        _ => None,
    }
}

/// How much of what is wanted must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Every line in full.
    Whole,
    /// Of each line what is on sale.
    Part,
}

/// Whether copies could be taken off sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TakeAnswer {
    /// So many of each line.
    Taken(Vec<i32>),
    /// Not the whole; so many are left of a book.
    Short(i64),
    NotReady,
}

/// Takes copies (each book once) off sale as this operation, whose row is not committed yet.
pub(super) async fn take(
    store: &Store,
    operation: OperationId,
    lines: &[Line],
    extent: Extent,
) -> Result<TakeAnswer, Error> {
    const OPERATION: &str = "stock.script_take";
    let keys = store.keys();
    let mut run = store.redis_run().await?;
    let mut call = TAKE.prepare_invoke();
    let OperationId { id, at } = operation;
    call.key(keys.operation(id, at)).key(keys.stock()).key(keys.changes()).key(keys.epoch()).key(keys.suspects());
    call.key(keys.run_id());
    let extent = match extent {
        Extent::Whole => "whole",
        Extent::Part => "part",
    };
    call.arg(extent).arg(OPERATION_LIFE_S).arg(keys.live_stock()).arg(&*run.id);
    for line in lines {
        call.arg(line.book).arg(line.copies);
    }
    let answer: Vec<String> = call.invoke_async(&mut run.connection).await.during(OPERATION)?;
    take_answer(&answer).ok_or_else(|| Error::unexpected(OPERATION, format!("answered {answer:?}")))
}

fn take_answer(answer: &[String]) -> Option<TakeAnswer> {
    let (code, rest) = answer.split_first()?;
    match code.as_str() {
        "TAKEN" => Some(TakeAnswer::Taken(rest.iter().map(|copies| copies.parse().ok()).collect::<Option<_>>()?)),
        "SHORT" => Some(TakeAnswer::Short(rest.first()?.parse().ok()?)),
        "NOT_READY" => Some(TakeAnswer::NotReady),
        _ => None,
    }
}

/// Whether a rebuild may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseAnswer {
    Closed,
    /// There is nothing to rebuild.
    Open,
}

/// Closes the gate for the rebuild named `token`, unless it is loaded in this run of Redis.
pub(super) async fn close(store: &Store, token: &str, run_id: &str) -> Result<CloseAnswer, Error> {
    const OPERATION: &str = "stock.script_close";
    let keys = store.keys();
    let mut call = CLOSE.prepare_invoke();
    call.key(keys.epoch()).key(keys.run_id()).key(keys.loading()).key(keys.reclaims()).arg(token).arg(run_id);
    let answer: String = call.invoke_async(&mut store.redis()).await.during(OPERATION)?;
    close_answer(&answer).ok_or_else(|| Error::unexpected(OPERATION, format!("answered {answer}")))
}

fn close_answer(code: &str) -> Option<CloseAnswer> {
    match code {
        "CLOSED" => Some(CloseAnswer::Closed),
        "OPEN" => Some(CloseAnswer::Open),
        _ => None,
    }
}

/// Deletes these reservations or holds, as long as the rebuild named `token` is the one under way; else it is overtaken.
pub(super) async fn sweep(store: &Store, token: &str, gone: &[String]) -> Result<(), Error> {
    const OPERATION: &str = "stock.script_sweep";
    let mut call = SWEEP.prepare_invoke();
    call.key(store.keys().loading()).key(gone).arg(token);
    let answer: String = call.invoke_async(&mut store.redis()).await.during(OPERATION)?;
    swept(OPERATION, &answer)
}

fn swept(operation: &'static str, code: &str) -> Result<(), Error> {
    match code {
        "SWEPT" => Ok(()),
        "SUPERSEDED" => Err(Error::Overtaken { operation, message: "another rebuild of the gate came in between" }),
        _ => Err(Error::unexpected(operation, format!("answered {code}"))),
    }
}

/// Whether a rebuild was installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoadAnswer {
    Loaded,
    /// Something happened that it has not counted.
    Superseded,
}

pub(super) async fn load(store: &Store, token: &str, run_id: &str, epoch: i64) -> Result<LoadAnswer, Error> {
    const OPERATION: &str = "stock.script_load";
    let keys = store.keys();
    let mut call = LOAD.prepare_invoke();
    call.key(keys.epoch())
        .key(keys.loading())
        .key(keys.stock())
        .key(keys.stock_staged(token))
        .key(keys.run_id())
        .arg(token)
        .arg(epoch)
        .arg(run_id)
        .arg(keys.live_stock());
    let answer: String = call.invoke_async(&mut store.redis()).await.during(OPERATION)?;
    load_answer(&answer).ok_or_else(|| Error::unexpected(OPERATION, format!("answered {answer}")))
}

fn load_answer(code: &str) -> Option<LoadAnswer> {
    match code {
        "LOADED" => Some(LoadAnswer::Loaded),
        "SUPERSEDED" => Some(LoadAnswer::Superseded),
        _ => None,
    }
}

/// The codes that a script's header promises after `Returns`.
#[cfg(test)]
pub(crate) fn promised_codes(script: &'static str) -> Vec<&'static str> {
    let header = script.lines().take_while(|line| line.starts_with("--"));
    let returns = header.skip_while(|line| !line.starts_with("-- Returns")).flat_map(|line| {
        // A code is the first word of a line, or of what follows a dot in the middle.
        line.trim_start_matches("-- ").trim_start_matches("Returns").split('·')
    });
    let first = returns.filter_map(|part| {
        part.trim().trim_start_matches(['{', '\'']).split(|c: char| !c.is_ascii_uppercase() && c != '_').next()
    });
    first.filter(|code| code.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrappers_know_every_code_that_the_headers_promise() {
        let apply = promised_codes(include_str!("../../../lua/gate_apply.lua"));
        assert_eq!(apply, ["APPLIED", "ALREADY"]);
        assert!(apply.into_iter().all(|code| apply_answer(code).is_some()));
        let take = promised_codes(include_str!("../../../lua/gate_take.lua"));
        assert_eq!(take, ["TAKEN", "SHORT", "NOT_READY"]);
        assert!(take.into_iter().all(|code| take_answer(&[code.to_owned(), "3".to_owned()]).is_some()));
        let close = promised_codes(include_str!("../../../lua/stock_close.lua"));
        assert_eq!(close, ["CLOSED", "OPEN"]);
        assert!(close.into_iter().all(|code| close_answer(code).is_some()));
        let sweep = promised_codes(include_str!("../../../lua/stock_sweep.lua"));
        assert_eq!(sweep, ["SWEPT", "SUPERSEDED"]);
        assert!(swept("test", "SWEPT").is_ok());
        assert!(matches!(swept("test", "SUPERSEDED"), Err(Error::Overtaken { .. })));
        let load = promised_codes(include_str!("../../../lua/stock_load.lua"));
        assert_eq!(load, ["LOADED", "SUPERSEDED"]);
        assert!(load.into_iter().all(|code| load_answer(code).is_some()));
    }
}
