//! The gate's scripts for stock: one operation, and the installation of a rebuild.

use super::queries::{Line, Operation};
use crate::{
    Store,
    error::{During, Error},
};
use domain::{OrderId, Owner};
use std::sync::LazyLock;

/// How long the gate remembers an applied operation: far longer than any worker may sleep with one in hand.
pub(super) const OPERATION_LIFE_S: i64 = 7 * 24 * 3600;

static APPLY: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../lua/gate_apply.lua")));
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
    call.key(keys.operation(operation.id)).key(keys.stock()).key(keys.changes()).key(keys.epoch()).key(keys.loading());
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
    match answer.as_str() {
        "APPLIED" => Ok(ApplyAnswer::Applied),
        "ALREADY" => Ok(ApplyAnswer::Already),
        other => Err(Error::unexpected(OPERATION, format!("answered {other}"))),
    }
}

/// Whether a rebuild was installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoadAnswer {
    Loaded,
    /// Something happened that it has not counted.
    Superseded,
}

pub(super) async fn load(store: &Store, token: &str, run_id: &str) -> Result<LoadAnswer, Error> {
    const OPERATION: &str = "stock.script_load";
    let keys = store.keys();
    let mut call = LOAD.prepare_invoke();
    call.key(keys.epoch())
        .key(keys.loading())
        .key(keys.stock())
        .key(keys.stock_staged(token))
        .key(keys.run_id())
        .arg(token)
        .arg(store.now().get())
        .arg(run_id);
    let answer: String = call.invoke_async(&mut store.redis()).await.during(OPERATION)?;
    match answer.as_str() {
        "LOADED" => Ok(LoadAnswer::Loaded),
        "SUPERSEDED" => Ok(LoadAnswer::Superseded),
        other => Err(Error::unexpected(OPERATION, format!("answered {other}"))),
    }
}
