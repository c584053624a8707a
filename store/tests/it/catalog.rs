//! The catalogue against real servers: what shoppers find, what is cached, what an import does.

mod addresses;
mod cached;
mod edit;
mod editor;
mod files;
mod found;
mod import;
mod lists;

use store::{Store, catalog, testkit};

/// A shop with the demo catalogue.
async fn demo_shop() -> Store {
    let store = testkit::store().await;
    catalog::seed_demo(&store).await.expect("the demo catalogue is imported");
    store
}

/// A connection of the test's own.
async fn pg(store: &Store) -> sqlx::PgConnection {
    use sqlx::Connection;
    sqlx::PgConnection::connect(&store.config().database_url).await.expect("connect to the test's database")
}

pub async fn count(store: &Store, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&mut pg(store).await).await.expect("a count")
}
