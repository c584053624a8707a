//! `bazar migrate`: brings the schema up to date; safe from several machines at once.

use crate::failure::Failure;
use store::Store;

pub async fn run(store: &Store) -> Result<(), Failure> {
    store.migrate().await?;
    println!("the database is up to date");
    Ok(())
}
