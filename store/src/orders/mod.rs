//! The life of an order: placed at the gate, written down by a worker, paid, ended, shown.

mod again;
mod call_off;
pub(crate) mod change;
pub(crate) mod draft;
mod expire;
mod fulfil;
mod persist;
mod queries;
mod quicker;
mod read;
mod replay;
pub(crate) mod reservations;
pub(crate) mod scripts;

pub use again::again;
pub use call_off::call_off;
pub use expire::ExpireOrders;
pub use fulfil::{begin_packing, deliver, ship};
pub use persist::PersistOrders;
pub(crate) use persist::{entry_lines, placed};
pub(crate) use queries::{SummaryRow, UsedKey, open_drafts, parked, placed_at, recent_keys};
pub(crate) use quicker::{ago, by_whom};
pub(crate) use read::at_gate as waiting_at_gate;
pub use replay::checkout_key;

use crate::{Store, carts, error::Error, mail, stock, viewer::Viewer};
use change::Change;
use domain::{
    ApiError, ErrorCode, IdempotencyKey, Network, OrderId, Owner, Permission,
    order::{Cause, OrderList, OrderStatus, OrderView, PlaceOrder, Placed, ShortLine},
};
use draft::Draft;
use replay::{Look, key_reused, replay};
use scripts::{MarkAnswer, PlaceAnswer};

/// Places an order from the owner's cart (design §4 *Place*). A repeat with the same key gives the same answer. `from`:
/// where the request came from, if that is known.
#[tracing::instrument(skip_all, fields(owner = %owner, order.id = %draft::order_id(owner, &key)))]
pub async fn place(
    store: &Store,
    owner: &Owner,
    request: PlaceOrder,
    key: IdempotencyKey,
    from: Option<Network>,
) -> Result<Placed, Error> {
    let fingerprint = draft::fingerprint(&request)?;
    let known = async {
        match Look::first(&key, store.now()) {
            // It says so itself, below.
            Look::Gate => Ok(None),
            Look::Everywhere => replay(store, owner, &key, &fingerprint, Look::Everywhere).await,
        }
    };
    let (known, cart) = tokio::join!(known, carts::lines(store, owner));
    if let Some(answer) = known? {
        return Ok(answer);
    }
    let made = async {
        let cart = cart?;
        Ok((Draft::from_cart(store, owner, &cart, request, key.clone()).await?, cart.given_up))
    };
    let (draft, given_up) = match made.await {
        Ok(made) => made,
        // The cart may be empty, or changed, because this very order was placed before.
        Err(Error::Refused(refusal)) => {
            return replay(store, owner, &key, &fingerprint, Look::Everywhere).await?.ok_or(Error::Refused(refusal));
        }
        Err(failure) => return replay(store, owner, &key, &fingerprint, Look::Gate).await?.ok_or(failure),
    };
    match at_gate(store, &draft, &given_up, from).await? {
        PlaceAnswer::Placed => {}
        PlaceAnswer::Replayed(answer) => return Ok(answer),
        PlaceAnswer::KeyReused => return Err(key_reused().into()),
        PlaceAnswer::Insufficient(left) => return Err(short(&draft, &left).into()),
        PlaceAnswer::TooManyHolds => return Err(too_many_holds().into()),
        PlaceAnswer::TooManyCopies => return Err(too_many_copies(store).into()),
        PlaceAnswer::CartTaken(order) => {
            // Whoever made it has not come so far, or never will: the next press finds the cart without its copies.
            if let Err(error) = take_again(store, owner, order).await {
                tracing::warn!(order.id = %order, error = &error as &dyn std::error::Error, "its cart is left as it is");
            }
            return Err(cart_taken().with_cart(carts::view(store, owner).await?).into());
        }
        PlaceAnswer::NotReady => {
            let known = replay(store, owner, &key, &fingerprint, Look::Everywhere).await?;
            return known.ok_or_else(|| ApiError::not_ready().into());
        }
    }
    metrics::counter!("orders_placed_total").increment(1);
    tracing::info!(order.number = %draft.number, "placed");
    // The order stands, whatever happens now; the persist worker takes the copies again, once.
    if let Err(error) = carts::take(store, owner, draft.order_id, &draft.cart_lines()).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the cart is left to the worker");
    }
    Ok(draft.answer())
}

/// What the gate says. Orders of a network that ended are only found out, and no longer counted, when there seem to be
/// too many.
async fn at_gate(
    store: &Store,
    draft: &Draft,
    given_up: &[OrderId],
    from: Option<Network>,
) -> Result<PlaceAnswer, Error> {
    match (scripts::place(store, draft, given_up, from).await?, from) {
        (PlaceAnswer::TooManyCopies, Some(network)) if scripts::forget_ended(store, network).await? > 0 => {
            scripts::place(store, draft, given_up, from).await
        }
        (answer, _) => Ok(answer),
    }
}

/// The cart gives up the copies of an order made of it; of one that came to nothing it only takes note.
async fn take_again(store: &Store, owner: &Owner, order: OrderId) -> Result<(), Error> {
    let came_to_nothing = [OrderStatus::Failed, OrderStatus::Cancelled, OrderStatus::Expired];
    let found = read::order(store, order).await?.filter(|(_, view)| !came_to_nothing.contains(&view.status));
    let lines = found.map(|(_, view)| view.lines).unwrap_or_default();
    let lines: Vec<_> = lines.iter().map(|line| (line.book_id, line.quantity)).collect();
    carts::take(store, owner, order, &lines).await
}

