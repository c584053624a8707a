//! What a provider's word about refunds does. A refund is wanted until money is back: one that fails, even after it was
//! made, is asked for anew, unless the order is sold and keeps its money. An order is REFUNDED when nothing of what came
//! for it is left with the shop.

use super::{
    effect::{Outcome, Scene},
    queries::{self, NewRefund, RefundRow},
};
use crate::{
    error::{During, Error},
    jobs::{self, Topic},
    messages,
    orders::change::{self, Change},
    stock::ledger,
    world::to_timestamp,
};
use domain::{
    Money, RefundId, UnixMillis,
    order::{Cause, OrderStatus},
    payment::PaymentStatus,
};

const OPERATION: &str = "payments.back";
/// A refund that failed is asked for anew after this, times how often it failed, at most a day.
const ANEW_MS: i64 = 3_600_000;
const MOST_HOURS: i64 = 24;

impl Scene<'_, '_> {
    pub(super) async fn money_is_back(
        &mut self,
        ours: Option<RefundId>,
        refund_ref: Option<&str>,
        amount: Money,
    ) -> Result<Outcome, Error> {
        let Some(row) = self.refund_row(ours, refund_ref).await? else {
            return match (ours, refund_ref) {
                (None, Some(refund_ref)) => self.refunded_by_provider(refund_ref, amount).await,
                _ => Ok(Outcome::Quarantined("a refund that this shop did not ask for")),
            };
        };
        if row.payment_id != self.payment.id || row.amount() != Some(amount) {
            return Ok(Outcome::Quarantined("another refund than the one asked for"));
        }
        self.confirm(RefundId::new(row.id), refund_ref, amount).await
    }

    /// The row of a refund that an event speaks of, by our id or by the provider's.
    async fn refund_row(
        &mut self,
        ours: Option<RefundId>,
        refund_ref: Option<&str>,
    ) -> Result<Option<RefundRow>, Error> {
        if let Some(id) = ours {
            return queries::refund(&mut **self.tx, id).await.during(OPERATION);
        }
        let Some(refund_ref) = refund_ref else { return Ok(None) };
        queries::refund_of_ref(&mut **self.tx, self.payment_id, refund_ref).await.during(OPERATION)
    }

    async fn confirm(&mut self, id: RefundId, refund_ref: Option<&str>, amount: Money) -> Result<Outcome, Error> {
        let at = to_timestamp(self.now);
        if !queries::confirm_refund(&mut **self.tx, id, refund_ref, at).await.during(OPERATION)? {
            return Ok(Outcome::Ignored("this refund is over already"));
        }
        messages::enqueue(self.tx, messages::REFUNDED, id.get(), self.now).await?;
        self.count_what_is_back(amount).await
    }

    /// Somebody gave money back on the provider's own pages: true, and recorded if there is so much to give back. If
    /// not, it is what a refund of ours wants that the provider has not taken up.
    async fn refunded_by_provider(&mut self, refund_ref: &str, amount: Money) -> Result<Outcome, Error> {
        use PaymentStatus as S;
        match self.payment.status() {
            Some(S::Captured | S::Refunding | S::Refunded) => {}
            _ if queries::is_apart(&mut **self.tx, self.order_id).await.during(OPERATION)? => {
                return Ok(Outcome::Quarantined("of money that is kept apart"));
            }
            _ => return Ok(Outcome::Waiting("its money is not here yet")),
        }
        let minor = amount.minor().get();
        let same_currency = self.payment.amount().map(Money::currency) == Some(amount.currency());
        let going_back = queries::going_back(&mut **self.tx, self.payment_id).await.during(OPERATION)?;
        let left = self.payment.amount_minor.saturating_sub(going_back);
        if !same_currency || !(1..=left).contains(&minor) {
            let ours = queries::same_refund_wanted(&mut **self.tx, self.payment_id, minor).await.during(OPERATION)?;
            return match ours {
                Some(ours) if same_currency => self.confirm(RefundId::new(ours), Some(refund_ref), amount).await,
                _ => Ok(Outcome::Quarantined("a refund by the provider of more than there is")),
            };
        }
        let new = NewRefund {
            id: self.new_refund,
            amount: minor,
            reason: "made on the provider's own pages",
            origin: "provider",
            status: "confirmed",
            key: None,
            restocks: false,
            provider_ref: Some(refund_ref),
            by: None,
        };
        queries::insert_refund(&mut **self.tx, &self.payment, new, to_timestamp(self.now)).await.during(OPERATION)?;
        messages::enqueue(self.tx, messages::REFUNDED, self.new_refund.get(), self.now).await?;
        self.count_what_is_back(amount).await
    }

    /// A refund of this payment is confirmed: its timeline says so, and all of it together may end the order.
    async fn count_what_is_back(&mut self, amount: Money) -> Result<Outcome, Error> {
        let back = queries::refunded(&mut **self.tx, self.payment_id).await.during(OPERATION)?;
        if back >= self.payment.amount_minor {
            self.set_payment(PaymentStatus::Refunded).await?;
            self.close_the_books().await?;
            return Ok(Outcome::Applied);
        }
        self.note_what_goes_back().await?;
        self.note(Cause::RefundConfirmed, Some(&format!("{amount} of it."))).await?;
        Ok(Outcome::Applied)
    }

