//! What a provider's event does to payment and order. Events come in any order and any number of times; an order and
//! a payment only ever move forward.

use super::{
    provider::{EventKind, ProviderEvent},
    queries::{self, OrderRow, PaymentRow},
};
use crate::{
    error::{During, Error},
    jobs::{self, Topic},
    orders::change::{self, Change},
    stock::ledger,
    world::to_timestamp,
};
use domain::{
    Money, OrderId, PaymentId, RefundId, UnixMillis,
    order::{Cause, OrderStatus},
    payment::PaymentStatus,
};
use sqlx::PgTransaction;

/// What became of an event, for the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Applied,
    /// True, but nothing follows from it any more.
    Ignored(&'static str),
    /// Too early: what it is about is not known yet.
    Waiting(&'static str),
    /// It does not fit the ledger: an admin looks at it.
    Quarantined(&'static str),
}

const OPERATION: &str = "payments.effect";
pub(super) const NO_ORDER: &str = "its order is not written down yet";
/// What waits for this and is not met is another shop's.
pub(super) const ANYBODYS: &str = "its money is not known";

/// Names for what an event may bring with it.
#[derive(Clone, Copy)]
pub(super) struct Fresh {
    pub refund: RefundId,
    pub session: PaymentId,
}

/// Applies the event inside the caller's transaction.
pub(super) async fn apply(
    tx: &mut PgTransaction<'_>,
    provider: &str,
    event: &ProviderEvent,
    fresh: Fresh,
    now: UnixMillis,
) -> Result<Outcome, Error> {
    if event.kind == EventKind::Unknown {
        return Ok(Outcome::Ignored("a kind of event that nothing follows from"));
    }
    let (Some(order), Some(amount)) = (event.order, event.amount) else {
        return nameless(tx, provider, event).await;
    };
    // Before any row, as everybody does who moves stock: else the loader of the gate could close a circle of waiting.
    ledger::share_gate_lock(tx).await?;
    let Some(order) = queries::lock_order(&mut **tx, order).await.during(OPERATION)? else {
        return Ok(Outcome::Waiting(NO_ORDER));
    };
    let status: OrderStatus =
        order.status.parse().map_err(|_| Error::unexpected(OPERATION, "an order without a status"))?;
    if status == OrderStatus::Pending {
        return Ok(Outcome::Waiting(NO_ORDER));
    }
    let found = queries::payment_of_event(&mut **tx, provider, &event.provider_ref, event.payment).await;
    let found = match found.during(OPERATION)? {
        Some(payment) => Some(payment),
        None => twin(tx, provider, event, fresh.session, now).await?,
    };
    let Some(payment) = found else {
        return Ok(Outcome::Quarantined("no such session of this shop"));
    };
    if payment.order_id != order.id {
        return Ok(Outcome::Quarantined("the session belongs to another order"));
    }
    let (order_id, payment_id) = (OrderId::new(order.id), PaymentId::new(payment.id));
    let provider_ref = &event.provider_ref;
    let new_refund = fresh.refund;
    let mut scene = Scene { tx, order, order_id, status, payment, payment_id, provider_ref, new_refund, now };
    match event.kind {
        EventKind::Captured => scene.captured(amount).await,
        EventKind::Declined => scene.declined().await,
        EventKind::AttemptFailed => scene.attempt_failed().await,
        EventKind::Closed => scene.closed().await,
        EventKind::RefundSucceeded(ours) => scene.money_is_back(ours, event.refund_ref.as_deref(), amount).await,
        EventKind::RefundFailed(ours) => scene.refund_failed(ours, event.refund_ref.as_deref()).await,
        EventKind::Unknown => Ok(Outcome::Ignored("a kind of event that nothing follows from")),
    }
}

/// The row for money of a second session under the name of a first one, should a provider ever make two: it pays the
/// order, or goes back, like any other. `None`: the event tells of nothing of the kind.
async fn twin(
    tx: &mut PgTransaction<'_>,
    provider: &str,
    event: &ProviderEvent,
    id: PaymentId,
    now: UnixMillis,
) -> Result<Option<PaymentRow>, Error> {
    let (EventKind::Captured, Some(name)) = (&event.kind, event.payment) else { return Ok(None) };
    let first = queries::lock_payment(&mut **tx, name).await.during(OPERATION)?;
    let is_ours = |first: &PaymentRow| {
        first.provider == provider
            && event.order == Some(OrderId::new(first.order_id))
            && first.amount() == event.amount
            && !event.provider_ref.is_empty()
    };
    let Some(first) = first.filter(is_ours) else { return Ok(None) };
    tracing::error!(payment.id = %name, provider, "the provider made a second session under one name");
    let twin = queries::insert_twin(&mut **tx, &first, id, &event.provider_ref, to_timestamp(now)).await;
    twin.during(OPERATION).map(Some)
}

/// An event that names no order, or no amount, of this shop. Others may use the same account at the provider: only what
/// is about a session of ours is looked at. A refund names nothing but its money, which may not be heard of yet.
async fn nameless(tx: &mut PgTransaction<'_>, provider: &str, event: &ProviderEvent) -> Result<Outcome, Error> {
    let session = queries::payment_of_event(&mut **tx, provider, &event.provider_ref, event.payment).await;
    let is_ours = event.order.is_some() || session.during(OPERATION)?.is_some();
    Ok(match event.kind {
        _ if is_ours => Outcome::Quarantined("names no order, or no amount, of this shop"),
        EventKind::RefundSucceeded(_) | EventKind::RefundFailed(_) if event.capture_ref.is_some() => {
            Outcome::Waiting(ANYBODYS)
        }
        _ => Outcome::Ignored("nothing of this shop"),
    })
}

/// Everything an event touches, locked.
pub(super) struct Scene<'s, 'c> {
    pub tx: &'s mut PgTransaction<'c>,
    pub order: OrderRow,
    pub order_id: OrderId,
    pub status: OrderStatus,
    pub payment: PaymentRow,
    pub payment_id: PaymentId,
    pub provider_ref: &'s str,
    pub new_refund: RefundId,
    pub now: UnixMillis,
}

impl Scene<'_, '_> {
    async fn captured(&mut self, amount: Money) -> Result<Outcome, Error> {
        if self.payment.amount() != Some(amount) || self.order.amount() != Some(amount) {
            return Ok(Outcome::Quarantined("another amount or currency than the order's"));
        }
        match self.payment.status() {
            Some(
                PaymentStatus::Captured | PaymentStatus::Late | PaymentStatus::Refunding | PaymentStatus::Refunded,
            ) => Ok(Outcome::Ignored("captured before")),
            // Money is money, also from a session that was said to be declined or closed.
            _ if self.status == OrderStatus::PaymentPending => self.pay(Cause::PaymentCaptured).await,
            _ if self.may_buy_again().await? => self.wait_for_decision().await,
            _ => self.send_back().await,
        }
    }

    /// An order that has ended takes money as long as it is the first that comes.
    async fn may_buy_again(&mut self) -> Result<bool, Error> {
        let has_ended = matches!(self.status, OrderStatus::Expired | OrderStatus::Cancelled);
        let other = queries::has_other_money(&mut **self.tx, self.order_id, self.payment_id).await;
        Ok(has_ended && !other.during(OPERATION)?)
    }

    /// The same when it is decided: that it was the first was seen, with the order locked, when it came.
    pub(super) async fn may_still_buy_again(&mut self) -> Result<bool, Error> {
        let has_ended = matches!(self.status, OrderStatus::Expired | OrderStatus::Cancelled);
        let other = queries::is_paid_by_another(&mut **self.tx, self.order_id, self.payment_id).await;
        Ok(has_ended && !other.during(OPERATION)?)
    }

    /// Late money: recorded with the work that decides what becomes of it.
    async fn wait_for_decision(&mut self) -> Result<Outcome, Error> {
        self.set_payment(PaymentStatus::Late).await?;
        self.enqueue(Topic::PaymentLate, &self.payment_id.to_string()).await?;
        self.note(Cause::LateMoneyCame, None).await?;
        Ok(Outcome::Applied)
    }

    pub(super) async fn pay(&mut self, cause: Cause) -> Result<Outcome, Error> {
        self.set_payment(PaymentStatus::Captured).await?;
        let change = Change { order: self.order_id, from: self.status, to: OrderStatus::Paid, cause, note: None };
        let changed = change::apply(self.tx, change, self.now).await?;
        changed.ok_or_else(|| Error::unexpected(OPERATION, "a locked order moved"))?;
        // Other attempts may be open while an older one brought the money after all.
        for other in queries::open_sessions(&mut **self.tx, &[self.order.id]).await.during(OPERATION)? {
            self.enqueue(Topic::PaymentClose, &other.to_string()).await?;
        }
        Ok(Outcome::Applied)
    }

    /// Late money, or money for what is paid already: it goes back by itself, and the timeline says so.
    pub(super) async fn send_back(&mut self) -> Result<Outcome, Error> {
        let reason = match self.status {
            OrderStatus::Expired | OrderStatus::Cancelled | OrderStatus::Failed => "paid after the order had ended",
            _ => "paid twice",
        };
        self.set_payment(PaymentStatus::Refunding).await?;
        self.ask_back(self.payment.amount_minor, reason, self.now).await?;
        self.note(Cause::MoneyGoesBack, None).await?;
        Ok(Outcome::Applied)
    }

    async fn declined(&mut self) -> Result<Outcome, Error> {
        if !self.payment.is_unsettled() {
            return Ok(Outcome::Ignored("this session is over already"));
        }
        self.set_payment(PaymentStatus::Declined).await?;
        if self.status == OrderStatus::PaymentPending {
            self.note(Cause::PaymentFailed, Some("Declined. You can try again.")).await?;
        }
        Ok(Outcome::Applied)
    }

    /// The provider's page stays open. Said once, however many attempts fail in a row.
    async fn attempt_failed(&mut self) -> Result<Outcome, Error> {
        let is_open = self.payment.status() == Some(PaymentStatus::Open);
        if !is_open || self.status != OrderStatus::PaymentPending {
            return Ok(Outcome::Ignored("this session is over already"));
        }
        let last = queries::last_cause(&mut **self.tx, self.order_id).await.during(OPERATION)?;
        if last.as_deref() == Some(Cause::PaymentFailed.as_str()) {
            return Ok(Outcome::Ignored("said already"));
        }
        self.note(Cause::PaymentFailed, Some("Declined. You can try again.")).await?;
        Ok(Outcome::Applied)
    }

    async fn closed(&mut self) -> Result<Outcome, Error> {
        if !self.payment.is_unsettled() {
            return Ok(Outcome::Ignored("this session is over already"));
        }
        self.set_payment(PaymentStatus::Closed).await?;
        Ok(Outcome::Applied)
    }

    pub(super) async fn set_payment(&mut self, status: PaymentStatus) -> Result<(), Error> {
        let captured = matches!(status, PaymentStatus::Captured | PaymentStatus::Late | PaymentStatus::Refunding);
        let captured_at = captured.then(|| to_timestamp(self.now));
        queries::set_status(&mut **self.tx, self.payment_id, status, self.provider_ref, captured_at)
            .await
            .during(OPERATION)
    }

    pub(super) async fn note(&mut self, cause: Cause, note: Option<&str>) -> Result<(), Error> {
        change::note(self.tx, (self.order_id, self.status), cause, note, self.now).await.map(|_| ())
    }

    async fn enqueue(&mut self, topic: Topic, key: &str) -> Result<(), Error> {
        let (due, nothing_more) = (to_timestamp(self.now), serde_json::json!({}));
        jobs::enqueue(&mut **self.tx, topic, key, &nothing_more, due).await.during(OPERATION)
    }
}