/// The order, from Postgres or, while it waits to be written, from the gate; `None`: not there or not theirs. Whoever
/// holds its receipt is told when it was lost with the gate's data, before anybody could pay it.
pub async fn get(store: &Store, viewer: &Viewer, order: OrderId) -> Result<Option<OrderView>, Error> {
    let Some((owner, view)) = read::order(store, order).await? else {
        let placed_here = viewer.receipts.iter().any(|(known, _)| *known == order);
        return if placed_here { Err(lost(store, order).await?.into()) } else { Ok(None) };
    };
    Ok(viewer.may_see(order, &owner, &view.email).then(|| for_eyes_of(viewer, view)))
}

/// Who of the shop did what, and what is wrong with a refund, is told to admins only.
pub(crate) fn for_eyes_of(viewer: &Viewer, mut view: OrderView) -> OrderView {
    if !viewer.may(Permission::ReadOrders) {
        view.events.iter_mut().for_each(|event| event.by = None);
        view.refunds.iter_mut().for_each(|refund| (refund.by, refund.error) = (None, None));
    }
    view
}

/// The order of this owner with all that admins see; what others see of it, [`for_eyes_of`] says.
pub(crate) async fn whole(store: &Store, owner: Owner, order: OrderId) -> Result<Option<OrderView>, Error> {
    Ok(read::order(store, order).await?.filter(|(found, _)| *found == owner).map(|(_, view)| view))
}

/// The order that a signed link of a mail names, and whose it is; nothing changes by looking.
pub async fn of_link(store: &Store, token: &str) -> Result<Option<(OrderId, Owner)>, Error> {
    let Some(order) = mail::opened(store, mail::Purpose::OpenOrder, token).map(OrderId::new) else { return Ok(None) };
    Ok(read::order(store, order).await?.map(|(owner, _)| (order, owner)))
}

/// The order as Postgres has it.
pub(crate) async fn written(store: &Store, order: OrderId) -> Result<Option<OrderView>, Error> {
    Ok(queries::view(store, order).await?.map(|(_, view)| view))
}

/// A gate that is not loaded may still find the order in its stream.
async fn lost(store: &Store, order: OrderId) -> Result<ApiError, Error> {
    if !stock::is_loaded(store).await? {
        return Ok(ApiError::not_ready());
    }
    let number = draft::order_number(store.config().number_secret.reveal(), order);
    let message = format!(
        "Order {number} was lost in a failure of our systems, and with it the hold on its copies. Nothing was charged, \
        and nothing can be: it never came so far that it could be paid. Please order again; we are sorry for the trouble."
    );
    Ok(ApiError::new(ErrorCode::OrderLost, message))
}

/// The owner's latest orders (at most 100), waiting ones included, newest first.
pub async fn list(store: &Store, viewer: &Viewer) -> Result<OrderList, Error> {
    read::list(store, viewer).await
}

/// The shopper cancels until paid, and nobody else; people of the shop call orders off. While the order waits to be
/// written it is only marked (`cancel_asked`).
pub async fn cancel(store: &Store, viewer: &Viewer, order: OrderId) -> Result<OrderView, Error> {
    const TRIES: usize = 4;
    let shopper = viewer.as_shopper();
    for _ in 0..TRIES {
        let Some((_, view)) =
            read::order(store, order).await?.filter(|(owner, view)| shopper.may_see(order, owner, &view.email))
        else {
            return Err(ApiError::not_found("this order").into());
        };
        let is_done = match view.status {
            OrderStatus::Pending if view.cancel_asked => return Ok(for_eyes_of(viewer, view)),
            OrderStatus::Pending => scripts::mark(store, order).await? == MarkAnswer::Marked,
            OrderStatus::PaymentPending => {
                let (to, cause) = (OrderStatus::Cancelled, Cause::ShopperCancelled);
                let change = Change { order, from: view.status, to, cause, note: None };
                change::apply_alone(store, change).await?.is_some()
            }
            OrderStatus::Cancelled => return Ok(for_eyes_of(viewer, view)),
            status => return Err(not_cancellable(status).into()),
        };
        if is_done && let Some((_, view)) = read::order(store, order).await? {
            return Ok(for_eyes_of(viewer, view));
        }
        // It moved on between the look and the change: look again.
    }
    Err(ApiError::new(ErrorCode::Conflict, "The order is changing right now. Please try again.").into())
}

fn short(draft: &Draft, left: &[(domain::BookId, u32)]) -> ApiError {
    let lines: Vec<ShortLine> = left
        .iter()
        .map(|(book, left)| {
            let wanted = draft.lines.iter().filter(|line| line.book_id == *book).map(|line| line.quantity.get()).sum();
            let title = draft.lines.iter().find(|line| line.book_id == *book).map(|line| line.title.clone());
            ShortLine { book_id: *book, title: title.unwrap_or_default(), wanted, left: *left }
        })
        .collect();
    ShortLine::refusal(&lines)
}

fn cart_taken() -> ApiError {
    let message = "This cart was ordered already, perhaps from another tab or window: you find it under your orders.";
    ApiError::new(ErrorCode::CartChanged, message)
}

fn too_many_holds() -> ApiError {
    let most = scripts::MAX_OPEN_ORDERS;
    let message = format!("You have {most} orders waiting for payment. Please pay or cancel one of them first.");
    ApiError::new(ErrorCode::TooManyHolds, message)
}

fn too_many_copies(store: &Store) -> ApiError {
    let most = store.config().held_copies_per_address;
    let message = format!(
        "At most {most} copies can wait for payment from one internet address, and this order would exceed that. \
        Please pay or cancel an order first, or order fewer copies."
    );
    ApiError::new(ErrorCode::TooManyHolds, message)
}

fn not_cancellable(status: OrderStatus) -> ApiError {
    let message = format!("This order cannot be cancelled any more; it is: {}.", status.label().to_lowercase());
    ApiError::new(ErrorCode::NotCancellable, message)
}
