//! Two people of the shop act on one order at once: one wins, and the other is told who did what.

use super::queries::{self, SignedStep};
use crate::{
    Store,
    error::{During, Error},
    viewer::Viewer,
    world::from_timestamp,
};
use domain::{ApiError, ErrorCode, OrderId, UnixMillis, order::Cause};

/// Whoever did something longer ago was not quicker, but earlier.
const LATELY_MS: i64 = 5 * 60_000;

/// What a step that could not be taken any more is answered with. `is_done`: the order stands where the step leads, by the
/// step `cause`; whoever took it themselves may press again. Otherwise `refusal` says what is in the way, and who put it there.
pub(super) async fn answer(
    store: &Store,
    me: &Viewer,
    order: OrderId,
    (cause, is_done): (Cause, bool),
    refusal: &str,
) -> Result<(), Error> {
    let steps = queries::signed_steps(store.pg(), order).await.during("orders.quicker")?;
    let mine = me.owner.account().map(|account| account.get());
    let step = match is_done {
        true => steps.iter().find(|step| step.cause == cause.as_str()),
        false => steps.first(),
    };
    let other = step.filter(|step| Some(step.actor) != mine);
    match other {
        None if is_done => Ok(()),
        None => Err(ApiError::new(ErrorCode::Conflict, refusal).into()),
        Some(step) => Err(told(store, step, if is_done { "Nothing is left to do here." } else { refusal }).into()),
    }
}

/// The refusal of what an earlier step is in the way of; if the last step of that kind was another person's, and just now,
/// it says whose.
pub(crate) async fn by_whom(
    store: &Store,
    me: &Viewer,
    order: OrderId,
    kinds: &[Cause],
    refusal: &str,
) -> Result<ApiError, Error> {
    let steps = queries::signed_steps(store.pg(), order).await.during("orders.by_whom")?;
    let mine = me.owner.account().map(|account| account.get());
    let last = steps.iter().find(|step| kinds.iter().any(|kind| kind.as_str() == step.cause));
    let is_recent = |at| store.now().since(from_timestamp(at)) < LATELY_MS;
    let other = last.filter(|step| Some(step.actor) != mine && is_recent(step.at));
    Ok(other.map_or_else(|| ApiError::new(ErrorCode::Conflict, refusal), |step| told(store, step, refusal)))
}

fn told(store: &Store, step: &SignedStep, then: &str) -> ApiError {
    let did = Cause::parse(&step.cause).map_or("changed it", did);
    let when = ago(store.now(), from_timestamp(step.at));
    ApiError::new(ErrorCode::Conflict, format!("{} was quicker and {did} {when}. {then}", step.name))
}

const fn did(cause: Cause) -> &'static str {
    match cause {
        Cause::FulfilmentStarted => "started packing",
        Cause::HandedToCarrier => "handed the parcel to the carrier",
        Cause::Arrived => "marked the parcel as arrived",
        Cause::AdminCancelled => "cancelled the order",
        Cause::RefundRequested => "sent money back",
        _ => "changed the order",
    }
}

/// `just now`, `3 minutes ago`
pub(crate) fn ago(now: UnixMillis, at: UnixMillis) -> String {
    use domain::words::counted;
    let minutes = now.since(at).max(0).unsigned_abs() / 60_000;
    match minutes {
        0 => "just now".to_owned(),
        minutes @ 1..60 => format!("{} ago", counted(minutes, "minute", "minutes")),
        minutes @ 60..1440 => format!("{} ago", counted(minutes / 60, "hour", "hours")),
        minutes => format!("{} ago", counted(minutes / 1440, "day", "days")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_do() {
        let said = |ms| ago(UnixMillis::new(ms), UnixMillis::new(0));
        let times = [-5, 59_999, 60_000, 3_599_999, 7_200_000, 200_000_000].map(said);
        assert_eq!(times, ["just now", "just now", "1 minute ago", "59 minutes ago", "2 hours ago", "2 days ago"]);
    }
}
