//! Carts: at home in Redis, backed up to Postgres.
//!
//! Every change is one script (`lua/cart_*.lua`) that edits the hash, marks the cart dirty and tells the live channel
//! in one step; [`persist::PersistCarts`] writes dirty carts to Postgres. A cart that Redis does not have is loaded
//! from Postgres by the first call that misses it; while Postgres is away an edit begins an *unproven* cart, to which
//! the worker adds what Postgres holds before anything is overwritten.

pub mod persist;
mod queries;
mod scripts;
mod state;
pub mod told;
mod view;

use crate::{
    Store, catalog,
    error::{During, Error, is_outage},
    stock,
};
use domain::{
    AccountId, ApiError, BookId, ErrorCode, GuestId, OrderId, Owner, Quantity,
    cart::{CartView, MAX_TITLES},
};
use scripts::{Code, Reply, Verb};
use state::CartState;
use std::{collections::HashMap, time::Duration};
use view::Cuts;

/// Longest wait for Postgres when Redis does not have a cart; after it Postgres counts as away.
const LOAD_TIMEOUT: Duration = Duration::from_secs(1);

/// The cart with titles, prices, totals, availability and notices.
pub async fn view(store: &Store, owner: &Owner) -> Result<CartView, Error> {
    let reply = load(store, owner).await?;
    view::build(store, &reply, HashMap::new(), &Cuts::new()).await
}

/// Adds copies to a line. More than there is, or than a line may hold, is cut and says so (`LineNotice::Cut`).
pub async fn add(store: &Store, owner: &Owner, book: BookId, quantity: Quantity) -> Result<CartView, Error> {
    change_line(store, owner, book, |on_sale| Verb::Add { book, quantity, on_sale }).await
}

/// Sets a line to so many copies, cut in the same way.
pub async fn set(store: &Store, owner: &Owner, book: BookId, quantity: Quantity) -> Result<CartView, Error> {
    change_line(store, owner, book, |on_sale| Verb::Set { book, quantity, on_sale }).await
}

/// Takes a line out; a line that is not there is no error.
pub async fn remove(store: &Store, owner: &Owner, book: BookId) -> Result<CartView, Error> {
    let reply = accepted(edit(store, owner, Verb::Remove { book }).await?, None)?;
    view::build(store, &reply, HashMap::new(), &Cuts::new()).await
}

pub async fn clear(store: &Store, owner: &Owner) -> Result<CartView, Error> {
    let reply = accepted(edit(store, owner, Verb::Clear).await?, None)?;
    view::build(store, &reply, HashMap::new(), &Cuts::new()).await
}

/// Moves a guest's lines into the account's cart (sum, capped), once; call at login and registration.
pub async fn merge(store: &Store, guest: GuestId, account: AccountId) -> Result<CartView, Error> {
    let (guest, account) = (Owner::Guest(guest), Owner::Account(account));
    let found = load(store, &guest).await?;
    if found.t == 0 {
        return view(store, &account).await;
    }
    if let Some(fields) = scripts::read(store, &[guest]).await?.pop()
        && CartState::from_fields(fields)?.is_some_and(|cart| cart.is_unproven)
    {
        prove(store, &guest).await?;
    }
    let frozen = edit(store, &guest, Verb::Freeze { into: &account }).await?;
    // Done before; or two people logged in from one browser at once, and the cart went to the first.
    if frozen.into != Some(account) || frozen.lines.is_empty() {
        return view(store, &account).await;
    }
    let merged = finish_merge(store, &guest, &account, frozen.t, &frozen.lines).await?;
    view::build(store, &merged, HashMap::new(), &cuts(&merged)).await
}

/// Lines and version as Redis (or, when Redis lost it, Postgres) has them, without the catalogue: what an order is made of.
pub async fn lines(store: &Store, owner: &Owner) -> Result<CartLines, Error> {
    let cart = load(store, owner).await?;
    let lines = if cart.into.is_some() { Vec::new() } else { cart.lines };
    Ok(CartLines { version: cart.t, lines })
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CartLines {
    /// `t` of the cart; 0: nothing was ever in it.
    pub version: i64,
    pub lines: Vec<(BookId, Quantity)>,
}

/// Takes an order's copies out of the cart, once per order, however often it is called; never fails for missing lines.
pub async fn take(store: &Store, owner: &Owner, order: OrderId, lines: &[(BookId, Quantity)]) -> Result<(), Error> {
    let verb = Verb::Take { order, lines };
    let reply = edit(store, owner, verb).await?;
    if let (Code::Moved, Some(account)) = (reply.code, reply.into) {
        edit(store, &account, verb).await?;
    }
    Ok(())
}

/// Puts back what [`take`] took, once, and bars a late take of the same order.
pub async fn restore(store: &Store, owner: &Owner, order: OrderId) -> Result<(), Error> {
    let reply = edit(store, owner, Verb::Restore { order, handed_over: "" }).await?;
    if let (Code::Moved, Some(account)) = (reply.code, reply.into) {
        // The account's own mark makes this happen once, whatever the closed cart's mark goes on saying.
        edit(store, &account, Verb::Restore { order, handed_over: &reply.note }).await?;
    }
    Ok(())
}

/// Adding and setting: the book must be on sale, and the gate says how many there are.
///
/// Stock and cart live in different slots, so the gate is asked first and its answer travels as an argument.
async fn change_line<'a>(
    store: &Store,
    owner: &Owner,
    book: BookId,
    verb: impl FnOnce(Option<i64>) -> Verb<'a>,
) -> Result<CartView, Error> {
    let asked = [book];
    let (facts, on_sale) = tokio::try_join!(catalog::facts(store, &asked), stock::available(store, &asked))?;
    let facts = facts.get(&book).ok_or_else(|| ApiError::not_found("this book"))?;
    if facts.is_retired {
        return Err(ApiError::new(ErrorCode::NotOrderable, format!("“{}” is no longer sold.", facts.title)).into());
    }
    let reply = edit(store, owner, verb(on_sale.get(&book).copied())).await?;
    let reply = accepted(reply, Some(&facts.title))?;
    let mut cuts = Cuts::new();
    if reply.code == Code::Cut {
        cuts.insert(book, reply.note.parse().unwrap_or(u32::MAX));
    }
    view::build(store, &reply, on_sale, &cuts).await
}

