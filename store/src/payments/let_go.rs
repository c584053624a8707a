//! Money that fits nothing and was kept apart: a person has dealt with it, and the shop stops telling of it.

use super::queries;
use crate::{
    Store,
    admin::audit::{self, Action},
    error::{During, Error},
    jobs::{self, Topic},
    viewer::Viewer,
    world::to_timestamp,
};
use domain::{ApiError, ErrorCode, OrderId};
use serde_json::json;

const OPERATION: &str = "payments.let_go";
/// Longest reason, in characters.
const MAX_REASON: usize = 200;

/// Ends the dead letter of the event, for a reason that is kept with it. `agreed`: the mark of the consequence that a person
/// has read; `None`: nobody needs to.
pub async fn let_go(
    store: &Store,
    admin: &Viewer,
    event: i64,
    reason: &str,
    agreed: Option<&str>,
) -> Result<(), Error> {
    let reason = checked(reason)?;
    let at = to_timestamp(store.now());
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    let apart = queries::lock_apart(&mut *tx, event).await.during(OPERATION)?;
    let apart = apart.ok_or_else(|| ApiError::not_found("that payment; somebody may have let it go already"))?;
    if agreed.is_some_and(|agreed| agreed != mark(event)) {
        return Err(asked(event, apart.brings_money, apart.number.as_deref()).into());
    }
    if !queries::end_letter(&mut *tx, event, reason, at).await.during(OPERATION)? {
        // Its letter was tried again, or never was: what is known now is kept.
        queries::insert_ended_letter(&mut *tx, event, reason, at).await.during(OPERATION)?;
    }
    if let Some(order) = apart.order_id.map(OrderId::new) {
        jobs::enqueue(&mut *tx, Topic::OrderChanged, &order.to_string(), &json!({}), at).await.during(OPERATION)?;
    }
    let (before, after) = (json!({ "money_came": apart.brings_money }), json!({ "reason": reason }));
    audit::note(&mut *tx, store, admin, Action::MoneyLetGo, ("event", &event), before, after).await?;
    tx.commit().await.during(OPERATION)?;
    tracing::info!(inbox.id = event, account = %admin.owner, "kept apart no longer");
    Ok(())
}

fn checked(reason: &str) -> Result<&str, ApiError> {
    let reason = reason.trim();
    let wrong = match reason {
        "" => "Say what became of it: the next person reads it.",
        _ if reason.chars().count() > MAX_REASON => "At most 200 characters.",
        _ if reason.chars().any(char::is_control) => "One line, please.",
        _ => return Ok(reason),
    };
    Err(ApiError::fields([("reason".to_owned(), wrong.to_owned())].into()))
}

fn mark(event: i64) -> String {
    format!("let-go-{event}")
}

fn asked(event: i64, brings_money: bool, number: Option<&str>) -> ApiError {
    let of = number.map_or_else(|| "This event".to_owned(), |number| format!("This event of order {number}"));
    let consequence = if brings_money {
        "brought money that stays at the provider's account of the shop: nothing here sends it back any more, and no list \
         tells of it."
    } else {
        "is not looked at again, and no list tells of it."
    };
    ApiError::new(ErrorCode::NeedsConfirmation, format!("{of} {consequence}")).field("agreed", mark(event))
}
