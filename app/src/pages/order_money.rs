//! What the money of an order does, in words for the person whose money it is.

use domain::{
    Minor,
    order::{Cause, OrderStatus as S, OrderView},
    payment::{PaymentStatus as P, RefundStatus},
};

/// As much of it as the page says; the page is written anew when this changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// The order has ended, and nobody knows yet whether its payment page was used at the last moment.
    is_unsettled: bool,
    /// Some came that does not fit the order, and a person of the shop looks at it.
    is_apart: bool,
    /// It came late: whether the copies are still there is being looked at.
    is_deciding: bool,
    /// It came late, and the copies were still there.
    has_bought_again: bool,
    /// Nothing of what pays the order is left to it.
    is_all_going: bool,
    going: Minor,
    back: Minor,
    second: Option<Second>,
}

/// A payment beside the one that pays the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Second {
    Going,
    Back,
}

impl Money {
    pub fn of(order: &OrderView) -> Self {
        let with = |status| order.payments.iter().find(move |payment| payment.status == status);
        let has = |status| with(status).is_some();
        let main = with(P::Captured).or_else(|| with(P::Refunding)).or_else(|| with(P::Refunded));
        let main = main.map(|payment| payment.payment_id);
        let others = || order.payments.iter().filter(|payment| Some(payment.payment_id) != main);
        let second = match others().any(|other| other.status == P::Refunding) {
            true => Some(Second::Going),
            false => others().any(|other| other.status == P::Refunded).then_some(Second::Back),
        };
        let sum = |status| {
            let of_main = order.refunds.iter().filter(|refund| Some(refund.payment_id) == main);
            Minor::new(of_main.filter(|refund| refund.status == status).map(|refund| refund.amount.get()).sum())
        };
        let is_open = has(P::Creating) || has(P::Open) || has(P::Closing);
        Self {
            is_unsettled: is_open && matches!(order.status, S::Expired | S::Cancelled),
            is_apart: order.money_apart,
            is_deciding: has(P::Late),
            has_bought_again: order.events.iter().any(|event| event.cause == Cause::LateMoneyClaimed),
            is_all_going: !has(P::Captured) && has(P::Refunding),
            going: sum(RefundStatus::Requested),
            back: sum(RefundStatus::Confirmed),
            second,
        }
    }

    /// All the money of a paid order is on its way back; again, if it could not be brought there the first time.
    pub const fn leaves(self, status: S) -> bool {
        (status.is_sold() || matches!(status, S::Refunded)) && self.is_all_going
    }

    /// The sentences under the one that says where the order stands.
    pub fn sentences(self, status: S, order: &OrderView) -> Vec<String> {
        let amount = |minor: Minor| minor.with(order.currency).to_string();
        let total = amount(order.total);
        let first = match status {
            _ if self.leaves(status) => {
                format!("{} goes back the way it came. Some banks take a few days.", amount(self.going))
            }
            S::Paid => format!("{total} reached us. We pack them next."),
            S::Fulfilling | S::Shipped => format!("{total} reached us."),
            S::Delivered => "Good reading.".to_owned(),
            S::Refunded => {
                format!("{} went back the way it came. Some banks take a few days to show it.", amount(self.back))
            }
            S::Expired | S::Cancelled | S::Failed => return vec![self.of_ended(status, order)],
            S::Pending | S::PaymentPending => NOTHING_AND_CART.to_owned(),
        };
        let is_part = status.is_sold() && !self.leaves(status);
        let some = |minor: Minor| (minor > Minor::ZERO).then(|| amount(minor));
        let more = [
            (status.is_sold() && self.has_bought_again && !self.leaves(status))
                .then(|| "Your payment came late, but your copies were still here.".to_owned()),
            some(self.going).filter(|_| is_part).map(|part| format!("{part} of it is on its way back to you.")),
            some(self.back).filter(|_| status.is_sold()).map(|part| format!("{part} went back to you before.")),
            self.second.map(|second| match second {
                Second::Going => "A second payment reached us. It is on its way back to you.".to_owned(),
                Second::Back => "A second payment reached us. It went back to you.".to_owned(),
            }),
        ];
        std::iter::once(first).chain(more.into_iter().flatten()).collect()
    }

