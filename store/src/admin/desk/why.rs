//! Why an order is where it is, in a sentence, from what really waits; and what happens next by itself.

use super::queries::Facts;
use crate::world::from_timestamp;
use domain::{
    UnixMillis,
    desk::Next,
    order::{OrderStatus as S, OrderView},
    payment::{PaymentStatus, provider_title},
};

pub(super) fn why(order: &OrderView, facts: &Facts, now: UnixMillis) -> (String, Option<Next>) {
    let (mut said, next) = match order.status {
        S::Pending if order.cancel_asked => {
            ("Somebody cancelled it before it was written down; it ends as soon as it is.".into(), None)
        }
        S::Pending => {
            ("Its copies are held at the gate, and it waits for the worker that writes orders down.".into(), None)
        }
        S::PaymentPending => unpaid(order, facts, now),
        S::Paid | S::Fulfilling | S::Shipped | S::Delivered => sold(order, facts),
        S::Cancelled | S::Expired | S::Failed | S::Refunded => ended(order, facts),
    };
    if let Some(parked) = facts.letters.first() {
        let times = facts.letters.len();
        let more = if times > 1 { format!(", and {} more", times - 1) } else { String::new() };
        said.push_str(&format!(
            " Work of it was given up: {}{more}; see the dead letters.",
            super::word_of(&parked.what)
        ));
    }
    if order.money_apart {
        said.push_str(" Money that does not fit it is kept apart.");
    }
    (said, next)
}

fn next(what: &str, at: Option<time::OffsetDateTime>) -> Option<Next> {
    at.map(|at| Next { what: what.to_owned(), at: from_timestamp(at) })
}

fn unpaid(order: &OrderView, facts: &Facts, now: UnixMillis) -> (String, Option<Next>) {
    if order.expires_at < now {
        return match &facts.expiry {
            None => ("Its time to pay is over; the sweep ends it within seconds.".into(), None),
            Some(failed) => {
                let said = format!("Its time to pay is over, and ending it failed {} times.", failed.attempts);
                (said, next("next try", failed.due_at))
            }
        };
    }
    let ends = Some(Next { what: "expires".into(), at: order.expires_at });
    let Some(session) = facts.sessions.first() else {
        return ("Waiting for its shopper to choose how to pay.".into(), ends);
    };
    let provider = provider_title(&session.provider);
    let asked = next("next check", session.ask_at).filter(|check| check.at < order.expires_at).or(ends);
    match PaymentStatus::parse(&session.status) {
        Some(PaymentStatus::Creating) => {
            (format!("{provider} was asked to open a payment and has not answered."), asked)
        }
        Some(PaymentStatus::Declined) => {
            (format!("{provider} declined a payment; the shopper may try again until the order expires."), asked)
        }
        Some(PaymentStatus::Closing) => {
            (format!("The shopper left {provider} for another way to pay, and its session is not closed yet."), asked)
        }
        _ => (format!("Waiting for the webhook of {provider}: its page is open, and no money has come."), asked),
    }
}

fn sold(order: &OrderView, facts: &Facts) -> (String, Option<Next>) {
    let is_captured = order.payments.iter().any(|payment| payment.status == PaymentStatus::Captured);
    if !is_captured && let Some((said, next)) = going_back(facts) {
        return (format!("All its money is on its way back. {said}"), next);
    }
    let said = match order.status {
        S::Paid => "Paid. It waits for somebody to start packing.",
        S::Fulfilling => "It is being packed, and waits to be handed to a carrier.",
        S::Shipped => "It is with the carrier; nobody has marked it as arrived.",
        _ => "It has arrived. Nothing is left to do.",
    };
    match going_back(facts) {
        Some((back, next)) => (format!("{said} A part of its money is on its way back. {back}"), next),
        None => (said.to_owned(), None),
    }
}

fn ended(order: &OrderView, facts: &Facts) -> (String, Option<Next>) {
    if let Some((said, next)) = going_back(facts) {
        return (format!("It has ended, and its money is on its way back. {said}"), next);
    }
    let session = facts.sessions.first();
    match session.and_then(|session| Some((session, PaymentStatus::parse(&session.status)?))) {
        Some((_, PaymentStatus::Late)) => {
            let due = facts.work.iter().find(|work| work.what == "payment.late").map(|work| work.due_at);
            return (
                "Money came after its end; it is being decided whether that buys the copies again.".into(),
                next("next try", due),
            );
        }
        Some((session, PaymentStatus::Creating | PaymentStatus::Open | PaymentStatus::Closing)) => {
            let provider = provider_title(&session.provider);
            let said = format!(
                "It has ended, and waits for {provider} to close the payment page; money that still comes is dealt with."
            );
            return (said, next("next check", session.ask_at));
        }
        _ => {}
    }
    if let Some(gate) = facts.work.iter().find(|work| work.what == "release") {
        return (
            "It has ended, and its copies are about to go back on sale.".into(),
            next("next try", Some(gate.due_at)),
        );
    }
    let said = match order.status {
        S::Refunded => "All its money is back. Nothing is left to do.",
        S::Failed => "It could not be written down, and its copies are back on sale.",
        S::Expired => "Nobody paid in time, and its copies are back on sale. Nothing is left to do.",
        _ => "It was cancelled. Nothing is left to do.",
    };
    (said.to_owned(), None)
}

/// What a refund that was asked for waits for.
fn going_back(facts: &Facts) -> Option<(String, Option<Next>)> {
    let refund = facts.refunds.first()?;
    let provider = provider_title(&refund.provider);
    if refund.is_taken_up {
        return Some((format!("Waiting for {provider} to say that it is back."), next("next check", refund.ask_at)));
    }
    let due = facts.work.iter().find(|work| work.what == "refund.request").map(|work| work.due_at);
    let said = match &refund.error {
        Some(error) => format!("{provider} has not made the refund ({error})."),
        None => format!("{provider} is about to be asked for it."),
    };
    Some((said, next("next try", due)))
}