/// Turns a script's refusal into what the person is told.
fn accepted(reply: Reply, title: Option<&str>) -> Result<Reply, Error> {
    let refusal = match reply.code {
        Code::Ok | Code::Cut => return Ok(reply),
        Code::SoldOut => {
            let title = title.unwrap_or("This book");
            ApiError::new(ErrorCode::InsufficientStock, format!("“{title}” is sold out right now."))
        }
        Code::Full => {
            let message = format!("A cart holds at most {MAX_TITLES} titles. Take one out to make room.");
            ApiError::new(ErrorCode::CartFull, message)
        }
        Code::Moved => {
            let message = "This cart has moved into your account. Please load the page again.";
            ApiError::new(ErrorCode::Conflict, message)
        }
    };
    Err(refusal.into())
}

/// The cart as it stands. What neither Redis nor Postgres knows is an empty cart that nobody keeps.
async fn load(store: &Store, owner: &Owner) -> Result<Reply, Error> {
    if let Some(reply) = scripts::call(store, owner, Verb::Load, None).await? {
        return Ok(reply);
    }
    let Some(state) = from_postgres(store, owner).await? else {
        return Ok(Reply { code: Code::Ok, t: 0, into: None, note: String::new(), lines: Vec::new() });
    };
    seeded(store, owner, Verb::Load, &state).await
}

/// One change of a cart, wherever the cart is.
async fn edit(store: &Store, owner: &Owner, verb: Verb<'_>) -> Result<Reply, Error> {
    if let Some(reply) = scripts::call(store, owner, verb, None).await? {
        return Ok(reply);
    }
    let state = match from_postgres(store, owner).await {
        Ok(state) => state.unwrap_or_default(),
        Err(Error::Postgres { source, .. }) if is_outage(&source) => {
            tracing::warn!(cart.owner = %owner, "editing a cart without knowing what Postgres holds of it");
            CartState::unproven()
        }
        Err(error) => return Err(error),
    };
    seeded(store, owner, verb, &state).await
}

async fn seeded(store: &Store, owner: &Owner, verb: Verb<'_>, seed: &CartState) -> Result<Reply, Error> {
    let reply = scripts::call(store, owner, verb, Some(seed)).await?;
    reply.ok_or_else(|| Error::unexpected("carts.seed", "a seeded cart is absent"))
}

async fn from_postgres(store: &Store, owner: &Owner) -> Result<Option<CartState>, Error> {
    let load = tokio::time::timeout(LOAD_TIMEOUT, queries::load(store.pg(), owner)).await;
    load.unwrap_or(Err(sqlx::Error::PoolTimedOut)).during("carts.load")
}

/// Adds what Postgres holds to a cart that was begun without it. A cart gone meanwhile needs no proof.
async fn prove(store: &Store, owner: &Owner) -> Result<(), Error> {
    let postgres = from_postgres(store, owner).await?.unwrap_or_default();
    scripts::call(store, owner, Verb::Prove { postgres: &postgres }, None).await?;
    Ok(())
}

/// The two steps after freezing; each may be repeated, by the request or by the worker that finds them undone.
async fn finish_merge(
    store: &Store,
    guest: &Owner,
    account: &Owner,
    guest_t: i64,
    lines: &[(BookId, Quantity)],
) -> Result<Reply, Error> {
    let merged = edit(store, account, Verb::Merge { guest, guest_t, lines }).await?;
    edit(store, guest, Verb::Empty { into: account }).await?;
    Ok(merged)
}

/// The lines of a merge that hold fewer than both carts together: "book=wanted,…".
fn cuts(merged: &Reply) -> Cuts {
    let pairs = merged.note.split(',').filter_map(|pair| pair.split_once('='));
    pairs.filter_map(|(book, wanted)| Some((book.parse().ok()?, wanted.parse().ok()?))).collect()
}
