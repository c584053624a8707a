//! The address of a book follows its title; the one it had before leads to it for ever (`former_slugs`).

use super::{
    import::Named,
    queries::addresses::{self, Moves, Titled},
};
use crate::error::{During, Error};
use domain::UnixMillis;
use sqlx::PgTransaction;

/// Gives these books, whose titles just changed, the best addresses that are free or were theirs. The transaction holds
/// the import's lock, so nobody else gives one out.
pub(super) async fn follow_titles(tx: &mut PgTransaction<'_>, retitled: &[i64], now: UnixMillis) -> Result<(), Error> {
    const OPERATION: &str = "catalog.address";
    if retitled.is_empty() {
        return Ok(());
    }
    let books = addresses::titled(tx, retitled).await.during(OPERATION)?;
    let wanted: Vec<Vec<String>> = books.iter().map(candidates).collect();
    let mut owners = addresses::owners(tx, &wanted.concat()).await.during(OPERATION)?;
    let mut moves = Moves::default();
    for (book, wanted) in books.iter().zip(wanted) {
        let is_free = |slug: &String| owners.get(slug).is_none_or(|owner| *owner == book.id);
        let best = wanted.into_iter().find(is_free);
        let slug = best.ok_or_else(|| Error::unexpected(OPERATION, "no address is free for a book"))?;
        if slug != book.slug {
            owners.insert(slug.clone(), book.id);
            moves.ids.push(book.id.get());
            moves.slugs.push(slug);
        }
    }
    addresses::move_to(tx, &moves, now).await.during(OPERATION)
}

fn candidates(book: &Titled) -> Vec<String> {
    let Titled { title, author, isbn, sku, .. } = book;
    Named { title, author: author.as_deref(), isbn: isbn.as_deref(), key: sku }.slugs()
}
