//! `bazar check`: proves the design's promises over live data.
//!
//! The shop runs on while it is looked at. What Postgres alone can answer is asked in one statement, which sees one
//! moment. What needs Redis too is read twice: what moved in between is read again, and only what stands still and is
//! wrong counts as a violation.

mod carts;
mod ends;
mod gate;
mod keys;
mod money;
mod queries;
mod redis_side;
mod work;

use crate::{
    Store,
    error::{During, Error},
    stock::view::Drift,
};

/// Examples given of one promise's violations.
const MAX_EXAMPLES: usize = 20;
/// A check reads whole tables: more than a request may.
const STATEMENT_TIMEOUT: &str = "SET LOCAL statement_timeout = '300s'";

/// One promise, looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The promise's number and name.
    pub promise: &'static str,
    /// What was counted: `("books", 9278)`.
    pub figures: Vec<(&'static str, i64)>,
    /// What broke it, at most 20 examples; empty: it holds.
    pub violations: Vec<String>,
}

/// Looks at promises 1 and 3 to 6, and at the carts; safe while the shop runs (what is in flight is not a violation).
pub async fn run(store: &Store) -> Result<Vec<Finding>, Error> {
    Ok(with_drift(store).await?.0)
}

/// The same, and the books of which gate and ledger say different numbers.
pub(crate) async fn with_drift(store: &Store) -> Result<(Vec<Finding>, Vec<Drift>), Error> {
    let (gate, drift) = gate::check(store).await?;
    let findings = vec![
        gate,
        keys::check(store).await?,
        money::check(store).await?,
        ends::check(store).await?,
        carts::check(store).await?,
        work::check(store).await?,
    ];
    Ok((findings, drift))
}

/// Those of these books that stand still now and do not add up.
pub(crate) async fn drift(store: &Store, books: &[i64]) -> Result<Vec<Drift>, Error> {
    gate::drift(store, books).await
}

/// Looks at the carts only.
pub async fn carts(store: &Store) -> Result<Finding, Error> {
    carts::check(store).await
}

impl Finding {
    fn new(promise: &'static str) -> Self {
        Self { promise, figures: Vec::new(), violations: Vec::new() }
    }

    fn count(&mut self, what: &'static str, figure: usize) {
        self.figures.push((what, i64::try_from(figure).unwrap_or(i64::MAX)));
    }

    /// Keeps the first examples; the figure `violations` tells them all.
    fn violated(&mut self, all: Vec<String>) {
        self.count("violations", all.len());
        self.violations = all;
        self.violations.truncate(MAX_EXAMPLES);
    }
}

/// A transaction in which every statement sees the same moment, with time for whole tables.
async fn snapshot(store: &Store) -> Result<sqlx::PgTransaction<'static>, Error> {
    const OPERATION: &str = "check.snapshot";
    let mut tx = store.pg().begin().await.during(OPERATION)?;
    for setting in ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", STATEMENT_TIMEOUT] {
        sqlx::raw_sql(setting).execute(&mut *tx).await.during(OPERATION)?;
    }
    Ok(tx)
}
