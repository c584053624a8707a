//! The scripts that mend: each only if what was judged is still so.

use crate::{
    Store,
    error::{During, Error},
    orders::draft::Draft,
    stock::view::Drift,
};
use domain::{OrderId, Owner};
use std::sync::LazyLock;

static MEND: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../../lua/stock_mend.lua")));
static CLEAR: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../../lua/stock_clear.lua")));
static FORGET: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../../lua/gate_forget.lua")));
static AGAIN: LazyLock<redis::Script> =
    LazyLock::new(|| redis::Script::new(include_str!("../../../../lua/order_again.lua")));

/// Sets the book's copies to what is expected; `false`: it moved.
pub(super) async fn mend(store: &Store, epoch: &str, drift: &Drift) -> Result<bool, Error> {
    const OPERATION: &str = "stock.script_mend";
    let keys = store.keys();
    let mut call = MEND.prepare_invoke();
    call.key(keys.epoch())
        .key(keys.stock())
        .key(keys.changes())
        .arg(epoch)
        .arg(drift.book)
        .arg(drift.counter.map(|counter| counter.to_string()).unwrap_or_default())
        .arg(drift.at_gate)
        .arg(drift.expected())
        .arg(keys.live_stock());
    done(OPERATION, &call.invoke_async::<String>(&mut store.redis()).await.during(OPERATION)?)
}

/// These books are suspects no more, each if its counter of changes is still the one at which it was found right.
pub(super) async fn clear(store: &Store, right: &[(i64, Option<i64>)]) -> Result<(), Error> {
    const OPERATION: &str = "stock.script_clear";
    let mut call = CLEAR.prepare_invoke();
    call.key(store.keys().suspects()).key(store.keys().changes());
    for (book, counter) in right {
        call.arg(book).arg(counter.map(|counter| counter.to_string()).unwrap_or_default());
    }
    let answer: String = call.invoke_async(&mut store.redis()).await.during(OPERATION)?;
    done(OPERATION, &answer).map(drop)
}

/// Takes an order's reservation and hold away; `false`: there is another one by now. `kept`: the order as it stood in
/// the reservation, empty if there was none.
pub(super) async fn forget(store: &Store, order: OrderId, owner: Option<&Owner>, kept: &str) -> Result<bool, Error> {
    const OPERATION: &str = "stock.script_forget";
    let keys = store.keys();
    let mut call = FORGET.prepare_invoke();
    // Without an owner there is no hold either; any key of the slot will do.
    let holds = owner.map_or_else(|| keys.loading(), |owner| keys.holds(owner));
    call.key(keys.reservation(order)).key(holds).arg(order.to_string()).arg(kept);
    done(OPERATION, &call.invoke_async::<String>(&mut store.redis()).await.during(OPERATION)?)
}

/// Puts an accepted order back into the stream; `false`: its reservation is another one by now.
pub(super) async fn again(store: &Store, draft: &Draft, kept: &str) -> Result<bool, Error> {
    const OPERATION: &str = "stock.script_again";
    let lines: Vec<String> = draft.copies().iter().map(|line| format!("{}:{}", line.book, line.copies)).collect();
    let mut call = AGAIN.prepare_invoke();
    call.key(store.keys().placed())
        .key(store.keys().reservation(draft.order_id))
        .arg(draft.order_id.to_string())
        .arg(draft.placed_at.get())
        .arg(lines.join(","))
        .arg(kept);
    done(OPERATION, &call.invoke_async::<String>(&mut store.redis()).await.during(OPERATION)?)
}

/// Whether the script did it, by its answer.
fn done(operation: &'static str, code: &str) -> Result<bool, Error> {
    match code {
        "MENDED" | "FORGOTTEN" | "AGAIN" | "CLEARED" => Ok(true),
        "MOVED" | "CHANGED" => Ok(false),
        _ => Err(Error::unexpected(operation, format!("answered {code}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::promised_codes;

    #[test]
    fn the_wrappers_know_every_code_that_the_headers_promise() {
        let scripts = [
            (promised_codes(include_str!("../../../../lua/stock_mend.lua")), ["MENDED", "MOVED"]),
            (promised_codes(include_str!("../../../../lua/gate_forget.lua")), ["FORGOTTEN", "CHANGED"]),
            (promised_codes(include_str!("../../../../lua/order_again.lua")), ["AGAIN", "CHANGED"]),
        ];
        for (promised, codes) in scripts {
            assert_eq!(promised, codes);
            assert_eq!(done("test", codes[0]).ok(), Some(true));
            assert_eq!(done("test", codes[1]).ok(), Some(false));
        }
        assert_eq!(promised_codes(include_str!("../../../../lua/stock_clear.lua")), ["CLEARED"]);
        assert_eq!(done("test", "CLEARED").ok(), Some(true));
        assert!(done("test", "NONSENSE").is_err());
    }
}
