//! What became of a cart since a page showed it.

use crate::{Store, catalog, error::Error};
use domain::cart::{CartView, Changes, Seen};

/// `None`: it is as it was, or nobody can read what was seen.
pub async fn changes(store: &Store, cart: &CartView, seen: &str) -> Result<Option<Changes>, Error> {
    let Some(seen) = Seen::parse(seen) else { return Ok(None) };
    let facts = catalog::facts(store, &seen.gone(cart)).await?;
    let title = |book| facts.get(&book).map_or_else(|| "A book".to_owned(), |facts| facts.title.clone());
    Ok(seen.changes(cart, title))
}
