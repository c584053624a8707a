//! The project's own demo catalogue, so that a fresh shop has something to sell.

use super::import::{self, ImportError, ImportReport};
use crate::{Store, error::During};

/// 240 real books, see `data/README.md`.
const DEMO: &[u8] = include_bytes!("../../../data/demo-books.csv");
/// The file's first book: where it is, the demo catalogue was imported, and its stock since then is real.
const FIRST_SKU: &str = "BB-0001";

/// Imports the demo catalogue once; `None` when it is there already.
pub async fn seed_demo(store: &Store) -> Result<Option<ImportReport>, ImportError> {
    if super::queries::has_sku(store.pg(), FIRST_SKU).await.during("catalog.seed_demo")? {
        return Ok(None);
    }
    import::import_unless(store, FIRST_SKU, DEMO).await
}
