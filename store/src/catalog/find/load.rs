//! What the index is made of, from Postgres.

use super::index::Source;
use crate::{
    Store,
    catalog::queries,
    error::{During, Error},
    outage,
};
use domain::BookId;

/// Books of one query.
const PAGE: i64 = 5_000;

/// All books on sale.
pub(super) async fn books(store: &Store) -> Result<Vec<Source>, Error> {
    const OPERATION: &str = "catalog.index";
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let ask = async { queries::findable(store.pg(), after, PAGE).await.during(OPERATION) };
        let page = store.ask_postgres(OPERATION, outage::LONG, ask).await?;
        let is_last = (page.len() as i64) < PAGE;
        after = page.last().map_or(after, |book| book.id.get());
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// Books without a copy on sale.
pub(super) async fn sold_out(store: &Store) -> Result<Vec<BookId>, Error> {
    queries::sold_out(store.pg()).await.during("catalog.sold_out")
}
