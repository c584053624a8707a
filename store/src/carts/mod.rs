//! Carts: at home in Redis, backed up to Postgres.
//!
//! Every change is one script (`lua/cart_*.lua`) that edits the hash, marks the cart dirty and tells the live channel
//! in one step; [`persist::PersistCarts`] writes dirty carts to Postgres. A cart that Redis does not have, or that
//! another run of Redis left there, is in doubt: the first call that meets it brings what Postgres has, and the newer of
//! the two stands. While Postgres is away the shopper edits an *unproven* cart, which remembers what it began with, so
//! that those edits come on top of what Postgres turns out to hold.

pub mod abandoned;
mod changes;
pub(crate) mod compare;
mod failing;
mod left;
mod memo;
pub mod parked;
pub mod persist;
mod plain;
mod queries;
mod raise;
pub mod reconcile;
pub mod restore;
mod scripts;
mod state;
pub mod told;
mod verb;
mod view;

pub use changes::changes;
pub(crate) use failing::{failing, hurry};
pub use left::take_what_is_left;
pub(crate) use memo::Memo;
pub use raise::raise;

use crate::{
    Store,
    catalog::{self, BookFacts},
    error::{During, Error},
    outage, stock,
};
use domain::{
    AccountId, ApiError, BookId, ErrorCode, GuestId, OrderId, Owner, Quantity,
    cart::{CartView, MAX_TITLES},
};
use plain::Found;
use state::{CartState, Line};
use std::{collections::HashMap, sync::Arc};
use verb::{Code, Postgres, Reply, Verb, Wish};
use view::Cuts;

/// The cart with titles, prices, totals, availability and notices.
pub async fn view(store: &Store, owner: &Owner) -> Result<CartView, Error> {
    let (reply, on_sale) = load(store, owner, &store.carts_memo().books(owner, store.now())).await?;
    show(store, owner, &reply, on_sale, &Cuts::new()).await
}

/// Adds copies to a line. More than there is, or than a line may hold, is cut and says so (`LineNotice::Cut`).
pub async fn add(store: &Store, owner: &Owner, book: BookId, quantity: Quantity) -> Result<CartView, Error> {
    change_line(store, owner, book, quantity, Verb::Add).await
}

/// Sets a line to so many copies, cut in the same way.
pub async fn set(store: &Store, owner: &Owner, book: BookId, quantity: Quantity) -> Result<CartView, Error> {
    change_line(store, owner, book, quantity, Verb::Set).await
}

/// Takes copies off a line, and the line out when none are left: unlike [`set`], it counts beside other tabs' edits.
pub async fn fewer(store: &Store, owner: &Owner, book: BookId, copies: Quantity) -> Result<CartView, Error> {
    change(store, owner, Verb::Fewer { book, copies }).await
}

/// Takes a line out; a line that is not there is no error.
pub async fn remove(store: &Store, owner: &Owner, book: BookId) -> Result<CartView, Error> {
    change(store, owner, Verb::Remove { book }).await
}

pub async fn clear(store: &Store, owner: &Owner) -> Result<CartView, Error> {
    change(store, owner, Verb::Clear).await
}

/// The shopper has seen what this line, or (`None`) every line, costs now; and then also what the last merge did.
pub async fn seen(store: &Store, owner: &Owner, book: Option<BookId>) -> Result<CartView, Error> {
    let (cart, on_sale) = load(store, owner, &[]).await?;
    let mut books = cart.books();
    books.retain(|of| book.is_none_or(|book| book == *of));
    if cart.t == 0 || (books.is_empty() && book.is_some()) {
        return show(store, owner, &cart, on_sale, &Cuts::new()).await;
    }
    let facts = catalog::facts(store, &books).await?;
    let prices: Vec<_> = facts.values().map(|facts| (facts.id, facts.price)).collect();
    change(store, owner, Verb::Seen { is_all: book.is_none(), prices: &prices }).await
}

/// Moves a guest's lines into the account's cart (sum, capped), once; call at login and registration.
pub async fn merge(store: &Store, guest: GuestId, account: AccountId) -> Result<CartView, Error> {
    let (guest, account) = (Owner::Guest(guest), Owner::Account(account));
    let (found, _) = load(store, &guest, &[]).await?;
    if found.t == 0 {
        return view(store, &account).await;
    }
    let frozen = edit(store, &guest, Verb::Freeze { into: &account }).await?;
    // Done before; or two people logged in from one browser at once, and the cart went to the first.
    if frozen.into != Some(account) || frozen.lines.is_empty() {
        return view(store, &account).await;
    }
    let merged = finish_merge(store, &guest, &account, frozen.t, &frozen.lines).await?;
    show(store, &account, &merged, HashMap::new(), &cuts(&merged)).await
}

