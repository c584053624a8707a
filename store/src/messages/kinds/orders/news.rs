//! An order as it stands when a message about it leaves, and the step that gave the reason.

use super::queries;
use crate::{
    Store,
    error::{During, Error},
    mail::{Purpose, address_of},
    orders,
};
use domain::{
    Money, OrderId, UnixMillis,
    order::{OrderEvent, OrderView},
};
use uuid::Uuid;

pub(super) struct News {
    pub order: OrderView,
    /// The step, when there is one.
    pub event: Option<OrderEvent>,
    pub refund: Option<Refund>,
    /// Opens the order: a guest's anywhere, an account's after a login.
    pub link: String,
    /// The shop's address.
    pub shop: String,
    pub at: UnixMillis,
}

/// Money that is back where it came from.
pub(super) struct Refund {
    pub amount: Money,
    /// All that was paid with that payment.
    pub is_full: bool,
}

const OPERATION: &str = "messages.orders";

impl News {
    pub async fn of_step(store: &Store, order: Uuid, step: i64) -> Result<Option<Self>, Error> {
        let Some(view) = orders::written(store, OrderId::new(order)).await? else { return Ok(None) };
        let Some(event) = view.events.iter().find(|event| event.version == step).cloned() else { return Ok(None) };
        let at = event.at;
        Ok(Some(Self { event: Some(event), ..Self::now(store, view, at) }))
    }

    pub async fn of_refund(store: &Store, refund: Uuid) -> Result<Option<Self>, Error> {
        let Some(row) = queries::refund(store.pg(), refund).await.during(OPERATION)? else { return Ok(None) };
        let Some(view) = orders::written(store, OrderId::new(row.order_id)).await? else { return Ok(None) };
        let refund = Refund {
            amount: domain::Minor::new(row.amount_minor).with(view.currency),
            is_full: row.amount_minor == row.paid_minor,
        };
        let at = crate::world::from_timestamp(row.confirmed_at);
        Ok(Some(Self { refund: Some(refund), ..Self::now(store, view, at) }))
    }

    fn now(store: &Store, order: OrderView, at: UnixMillis) -> Self {
        let link = address_of(store, Purpose::OpenOrder, order.order_id.get());
        let shop = store.config().base_url.clone();
        Self { order, event: None, refund: None, link, shop, at }
    }

    pub fn total(&self) -> Money {
        self.order.total.with(self.order.currency)
    }
}
