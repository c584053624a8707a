//! An order before it is in Postgres: made from the cart and the catalogue, kept whole at the gate.

use crate::{
    Store,
    carts::{self, CartLines},
    catalog,
    error::{During, Error},
    stock::Line,
};
use domain::{
    ApiError, BookId, Currency, ErrorCode, IdempotencyKey, Minor, OrderId, Owner, Quantity, UnixMillis,
    address::Address,
    order::{OrderLine, OrderNumber, OrderStatus, OrderSummary, OrderView, PlaceOrder, Placed},
};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Everything needed to write an order down, or to show it meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub order_id: OrderId,
    pub number: OrderNumber,
    pub owner: Owner,
    pub key: IdempotencyKey,
    pub fingerprint: String,
    pub email: String,
    pub address: Address,
    pub currency: Currency,
    pub lines: Vec<OrderLine>,
    pub subtotal: Minor,
    pub delivery: Minor,
    pub total: Minor,
    pub placed_at: UnixMillis,
    pub expires_at: UnixMillis,
}

impl Draft {
    /// The order that this cart makes now; refuses what cannot be ordered as the shopper saw it.
    pub(super) async fn from_cart(
        store: &Store,
        owner: &Owner,
        cart: &CartLines,
        request: PlaceOrder,
        key: IdempotencyKey,
    ) -> Result<Self, Error> {
        if cart.lines.is_empty() {
            return Err(ApiError::new(ErrorCode::EmptyCart, "Your cart is empty.").into());
        }
        let lines = priced(store, &cart.lines).await?;
        let subtotal = sum(&lines)?;
        let delivery = store.config().delivery.fee_for(subtotal);
        let total = subtotal.plus(delivery).ok_or_else(too_large)?;
        if request.expected_total.is_some_and(|expected| expected != total) {
            let fresh = carts::view(store, owner).await?;
            return Err(cart_changed(total, store.config().currency).with_cart(fresh).into());
        }
        let order_id = order_id(owner, &key);
        let placed_at = store.now();
        Ok(Self {
            order_id,
            number: order_number(store.config().number_secret.reveal(), order_id),
            owner: *owner,
            fingerprint: fingerprint(&request)?,
            key,
            email: request.email,
            address: request.address,
            currency: store.config().currency,
            lines,
            subtotal,
            delivery,
            total,
            placed_at,
            expires_at: deadline(store, placed_at),
        })
    }

    /// The answer to the client that placed it; the same for every repeat, wherever the order stands by then.
    pub(super) fn answer(&self) -> Placed {
        Placed {
            order_id: self.order_id,
            number: self.number.clone(),
            status: OrderStatus::Pending,
            total: self.total,
            currency: self.currency,
            expires_at: self.expires_at,
        }
    }

    /// The order's page while it waits to be written down.
    pub(super) fn view(self, cancel_asked: bool, now: UnixMillis) -> OrderView {
        OrderView {
            order_id: self.order_id,
            number: self.number,
            status: OrderStatus::Pending,
            version: 0,
            lines: self.lines,
            subtotal: self.subtotal,
            delivery: self.delivery,
            total: self.total,
            currency: self.currency,
            email: self.email,
            address: self.address,
            placed_at: self.placed_at,
            expires_at: self.expires_at,
            server_time: now,
            events: Vec::new(),
            payments: Vec::new(),
            shipment: None,
            refunds: Vec::new(),
            money_apart: false,
            cancel_asked,
        }
    }

    /// Its row in lists while it waits to be written down.
    pub(super) fn summary(self) -> OrderSummary {
        OrderSummary {
            copies: self.lines.iter().map(|line| i64::from(line.quantity)).sum(),
            titles: i64::try_from(self.lines.len()).unwrap_or(i64::MAX),
            first_title: self.lines.into_iter().next().map(|line| line.title).unwrap_or_default(),
            order_id: self.order_id,
            number: self.number,
            status: OrderStatus::Pending,
            version: 0,
            total: self.total,
            currency: self.currency,
            email: self.email,
            placed_at: self.placed_at,
            expires_at: self.expires_at,
        }
    }

    /// Copies per book, in book order: what the ledger moves.
    pub(crate) fn copies(&self) -> Vec<Line> {
        let mut sums = BTreeMap::<i64, i32>::new();
        for line in &self.lines {
            *sums.entry(line.book_id.get()).or_default() += i32::try_from(line.quantity.get()).unwrap_or(0);
        }
        sums.into_iter().map(|(book, copies)| Line { book, copies }).collect()
    }