    fn of_ended(self, status: S, order: &OrderView) -> String {
        let was_paid = order.events.iter().any(|event| event.status == S::Paid);
        match status {
            _ if self.is_apart => {
                "A payment reached us that does not fit this order. We are looking at it, and you will hear from us."
                    .to_owned()
            }
            _ if self.is_deciding => {
                "Your payment arrived after the hold had ended; we are checking whether your copies are still here."
                    .to_owned()
            }
            _ if self.is_all_going && was_paid => {
                format!("{} is on its way back to you.", self.going.with(order.currency))
            }
            _ if self.is_all_going || self.second == Some(Second::Going) => {
                "A payment reached us that this order no longer takes. It is on its way back.".to_owned()
            }
            _ if self.is_unsettled => {
                "No payment has reached us. Should one still arrive, it buys your copies if they are here, \
                                       or goes straight back to you."
                    .to_owned()
            }
            S::Expired => "Nothing was charged. If they are still there, you can order them again.".to_owned(),
            S::Cancelled => "Nothing was charged.".to_owned(),
            _ => NOTHING_AND_CART.to_owned(),
        }
    }
}

const NOTHING_AND_CART: &str = "Nothing was charged, and your books are back in the cart.";

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        Currency, OrderId, PaymentId, RefundId, UnixMillis,
        address::Address,
        order::{OrderEvent, OrderNumber},
        payment::{PaymentStatus, PaymentView, RefundView},
    };

    const AT: UnixMillis = UnixMillis::new(1);
    const PAID: (S, Cause) = (S::Paid, Cause::PaymentCaptured);

    fn payment(nth: u128, status: PaymentStatus) -> PaymentView {
        let (payment_id, provider) = (PaymentId::new(uuid::Uuid::from_u128(nth)), "sandbox".into());
        PaymentView {
            payment_id,
            provider,
            status,
            amount: Minor::new(49_900),
            currency: Currency::Inr,
            created_at: AT,
        }
    }

    fn refund(of: u128, amount: i64, status: RefundStatus) -> RefundView {
        RefundView {
            refund_id: RefundId::new(uuid::Uuid::from_u128(9)),
            payment_id: PaymentId::new(uuid::Uuid::from_u128(of)),
            amount: Minor::new(amount),
            currency: Currency::Inr,
            status,
            reason: "A torn page".into(),
            restocks: false,
            created_at: AT,
            by: None,
            error: None,
        }
    }

    fn event((status, cause): (S, Cause)) -> OrderEvent {
        OrderEvent { version: 2, status, cause, at: AT, note: None, by: None }
    }

    fn said(status: S, events: &[(S, Cause)], payments: &[(u128, P)], refunds: &[(u128, i64, RefundStatus)]) -> String {
        let order = order(status, events, payments, refunds);
        Money::of(&order).sentences(status, &order).join(" | ")
    }

    fn order(
        status: S,
        events: &[(S, Cause)],
        payments: &[(u128, P)],
        refunds: &[(u128, i64, RefundStatus)],
    ) -> OrderView {
        let address = Address {
            name: "Asha".into(),
            line1: "12 MG Road".into(),
            line2: None,
            city: "Bengaluru".into(),
            state: "Karnataka".into(),
            postcode: "560001".into(),
            country: "IN".into(),
            phone: "9845012345".into(),
        };
        OrderView {
            order_id: OrderId::new(uuid::Uuid::nil()),
            number: OrderNumber::from_bits([7; 5]),
            status,
            version: 2,
            lines: Vec::new(),
            subtotal: Minor::new(49_900),
            delivery: Minor::ZERO,
            total: Minor::new(49_900),
            currency: Currency::Inr,
            email: "asha@example.org".into(),
            address,
            placed_at: AT,
            expires_at: AT,
            server_time: AT,
            events: events.iter().copied().map(event).collect(),
            payments: payments.iter().map(|(nth, status)| payment(*nth, *status)).collect(),
            shipment: None,
            refunds: refunds.iter().map(|(of, amount, status)| refund(*of, *amount, *status)).collect(),
            money_apart: false,
            cancel_asked: false,
        }
    }

    #[test]
    fn a_paid_order_says_what_of_its_money_goes_back() {
        use RefundStatus::{Confirmed, Failed, Requested};
        let paid =
            |payments: &[(u128, P)], refunds: &[(u128, i64, RefundStatus)]| said(S::Paid, &[PAID], payments, refunds);
        let reached = "₹499 reached us. We pack them next.";
        assert_eq!(paid(&[(1, P::Captured)], &[]), reached);
        assert_eq!(
            paid(&[(1, P::Captured)], &[(1, 10_000, Requested)]),
            format!("{reached} | ₹100 of it is on its way back to you.")
        );
        assert_eq!(
            paid(&[(1, P::Captured)], &[(1, 10_000, Confirmed), (1, 5_000, Requested)]),
            format!("{reached} | ₹50 of it is on its way back to you. | ₹100 went back to you before.")
        );
        assert_eq!(paid(&[(1, P::Captured)], &[(1, 49_900, Failed)]), reached);
        assert_eq!(
            paid(&[(1, P::Refunding)], &[(1, 10_000, Confirmed), (1, 39_900, Requested)]),
            "₹399 goes back the way it came. Some banks take a few days. | ₹100 went back to you before."
        );
        let second = format!("{reached} | A second payment reached us. It is on its way back to you.");
        assert_eq!(paid(&[(1, P::Captured), (2, P::Refunding)], &[(2, 49_900, Requested)]), second);
        let second = format!("{reached} | A second payment reached us. It went back to you.");
        assert_eq!(paid(&[(1, P::Captured), (2, P::Refunded)], &[(2, 49_900, Confirmed)]), second);
        assert_eq!(
            said(S::Refunded, &[PAID], &[(1, P::Refunded)], &[(1, 49_900, Confirmed)]),
            "₹499 went back the way it came. Some banks take a few days to show it."
        );
        // The bank did not take it, and it is sent again.
        let again = [(1, 49_900, Failed), (1, 49_900, Requested)];
        assert_eq!(
            said(S::Refunded, &[PAID], &[(1, P::Refunding)], &again),
            "₹499 goes back the way it came. Some banks take a few days."
        );
    }

    #[test]
    fn money_that_does_not_fit_is_not_called_nothing() {
        let mut order = order(S::Expired, &[], &[(1, P::Closed)], &[]);
        order.money_apart = true;
        let said = Money::of(&order).sentences(S::Expired, &order).join(" | ");
        assert!(said.starts_with("A payment reached us that does not fit this order."), "{said}");
    }

    #[test]
    fn late_money_is_looked_at_buys_again_or_goes_back() {
        let ended = |payments: &[(u128, P)]| said(S::Expired, &[], payments, &[]);
        assert!(ended(&[(1, P::Late)]).contains("checking whether your copies are still here"));
        assert!(ended(&[(1, P::Refunding)]).contains("no longer takes. It is on its way back."));
        let again = [(S::Expired, Cause::DeadlinePassed), (S::Paid, Cause::LateMoneyClaimed)];
        assert_eq!(
            said(S::Paid, &again, &[(1, P::Captured)], &[]),
            "₹499 reached us. We pack them next. | Your payment came late, but your copies were still here."
        );
        assert!(ended(&[(1, P::Closed)]).starts_with("Nothing was charged."));
        assert!(ended(&[(1, P::Open)]).starts_with("No payment has reached us. Should one still arrive"));
        let off = [PAID, (S::Cancelled, Cause::AdminCancelled)];
        let going = [(1, 49_900, RefundStatus::Requested)];
        assert_eq!(said(S::Cancelled, &off, &[(1, P::Refunding)], &going), "₹499 is on its way back to you.");
        assert_eq!(said(S::Cancelled, &[], &[], &[]), "Nothing was charged.");
        assert_eq!(said(S::Failed, &[], &[], &[]), "Nothing was charged, and your books are back in the cart.");
    }
}
