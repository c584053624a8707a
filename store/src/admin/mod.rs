//! What the people of the shop see and do. Callers have checked what they may.

pub mod audit;
pub mod board;
pub mod books;
pub mod customers;
pub mod desk;
pub mod figures;
pub mod health;
pub mod staff;
mod views;
pub mod work;

pub(crate) use views::Views;

use crate::{
    Store,
    error::{During, Error},
};

/// For a list whose filters are mostly absent: it is planned anew for those that are there, each time. The plan that the
/// server keeps for all of them alike reads the whole table.
async fn planned_anew(store: &Store, operation: &'static str) -> Result<sqlx::PgTransaction<'static>, Error> {
    let mut tx = store.postgres(operation).await?.begin().await.during(operation)?;
    sqlx::raw_sql("SET LOCAL plan_cache_mode = force_custom_plan").execute(&mut *tx).await.during(operation)?;
    Ok(tx)
}

/// A pattern that finds the text anywhere, with the pattern's own signs taken literally.
fn like(text: &str) -> String {
    let escaped: String =
        text.chars().flat_map(|c| matches!(c, '%' | '_' | '\\').then_some('\\').into_iter().chain([c])).collect();
    format!("%{escaped}%")
}
