//! A cart brought down to what can be had.

use super::{accepted, edit, verb::Verb, view};
use crate::{Store, error::Error};
use domain::{Owner, cart::CartView};

/// Lines that want more than there is come down to what is left; those of which nothing is left go out. The shop says
/// what is left, as it is now.
pub async fn take_what_is_left(store: &Store, owner: &Owner) -> Result<CartView, Error> {
    let cart = view(store, owner).await?;
    for (line, left) in cart.short_lines() {
        let verb = match left {
            0 => Verb::Remove { book: line.book_id },
            most => Verb::Cap { book: line.book_id, most },
        };
        accepted(edit(store, owner, verb).await?, None)?;
    }
    view(store, owner).await
}
