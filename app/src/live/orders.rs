//! Orders that live messages told about: the shopper's own, and those an admin watches.

use super::{Live, socket};
use crate::{derived::Derived, effect::effect};
use domain::{
    OrderId,
    live::Ask,
    order::{OrderSummary, OrderView},
};
use leptos::prelude::*;

/// Orders kept per tab; the oldest is forgotten.
const MAX_KEPT: usize = 60;

impl Live {
    /// The newest known state of an order that a page was rendered from.
    pub fn order(self, page: OrderView) -> Derived<OrderView> {
        Derived::new(move || {
            let newer = |order: &&OrderView| order.order_id == page.order_id && order.version >= page.version;
            self.orders.with(|orders| orders.iter().find(newer).cloned()).unwrap_or_else(|| page.clone())
        })
    }

    /// A list with what became of its orders since.
    pub fn refresh(self, summaries: &[OrderSummary]) -> Vec<OrderSummary> {
        self.orders.with(|orders| {
            let newer = |old: &OrderSummary| {
                let order = orders.iter().find(|o| o.order_id == old.order_id && o.version > old.version)?;
                Some(OrderSummary { status: order.status, version: order.version, ..old.clone() })
            };
            summaries.iter().map(|old| newer(old).unwrap_or_else(|| old.clone())).collect()
        })
    }

    /// Changes seen by the open list of all orders, newest first.
    pub fn admin_orders(self) -> Signal<Vec<OrderSummary>> {
        self.admin_orders.into()
    }

    pub fn set_order(self, order: OrderView) {
        self.learn_clock(order.server_time);
        self.orders.update(|orders| {
            match orders.iter_mut().find(|known| known.order_id == order.order_id) {
                // The same version may still carry news: a declined payment, a wish to cancel.
                Some(known) if order.version >= known.version => *known = order,
                Some(_) => {}
                None => orders.insert(0, order),
            }
            orders.truncate(MAX_KEPT);
        });
    }

    pub(super) fn set_admin_order(self, order: OrderSummary) {
        self.admin_orders.update(|orders| {
            match orders.iter_mut().find(|known| known.order_id == order.order_id) {
                Some(known) if order.version >= known.version => *known = order,
                Some(_) => {}
                None => orders.insert(0, order),
            }
            orders.truncate(MAX_KEPT);
        });
    }

    /// Follows an order while its page is open.
    pub fn follow_order(self, order: OrderId) {
        effect(move || self.open_order.set(Some(order)));
        on_cleanup(move || {
            self.open_order.try_update(|open| {
                if *open == Some(order) {
                    *open = None;
                }
            });
        });
    }

    /// Follows all orders while their list is open.
    pub fn follow_admin_orders(self) {
        effect(move || self.is_admin_list.set(true));
        on_cleanup(move || {
            self.is_admin_list.try_set(false);
        });
    }

    pub(super) fn ask_order(self) {
        if let Some(order_id) = self.open_order.get() {
            socket::ask(&Ask::Order { order_id });
        }
    }

    pub(super) fn ask_admin(self) {
        if self.is_admin_list.get() {
            socket::ask(&Ask::AdminOrders);
        }
    }
}
