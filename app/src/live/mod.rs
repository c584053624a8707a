//! What live messages say, as signals: the newest known cart, orders and stock of this tab.
//!
//! The server renders from the same signals; only the browser opens the socket ([`socket`]), after hydration.

mod frames;
mod orders;
mod socket;
mod stock;

pub use stock::Available;

use crate::call::Post;
use domain::{
    BookId, OrderId, UnixMillis,
    cart::CartView,
    live::{Ask, Frame},
    order::{OrderSummary, OrderView},
};
use leptos::prelude::*;

/// The signals; cheap to copy, one set per tab.
#[derive(Clone, Copy)]
pub struct Live {
    cart: RwSignal<CartView>,
    orders: RwSignal<Vec<OrderView>>,
    admin_orders: RwSignal<Vec<OrderSummary>>,
    stock: RwSignal<Vec<Available>>,
    notice: RwSignal<Option<String>>,
    /// Books on the screen, once per place that shows them.
    watched: RwSignal<Vec<BookId>>,
    /// The order whose page is open.
    open_order: RwSignal<Option<OrderId>>,
    /// A list of all orders is open.
    is_admin_list: RwSignal<bool>,
    is_open: RwSignal<bool>,
    /// Server's clock minus this computer's, in ms. A message can only arrive late, so the largest seen is the best.
    offset: RwSignal<Option<i64>>,
    /// The socket knows whose cart to follow.
    is_known: StoredValue<bool>,
    /// The next cart is a snapshot and replaces whatever was shown, also the cart of somebody who just logged out.
    expects_snapshot: StoredValue<bool>,
}

impl Live {
    pub fn new(cart: CartView, is_known: bool) -> Self {
        Self {
            cart: RwSignal::new(cart),
            orders: RwSignal::default(),
            admin_orders: RwSignal::default(),
            stock: RwSignal::default(),
            notice: RwSignal::default(),
            watched: RwSignal::default(),
            open_order: RwSignal::default(),
            is_admin_list: RwSignal::default(),
            is_open: RwSignal::default(),
            offset: RwSignal::default(),
            is_known: StoredValue::new(is_known),
            expects_snapshot: StoredValue::new(false),
        }
    }

    /// Opens the socket and keeps it open; in the browser only, after hydration.
    pub fn start(self) {
        Effect::new(move |_| socket::start(self));
        Effect::new(move |_| self.ask_watched());
        Effect::new(move |_| self.ask_order());
        Effect::new(move |_| self.ask_admin());
    }

    pub fn cart(self) -> Signal<CartView> {
        self.cart.into()
    }

    pub fn is_open(self) -> Signal<bool> {
        self.is_open.into()
    }

    pub fn notice(self) -> RwSignal<Option<String>> {
        self.notice
    }

    /// A cart that the server just answered with. Same version: the cart is the same, but its stock and prices are news.
    pub fn set_cart(self, cart: CartView) {
        if cart.version >= self.cart.with_untracked(|known| known.version) {
            self.cart.set(cart);
        }
        if !self.is_known.get_value() {
            // This edit made us somebody: now the socket, and those of our other tabs, can follow our cart.
            self.is_known.set_value(true);
            socket::announce_new_identity(self);
        }
    }

    /// Every edit of the cart answers with the whole of it.
    pub fn take_carts(self, post: Post) {
        post.on_success(move |cart: CartView| self.set_cart(cart));
    }

    /// Somebody logged in (`true`) or out: other tabs must ask anew.
    pub fn identity_changed(self, is_known: bool) {
        socket::tell_other_tabs(is_known);
    }

    /// The server's clock, as well as this tab knows it.
    pub fn now(self) -> UnixMillis {
        socket::clock().plus(self.offset.get_untracked().unwrap_or_default())
    }

    /// Learns the server's clock from a message it just sent.
    pub fn learn_clock(self, server_time: UnixMillis) {
        let seen = server_time.since(socket::clock());
        self.offset.update(|known| *known = Some(known.map_or(seen, |known| known.max(seen))));
    }

    fn apply(self, frame: Frame) {
        match frame {
            Frame::Cart { cart } => {
                let is_snapshot = self.expects_snapshot.get_value();
                self.expects_snapshot.set_value(false);
                if is_snapshot || cart.version > self.cart.with_untracked(|known| known.version) {
                    self.cart.set(*cart);
                }
            }
            Frame::Order { order } => self.set_order(*order),
            Frame::AdminOrder { order } => self.set_admin_order(*order),
            Frame::Stock { book_id, available, epoch, version } => {
                self.set_stock(Available { book_id, available, version: (epoch, version) });
            }
            Frame::Notice { message } => self.notice.set(Some(message)),
            Frame::Resync => {
                self.expects_snapshot.set_value(true);
                socket::ask(&Ask::Snapshot);
                self.ask_again();
            }
        }
    }

    /// Everything this tab follows, for a server that does not know it (any more).
    fn ask_again(self) {
        self.ask_watched();
        self.ask_order();
        self.ask_admin();
    }
}

/// The tab's signals.
pub fn use_live() -> Live {
    expect_context::<crate::shop::Shop>().live
}
