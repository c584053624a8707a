//! The messages on `/live`: one tagged enum, each with the version by which the browser drops older ones.

use crate::{
    BookId, OrderId,
    cart::CartView,
    order::{OrderSummary, OrderView},
};
use serde::{Deserialize, Serialize};

/// Server → browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame {
    /// The shopper's whole cart; version: `cart.version`.
    Cart { cart: Box<CartView> },
    /// One of the shopper's orders, or the one whose page is open; version: `order.version`.
    Order { order: Box<OrderView> },
    /// An order changed, for admins' lists; version: `order.version`.
    AdminOrder { order: Box<OrderSummary> },
    /// Copies of a book on sale; version: epoch, then counter.
    Stock { book_id: BookId, available: i64, epoch: i64, version: i64 },
    /// Something to say to the person, once.
    Notice { message: String },
    /// The socket fell behind: ask again for what is on the screen.
    Resync,
    /// Nothing but a sign of life, every [`BEAT_SECONDS`]: browsers hide the protocol's own pings from pages.
    Beat,
}

/// Browser → server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Ask {
    /// Follow these books' stock (replaces the former set; at most [`MAX_WATCHED`]).
    Watch { books: Vec<BookId> },
    /// Follow this order (the shopper's own, or any for admins) and send it now.
    Order { order_id: OrderId },
    /// Follow all orders (admins only).
    AdminOrders,
    /// Send the cart, and the order last asked for, again.
    Snapshot,
}

/// How often the server is heard of on every socket.
pub const BEAT_SECONDS: u32 = 25;
/// Books one socket may watch.
pub const MAX_WATCHED: usize = 60;
/// Longest message a browser may send, in bytes.
pub const MAX_ASK: usize = 4096;
