//! Promise 4: PAID means exactly one captured payment of exactly that amount, and nobody else holds money;
//! money that came late is being decided about, or on its way back; what fits nothing is seen to by a person; REFUNDED
//! means that all of it is back; and that amount is the order's lines and its delivery.

use super::{Finding, queries, snapshot};
use crate::{
    Store,
    error::{During, Error},
};

const OPERATION: &str = "check.promise_4";

pub(super) async fn check(store: &Store) -> Result<Finding, Error> {
    let mut finding = Finding::new("4: paid means paid");
    let mut tx = snapshot(store).await?;
    let totals = queries::totals(&mut tx).await.during(OPERATION)?;
    finding.figures.extend([("paid_orders", totals.paid), ("payments", totals.payments)]);
    let mut violations = queries::wrong_money(&mut tx).await.during(OPERATION)?;
    violations.extend(queries::wrong_totals(&mut tx).await.during(OPERATION)?);
    violations.extend(queries::excess_refunds(&mut tx).await.during(OPERATION)?);
    violations.extend(queries::idle_money(&mut tx).await.during(OPERATION)?);
    violations.extend(queries::kept_money(&mut tx).await.during(OPERATION)?);
    violations.extend(queries::money_for_nothing(&mut tx).await.during(OPERATION)?);
    violations.extend(queries::money_apart(&mut tx).await.during(OPERATION)?);
    finding.violated(violations);
    Ok(finding)
}
