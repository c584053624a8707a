//! Builds frames and queues them: for one socket that asked, or for everybody whom a change concerns.

use super::{Shared, registry::Socket};
use crate::{
    carts,
    error::{During, Error},
    orders,
};
use domain::{
    BookId, OrderId, Owner,
    live::Frame,
    order::{OrderSummary, OrderView},
};
use std::{sync::Arc, time::Duration};

/// Pauses between attempts to build what changed; after the last one the sockets are told to ask for themselves.
const PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

/// Orders that wait to be built; whoever follows one more asks for it when there is time.
const MOST_ORDERS: usize = 512;
/// Books asked about in one round trip.
const STOCK_PAGE: usize = 500;

pub(super) async fn cart_snapshot(shared: &Shared, socket: &Socket) -> Result<(), Error> {
    let cart = carts::view(&shared.store, &socket.viewer.owner).await?;
    socket.push(Frame::Cart { cart: Box::new(cart) });
    Ok(())
}

/// False: there is no such order, or they may not see it.
pub(super) async fn order_snapshot(shared: &Shared, socket: &Socket, order: OrderId) -> Result<bool, Error> {
    let Some(view) = orders::get(&shared.store, &socket.viewer, order).await? else { return Ok(false) };
    socket.push(Frame::Order { order: Box::new(view) });
    Ok(true)
}

/// What the gate has of these books now; nothing while it is not loaded.
pub(super) async fn stock_snapshot(shared: &Shared, socket: &Socket, books: &[BookId]) -> Result<(), Error> {
    counts(shared, books).await?.into_iter().for_each(|(_, frame)| socket.push(frame));
    Ok(())
}

async fn counts(shared: &Shared, books: &[BookId]) -> Result<Vec<(BookId, Frame)>, Error> {
    if books.is_empty() {
        return Ok(Vec::new());
    }
    let (store, keys) = (&shared.store, shared.store.keys());
    let ids: Vec<i64> = books.iter().map(|book| book.get()).collect();
    let mut pipe = redis::pipe();
    // In one step, so that no count travels under an older or newer version.
    pipe.atomic().get(keys.epoch());
    pipe.cmd("HMGET").arg(keys.stock()).arg(&ids);
    pipe.cmd("HMGET").arg(keys.changes()).arg(&ids);
    type Answer = (Option<i64>, Vec<Option<i64>>, Vec<Option<i64>>);
    let (epoch, counts, versions): Answer = pipe.query_async(&mut store.redis()).await.during("live.stock")?;
    let Some(epoch) = epoch else { return Ok(Vec::new()) };
    let known = books.iter().zip(counts).zip(versions).filter_map(|((book, available), version)| {
        let (available, version) = (available?.max(0), version.unwrap_or(0));
        Some((*book, Frame::Stock { book_id: *book, available, epoch, version }))
    });
    Ok(known.collect())
}

/// The gate was rebuilt, which no message says book by book: whoever watches a book gets its number anew.
pub(super) fn all_stock(shared: &Arc<Shared>) {
    let shared = shared.clone();
    tokio::spawn(async move {
        for books in shared.registry.watched().chunks(STOCK_PAGE) {
            let Some(counts) = patiently(&shared, "live.stock", || counts(&shared, books)).await else {
                return shared.registry.all().iter().for_each(|socket| socket.resync());
            };
            for (book, frame) in counts {
                shared.registry.of_book(book).iter().for_each(|socket| socket.push(frame.clone()));
            }
        }
    });
}

/// A cart changed: its owner's sockets get it.
pub(super) fn cart(shared: &Arc<Shared>, owner: Owner) {
    if shared.registry.of_owner(owner).is_empty() || shared.carts.join(owner) {
        return;
    }
    let shared = shared.clone();
    tokio::spawn(async move {
        let Some(mut turn) = shared.carts.take(owner) else { return };
        loop {
            send_cart(&shared, owner).await;
            if !turn.again() {
                break;
            }
        }
    });
}

async fn send_cart(shared: &Shared, owner: Owner) {
    let built = patiently(shared, "live.cart", || carts::view(&shared.store, &owner)).await;
    for socket in shared.registry.of_owner(owner) {
        match &built {
            Some(cart) => socket.push(Frame::Cart { cart: Box::new(cart.clone()) }),
            None => socket.resync(),
        }
    }
}

/// An order changed: its owner's sockets and those that have it open get it, as far as they may see it; admins who
/// follow all orders get a row of their list.
pub(super) fn order(shared: &Arc<Shared>, order: OrderId, owner: Owner) {
    let nobody = shared.registry.of_order(order, owner).is_empty() && shared.registry.of_all_orders().is_empty();
    if nobody || shared.orders.join(order) {
        return;
    }
    if shared.orders.count() >= MOST_ORDERS {
        return followers(shared, order, owner).into_iter().for_each(|socket| socket.resync());
    }
    let shared = shared.clone();
    tokio::spawn(async move {
        let Some(mut turn) = shared.orders.take(order) else { return };
        loop {
            send_order(&shared, order, owner).await;
            if !turn.again() {
                break;
            }
        }
    });
}

/// Those who own the order or have it open, and those who follow all of them.
fn followers(shared: &Shared, order: OrderId, owner: Owner) -> Vec<Arc<Socket>> {
    let mut followers = shared.registry.of_order(order, owner);
    followers.extend(shared.registry.of_all_orders());
    followers
}

async fn send_order(shared: &Shared, order: OrderId, owner: Owner) {
    // Only if it is theirs: a message that names a wrong owner shows nobody anything.
    let sockets = || shared.registry.of_order(order, owner).into_iter();
    match patiently(shared, "live.order", || orders::whole(&shared.store, owner, order)).await {
        Some(Some(view)) => {
            let summary = summary(&view);
            for socket in sockets().filter(|socket| socket.viewer.may_see(order, &owner, &view.email)) {
                let seen = orders::for_eyes_of(&socket.viewer, view.clone());
                socket.push(Frame::Order { order: Box::new(seen) });
            }
            for socket in shared.registry.of_all_orders() {
                socket.push(Frame::AdminOrder { order: Box::new(summary.clone()) });
            }
        }
        Some(None) => tracing::debug!(order.id = %order, "a live message about an order that is not there"),
        None => followers(shared, order, owner).into_iter().for_each(|socket| socket.resync()),
    }
}

fn summary(view: &OrderView) -> OrderSummary {
    OrderSummary {
        order_id: view.order_id,
        number: view.number.clone(),
        status: view.status,
        version: view.version,
        total: view.total,
        currency: view.currency,
        copies: view.lines.iter().map(|line| i64::from(line.quantity.get())).sum(),
        email: view.email.clone(),
        titles: i64::try_from(view.lines.len()).unwrap_or(i64::MAX),
        first_title: view.lines.first().map(|line| line.title.clone()).unwrap_or_default(),
        placed_at: view.placed_at,
        expires_at: view.expires_at,
    }
}

/// Builds it, again after a pause when that fails; `None` when it cannot be built for now.
async fn patiently<T, F>(shared: &Shared, what: &'static str, build: impl Fn() -> F) -> Option<T>
where
    F: Future<Output = Result<T, Error>>,
{
    for pause in PAUSES {
        let result = {
            let _permit = shared.builders.acquire().await.ok()?;
            build().await
        };
        match result {
            Ok(built) => return Some(built),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, what, "a live message could not be built");
                tokio::time::sleep(pause).await;
            }
        }
    }
    None
}