/// The cart as Redis (or, when Redis lost it, Postgres) has it, without the catalogue: what an order is made of.
pub async fn lines(store: &Store, owner: &Owner) -> Result<CartLines, Error> {
    let Loaded { cart, given_up, .. } = find(store, owner, &[]).await?;
    let lines = if cart.into.is_some() { Vec::new() } else { cart.lines };
    let lines = lines.into_iter().map(|(book, line)| (book, line.quantity)).collect();
    Ok(CartLines { version: cart.t, lines, given_up })
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CartLines {
    /// `t` of the cart; 0: nothing was ever in it.
    pub version: i64,
    pub lines: Vec<(BookId, Quantity)>,
    /// Orders whose copies it gave up, or got back.
    pub given_up: Vec<OrderId>,
}

/// Takes an order's copies out of the cart, once per order, however often it is called; never fails for missing lines.
pub async fn take(store: &Store, owner: &Owner, order: OrderId, lines: &[(BookId, Quantity)]) -> Result<(), Error> {
    let verb = Verb::Take { order, lines };
    let reply = edit(store, owner, verb).await?;
    if let (Code::Moved, Some(account)) = (reply.code, reply.into) {
        // A login is on its way through this cart: what is ordered must be there before it can be taken.
        if !reply.lines.is_empty() {
            finish_merge(store, owner, &account, reply.t, &reply.lines).await?;
        }
        edit(store, &account, verb).await?;
    }
    Ok(())
}

/// Whether the owner's cart, if Redis has it, has given up this order's copies, or got them back; one round trip for all.
pub(crate) async fn given_up(store: &Store, orders: &[(Owner, OrderId)]) -> Result<Vec<bool>, Error> {
    plain::given_up(store, orders).await
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

/// An edit without a look at the gate beforehand.
async fn change(store: &Store, owner: &Owner, verb: Verb<'_>) -> Result<CartView, Error> {
    let (reply, on_sale) = edit_and_ask(store, owner, verb, &store.carts_memo().books(owner, store.now())).await?;
    let reply = accepted(reply, None)?;
    show(store, owner, &reply, on_sale, &Cuts::new()).await
}

/// Adding and setting: the book must be on sale, and the gate says how many there are.
///
/// Stock and cart live in different slots, so one pipeline asks the gate and edits the cart; where that turns out to be
/// too much, the line comes down again. Only for a book known to be short is the gate asked first.
async fn change_line(
    store: &Store,
    owner: &Owner,
    book: BookId,
    quantity: Quantity,
    verb: fn(Wish) -> Verb<'static>,
) -> Result<CartView, Error> {
    let (memo, facts) = (store.carts_memo(), sold(store, book).await?);
    let mut wish = Wish { book, quantity, price: facts.price, on_sale: None };
    let mut books = memo.books(owner, store.now()).to_vec();
    books.push(book);
    let (reply, on_sale) = if memo.is_short(book, quantity, store.now()) {
        let on_sale = stock::available(store, &books).await?;
        wish.on_sale = on_sale.get(&book).copied();
        (edit(store, owner, verb(wish)).await?, on_sale)
    } else {
        edit_and_ask(store, owner, verb(wish), &books).await?
    };
    let left = on_sale.get(&book).copied();
    left.inspect(|left| memo.saw(book, *left, store.now()));
    let reply = accepted(reply, Some(&facts.title))?;
    let before = u32::try_from(state::number(&reply.note)?).unwrap_or(0);
    let there_is = left.map_or(u32::MAX, |left| u32::try_from(left).unwrap_or(u32::MAX)).max(before);
    let asked = match verb(wish) {
        Verb::Add(_) => before + quantity.get(),
        _ => quantity.get(),
    };
    let reply = if reply.copies(book) > there_is {
        accepted(edit(store, owner, Verb::Cap { book, most: there_is }).await?, None)?
    } else {
        reply
    };
    if there_is == 0 {
        return Err(sold_out(Some(&facts.title)).into());
    }
    let is_cut = asked > there_is.min(Quantity::MAX);
    show(store, owner, &reply, on_sale, &is_cut.then_some((book, asked)).into_iter().collect()).await
}

/// The book, if it can be bought at all.
async fn sold(store: &Store, book: BookId) -> Result<Arc<BookFacts>, Error> {
    let mut facts = catalog::facts(store, &[book]).await?;
    let facts = facts.remove(&book).ok_or_else(|| ApiError::not_found("this book"))?;
    if facts.is_retired {
        return Err(ApiError::new(ErrorCode::NotOrderable, format!("“{}” is no longer sold.", facts.title)).into());
    }
    Ok(facts)
}

async fn show(
    store: &Store,
    owner: &Owner,
    reply: &Reply,
    on_sale: HashMap<BookId, i64>,
    cuts: &Cuts,
) -> Result<CartView, Error> {
    store.carts_memo().holds(owner, reply.books(), store.now());
    view::build(store, reply, on_sale, cuts).await
}

/// Turns a script's refusal into what the person is told.
fn accepted(reply: Reply, title: Option<&str>) -> Result<Reply, Error> {
    let refusal = match reply.code {
        Code::Ok => return Ok(reply),
        Code::SoldOut => sold_out(title),
        Code::Full => {
            let message = format!("A cart holds at most {MAX_TITLES} titles. Take one out to make room.");
            ApiError::new(ErrorCode::CartFull, message)
        }
        Code::Moved => {
            let message = "What was in this cart has moved into the account that logged in here. This edit changed nothing; load the page again.";
            ApiError::new(ErrorCode::Conflict, message)
        }
    };
    Err(refusal.into())
}

fn sold_out(title: Option<&str>) -> ApiError {
    let title = title.unwrap_or("This book");
    ApiError::new(ErrorCode::InsufficientStock, format!("“{title}” is sold out right now."))
}

type Asked = (Reply, HashMap<BookId, i64>);

/// The cart as it stands, and what the gate has of these books. What neither Redis nor Postgres knows is an empty cart
/// that nobody keeps. Of a cart in doubt Redis' copy is better than nothing while Postgres is away.
async fn load(store: &Store, owner: &Owner, books: &[BookId]) -> Result<Asked, Error> {
    let Loaded { cart, on_sale, .. } = find(store, owner, books).await?;
    Ok((cart, on_sale))
}

struct Loaded {
    cart: Reply,
    /// Orders whose copies the cart had given up, or got back, no later than it was as `cart` says.
    given_up: Vec<OrderId>,
    on_sale: HashMap<BookId, i64>,
}

/// One round trip for a cart at home, without a script.
async fn find(store: &Store, owner: &Owner, books: &[BookId]) -> Result<Loaded, Error> {
    let mut run = store.redis_run().await?;
    let Found { proven, mut given_up, on_sale } = plain::find(store, &mut run, owner, books).await?;
    if let Some(cart) = proven {
        return Ok(Loaded { cart, given_up, on_sale });
    }
    let (state, failure) = match from_postgres(store, owner).await {
        Ok(state) => (Some(state.unwrap_or_default()), None),
        Err(error) if error.is_postgres_away() => (None, Some(error)),
        Err(error) => return Err(error),
    };
    let postgres = state.as_ref().map_or(Postgres::Away, Postgres::Has);
    let (cart, _) = scripts::call(store, &mut run, owner, Verb::Load, postgres, &[]).await?;
    given_up.extend(state.iter().flat_map(|state| state.marks.keys()).filter_map(|mark| state::given_up(mark)));
    Ok(Loaded { cart: cart.ok_or_else(|| failure.unwrap_or_else(unseeded))?, given_up, on_sale })
}

async fn edit(store: &Store, owner: &Owner, verb: Verb<'_>) -> Result<Reply, Error> {
    Ok(edit_and_ask(store, owner, verb, &[]).await?.0)
}

/// One change of a cart, wherever the cart is, and what the gate has of these books; one round trip for a cart at home.
async fn edit_and_ask(store: &Store, owner: &Owner, verb: Verb<'_>, books: &[BookId]) -> Result<Asked, Error> {
    // One run for all of it: what Postgres says is older than nothing that this run is told.
    let mut run = store.redis_run().await?;
    let (reply, on_sale) = scripts::call(store, &mut run, owner, verb, Postgres::Unasked, books).await?;
    if let Some(reply) = reply {
        return Ok((reply, on_sale));
    }
    let state = match from_postgres(store, owner).await {
        Ok(state) => Some(state.unwrap_or_default()),
        Err(error) if error.is_postgres_away() && verb.may_be_unproven() => {
            tracing::warn!(cart.owner = %owner, "editing a cart without knowing what Postgres holds of it");
            None
        }
        Err(error) => return Err(error),
    };
    let postgres = state.as_ref().map_or(Postgres::Away, Postgres::Has);
    let (reply, _) = scripts::call(store, &mut run, owner, verb, postgres, &[]).await?;
    Ok((reply.ok_or_else(unseeded)?, on_sale))
}

fn unseeded() -> Error {
    Error::unexpected("carts.seed", "a seeded cart is absent")
}

async fn from_postgres(store: &Store, owner: &Owner) -> Result<Option<CartState>, Error> {
    const OPERATION: &str = "carts.load";
    let ask = async { queries::load(store.pg(), owner).await.during(OPERATION) };
    store.ask_postgres(OPERATION, outage::BRIEF, ask).await
}

/// Proves a cart that was edited without Postgres.
async fn prove(store: &Store, owner: &Owner) -> Result<(), Error> {
    // One run for both: what Postgres says must not be older than the run that is told.
    let mut run = store.redis_run().await?;
    let postgres = from_postgres(store, owner).await?.unwrap_or_default();
    scripts::call(store, &mut run, owner, Verb::Load, Postgres::Has(&postgres), &[]).await?;
    Ok(())
}

/// The two steps after freezing; each may be repeated, by the request or by the worker that finds them undone.
async fn finish_merge(
    store: &Store,
    guest: &Owner,
    account: &Owner,
    guest_t: i64,
    lines: &[(BookId, Line)],
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