    /// A payment whose parts all go back, whoever sends each of them, is on its way back.
    async fn note_what_goes_back(&mut self) -> Result<(), Error> {
        let going_back = queries::going_back(&mut **self.tx, self.payment_id).await.during(OPERATION)?;
        if going_back >= self.payment.amount_minor {
            queries::set_refunding(&mut **self.tx, self.payment_id).await.during(OPERATION)?;
        }
        Ok(())
    }

    /// After a full refund: an order without any money left is REFUNDED; one that is paid by another payment stays, and
    /// so does one whose other money is not back yet.
    async fn close_the_books(&mut self) -> Result<(), Error> {
        use OrderStatus as S;
        let cause = match self.status {
            // Called off by the shop after it was paid: this money was not late.
            S::Cancelled if queries::was_paid(&mut **self.tx, self.order_id).await.during(OPERATION)? => {
                Cause::RefundConfirmed
            }
            S::Expired | S::Cancelled => Cause::LateMoneyReturned,
            S::Paid | S::Fulfilling | S::Shipped | S::Delivered => Cause::RefundConfirmed,
            S::Pending | S::PaymentPending | S::Failed | S::Refunded => {
                return self.note(Cause::RefundConfirmed, None).await;
            }
        };
        if queries::is_paid_by_another(&mut **self.tx, self.order_id, self.payment_id).await.during(OPERATION)? {
            return self.note(Cause::RefundConfirmed, Some("The second payment is back with you.")).await;
        }
        if queries::holds_money(&mut **self.tx, self.order_id).await.during(OPERATION)? {
            return self.note(Cause::RefundConfirmed, Some("One payment is; another one is not yet.")).await;
        }
        let change = Change { order: self.order_id, from: self.status, to: S::Refunded, cause, note: None };
        let changed = change::apply(self.tx, change, self.now).await?;
        changed.map(|_| ()).ok_or_else(|| Error::unexpected(OPERATION, "a locked order moved"))
    }

    /// The provider could not make a refund, or the money came back to the shop after it was made.
    pub(super) async fn refund_failed(
        &mut self,
        ours: Option<RefundId>,
        refund_ref: Option<&str>,
    ) -> Result<Outcome, Error> {
        let Some(row) = self.refund_row(ours, refund_ref).await? else {
            return Ok(Outcome::Ignored("no refund of this shop"));
        };
        let id = RefundId::new(row.id);
        if row.payment_id != self.payment.id {
            return Ok(Outcome::Quarantined("another refund than the one asked for"));
        }
        if !queries::fail_refund(&mut **self.tx, id, "The provider could not make it.").await.during(OPERATION)? {
            return Ok(Outcome::Ignored("this refund is over already"));
        }
        tracing::error!(refund.id = %id, payment.id = %self.payment_id, "the provider could not make a refund");
        metrics::counter!("refunds_failed_total").increment(1);
        let amount = row.amount().map(|amount| amount.to_string()).unwrap_or_default();
        let note = if self.keeps_its_money(&row).await? {
            self.set_payment(PaymentStatus::Captured).await?;
            amount
        } else {
            self.ask_anew(&row).await?;
            self.note_what_goes_back().await?;
            format!("{amount}. We try again by ourselves.")
        };
        self.note(Cause::RefundFailed, Some(&note)).await?;
        Ok(Outcome::Applied)
    }

    /// What an admin wanted back of an order that is sold stays with it when that fails, and the admin decides again.
    /// What the shop owes by its own rules, or for copies that it has again, does not.
    async fn keeps_its_money(&mut self, failed: &RefundRow) -> Result<bool, Error> {
        if failed.origin == "shop" || !self.status.is_sold() {
            return Ok(false);
        }
        let other = queries::is_paid_by_another(&mut **self.tx, self.order_id, self.payment_id).await;
        Ok(!other.during(OPERATION)? && ledger::copies_out(self.tx, self.order_id, self.order.claim_no).await? > 0)
    }

    async fn ask_anew(&mut self, failed: &RefundRow) -> Result<(), Error> {
        let times = queries::failed_refunds(&mut **self.tx, self.payment_id).await.during(OPERATION)?;
        let due = self.now.plus(times.clamp(1, MOST_HOURS) * ANEW_MS);
        self.ask_back(failed.amount_minor, &failed.reason, due).await
    }

    /// The shop wants money back by its own rules; the provider is asked from `due` on.
    pub(super) async fn ask_back(&mut self, amount: i64, reason: &str, due: UnixMillis) -> Result<(), Error> {
        let new = NewRefund {
            id: self.new_refund,
            amount,
            reason,
            origin: "shop",
            status: "requested",
            key: None,
            restocks: false,
            provider_ref: None,
            by: None,
        };
        queries::insert_refund(&mut **self.tx, &self.payment, new, to_timestamp(self.now)).await.during(OPERATION)?;
        let key = self.new_refund.to_string();
        jobs::enqueue(&mut **self.tx, Topic::RefundRequest, &key, &serde_json::json!({}), to_timestamp(due))
            .await
            .during(OPERATION)
    }
}