    /// Its lines as carts know them.
    pub(super) fn cart_lines(&self) -> Vec<(BookId, Quantity)> {
        self.lines.iter().map(|line| (line.book_id, line.quantity)).collect()
    }
}

/// The order that this owner's key names, now and after any loss: a UUID (version 8) of their hash.
pub(crate) fn order_id(owner: &Owner, key: &IdempotencyKey) -> OrderId {
    let hash = Sha256::digest(OrderId::derive_input(owner, key));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    OrderId::new(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// A hash of the request, not of the cart: what a key must not be used for twice.
pub(super) fn fingerprint(request: &PlaceOrder) -> Result<String, Error> {
    let request = serde_json::to_vec(request).during("orders.fingerprint")?;
    Ok(hex::encode(Sha256::digest(request)))
}

/// When an order placed then must be paid, as its placing answered.
pub(super) fn deadline(store: &Store, placed_at: UnixMillis) -> UnixMillis {
    placed_at.plus(i64::try_from(store.config().order_ttl.as_millis()).unwrap_or(i64::MAX))
}

pub(super) fn order_number(secret: &str, order: OrderId) -> OrderNumber {
    another_number(secret, order, 0)
}

/// The order's number; from 1 on those that it has instead when that one is another order's.
pub(super) fn another_number(secret: &str, order: OrderId, try_no: u8) -> OrderNumber {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key fits");
    mac.update(order.get().as_bytes());
    if try_no > 0 {
        mac.update(&[try_no]);
    }
    let hash = mac.finalize().into_bytes();
    let mut bits = [0; 5];
    bits.copy_from_slice(&hash[..5]);
    OrderNumber::from_bits(bits)
}

async fn priced(store: &Store, cart: &[(BookId, Quantity)]) -> Result<Vec<OrderLine>, Error> {
    let ids: Vec<BookId> = cart.iter().map(|(book, _)| *book).collect();
    let facts = catalog::facts(store, &ids).await?;
    let mut lines = Vec::with_capacity(cart.len());
    for (book, quantity) in cart {
        let known = facts.get(book).filter(|facts| !facts.is_retired && facts.currency == store.config().currency);
        let Some(facts) = known else {
            let title = facts.get(book).map_or_else(|| "A book in your cart".into(), |f| format!("“{}”", f.title));
            return Err(not_orderable(*book, &title).into());
        };
        lines.push(OrderLine {
            book_id: *book,
            title: facts.title.clone(),
            slug: facts.slug.clone(),
            quantity: *quantity,
            unit_price: facts.price,
            line_total: facts.price.times(*quantity).ok_or_else(too_large)?,
        });
    }
    Ok(lines)
}

fn sum(lines: &[OrderLine]) -> Result<Minor, Error> {
    let total = lines.iter().try_fold(Minor::ZERO, |total, line| total.plus(line.line_total));
    total.ok_or_else(|| too_large().into())
}

fn cart_changed(total: Minor, currency: Currency) -> ApiError {
    let total = total.with(currency);
    ApiError::new(ErrorCode::CartChanged, format!("Your cart has changed: it comes to {total} now. Please look again."))
}

fn not_orderable(book: BookId, title: &str) -> ApiError {
    let message = format!("{title} is no longer sold. Please take it out of the cart to go on.");
    ApiError::new(ErrorCode::NotOrderable, message).field(&format!("book_{book}"), "no longer sold")
}

fn too_large() -> ApiError {
    ApiError::new(ErrorCode::TooLarge, "This order is too large for us.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_one_order_for_ever() {
        let id = |owner: &str, key: &str| {
            Some(order_id(&owner.parse().ok()?, &IdempotencyKey::parse(key).ok()?).to_string())
        };
        // Promise 3 rests on this value never changing.
        assert_eq!(id("a:7", "k").as_deref(), Some("c85a0465-8329-82fa-9ec7-9ebd73ded635"));
        assert_ne!(id("a:7", "k"), id("a:8", "k"));
        assert_ne!(id("a:7", "k"), id("a:7", "l"));
    }

    #[test]
    fn numbers_depend_on_the_secret() {
        let order = OrderId::new(uuid::Uuid::nil());
        assert_eq!(order_number("s", order), order_number("s", order));
        assert_ne!(order_number("s", order), order_number("t", order));
        assert_eq!(order_number("s", order), another_number("s", order, 0));
        assert_ne!(order_number("s", order), another_number("s", order, 1));
    }
}
