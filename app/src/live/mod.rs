//! What live messages say, as signals: the newest known cart, orders and stock of this tab.
//!
//! The server renders from the same signals; only the browser opens the socket ([`socket`]), after hydration.

mod edits;
mod frames;
mod orders;
mod pending;
mod socket;
mod stock;

pub use pending::Edit;
pub use stock::Available;

use crate::{boot::Boot, derived::Derived, effect::effect};
use domain::{
    ApiError, BookId, OrderId, UnixMillis,
    cart::CartView,
    live::{Ask, Frame},
    order::{OrderSummary, OrderView},
};
use leptos::prelude::*;

/// The signals; cheap to copy, one set per tab.
#[derive(Clone, Copy)]
pub struct Live {
    /// As the server last told it.
    cart: RwSignal<CartView>,
    pending: RwSignal<pending::Pending>,
    shown: Derived<CartView>,
    /// Why the last edit was refused.
    refusal: RwSignal<Option<ApiError>>,
    /// Lines that glow.
    changed: RwSignal<Vec<BookId>>,
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
    /// For longer than a blink; the page says so.
    is_away: RwSignal<bool>,
    /// Server's clock minus this computer's, in ms. A message can only arrive late, so the largest seen is the best.
    offset: RwSignal<Option<i64>>,
    /// The socket knows whose cart to follow.
    is_known: StoredValue<bool>,
    /// The next cart is a snapshot and replaces whatever was shown, also the cart of somebody who just logged out.
    expects_snapshot: StoredValue<bool>,
}

impl Live {
    pub fn new(boot: &Boot) -> Self {
        let (cart, pending) = (RwSignal::new(boot.cart.clone()), RwSignal::new(pending::Pending::default()));
        let (stock, delivery) = (RwSignal::new(Vec::<Available>::new()), boot.delivery);
        let available = move |book| {
            stock.with(|stock| stock.iter().find(|known| known.book_id == book).map(|known| known.available))
        };
        let shown = Derived::new(move || {
            let mut shown = pending.with(|pending| cart.with(|cart| pending.applied(cart, delivery)));
            pending::with_stock(&mut shown, available);
            shown
        });
        let refused = boot.flash.as_ref().filter(|flash| flash.form.starts_with("cart/"));
        Self {
            cart,
            pending,
            shown,
            refusal: RwSignal::new(refused.and_then(|flash| flash.error.clone())),
            changed: RwSignal::default(),
            orders: RwSignal::default(),
            admin_orders: RwSignal::default(),
            stock,
            notice: RwSignal::default(),
            watched: RwSignal::default(),
            open_order: RwSignal::default(),
            is_admin_list: RwSignal::default(),
            is_open: RwSignal::default(),
            is_away: RwSignal::default(),
            offset: RwSignal::default(),
            is_known: StoredValue::new(boot.is_known),
            expects_snapshot: StoredValue::new(false),
        }
    }

    /// Opens the socket and keeps it open; in the browser only, after hydration.
    pub fn start(self) {
        effect(move || socket::start(self));
        effect(move || self.ask_watched());
        effect(move || self.ask_order());
        effect(move || self.ask_admin());
    }

    pub fn is_open(self) -> RwSignal<bool> {
        self.is_open
    }

    /// Whether live messages have not arrived for a while.
    pub fn is_away(self) -> RwSignal<bool> {
        self.is_away
    }

    pub fn notice(self) -> RwSignal<Option<String>> {
        self.notice
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
            Frame::Cart { cart } => self.hear_cart(*cart),
            Frame::Order { order } => self.set_order(*order),
            Frame::AdminOrder { order } => self.set_admin_order(*order),
            Frame::Stock { book_id, available, epoch, version } => {
                self.set_stock(Available { book_id, available, version: (epoch, version) });
            }
            Frame::Notice { message } => self.notice.set(Some(message)),
            Frame::Beat => {}
            Frame::Resync => {
                // What an open list missed, nobody knows: it asks anew.
                self.admin_orders.set(Vec::new());
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
