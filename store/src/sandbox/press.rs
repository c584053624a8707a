//! The buttons of the hosted page: what can go right with a payment, and everything that can go wrong.

use super::wire::{CAPTURED, DECLINED};
use domain::UnixMillis;
use std::time::Duration;

/// What the person pressed on the hosted page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    Pay,
    Decline,
    /// The first card fails, the second one works, in the same session.
    DeclineThenPay,
    /// The person is done; the money arrives later. Also allowed on a closed payment.
    PayAfter(Delay),
    /// The same, after the session (and usually the order) is over.
    PayLate,
    /// Two captures of one session, as two events.
    PayTwice,
    /// One event, sent twice at the same moment.
    WebhookTwice,
    WebhookLate(Delay),
    WebhookNever,
    /// An event with a signature that is not the provider's; nobody has paid.
    Forge,
    /// Everything goes back, without the shop having asked.
    Refund,
    /// The next refund that the shop asks for is taken up and not made.
    RefuseRefund,
}

/// Seconds that a press may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay(u8);

impl Delay {
    pub const MOST: u8 = 120;

    pub fn new(seconds: u8) -> Option<Self> {
        (1..=Self::MOST).contains(&seconds).then_some(Self(seconds))
    }

    fn millis(self) -> i64 {
        i64::from(self.0) * 1000
    }
}

impl Press {
    /// What a form sent; `None`: no button of ours, or a time that none takes.
    pub fn parse(name: &str, seconds: Option<&str>) -> Option<Self> {
        let delay = || seconds.and_then(|text| Delay::new(text.trim().parse().ok()?));
        Some(match name {
            "pay" => Self::Pay,
            "decline" => Self::Decline,
            "decline_then_pay" => Self::DeclineThenPay,
            "pay_after" => Self::PayAfter(delay()?),
            "late" => Self::PayLate,
            "pay_twice" => Self::PayTwice,
            "webhook_twice" => Self::WebhookTwice,
            "webhook_late" => Self::WebhookLate(delay()?),
            "webhook_never" => Self::WebhookNever,
            "forge" => Self::Forge,
            "refund" => Self::Refund,
            "refuse_refund" => Self::RefuseRefund,
            _ => return None,
        })
    }

    /// What a real provider's page would do next: lead back to the shop. After a trick there is something to see here.
    pub fn leads_back(self) -> bool {
        matches!(self, Self::Pay | Self::Decline | Self::PayLate)
    }
}

/// How a webhook is sent badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trick {
    Twice,
    Never,
    Forged,
}

impl Trick {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twice => "twice",
            Self::Never => "never",
            Self::Forged => "forged",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Twice, Self::Never, Self::Forged].into_iter().find(|trick| trick.as_str() == text)
    }
}

/// What a press does to an open payment, or to a closed one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// What it becomes, and when its money arrives.
    pub becomes: Option<(&'static str, Option<UnixMillis>)>,
    pub events: Vec<PlannedEvent>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlannedEvent {
    pub kind: &'static str,
    pub at: UnixMillis,
    pub trick: Option<Trick>,
}

/// How long the second card takes.
const SECOND_CARD_MS: i64 = 3_000;
/// Between two payments in one session.
const SECOND_PAYMENT_MS: i64 = 1_000;

impl Plan {
    /// `None`: nothing follows from this button, for a payment that stands there.
    pub fn of(press: Press, now: UnixMillis, late_after: Duration) -> Option<Self> {
        let event = |kind, at, trick| PlannedEvent { kind, at, trick };
        let paid = |at| Some(("paid", Some(at)));
        let captured_at = |at| Self { becomes: paid(at), events: vec![event(CAPTURED, at, None)] };
        Some(match press {
            Press::Pay => captured_at(now),
            Press::Decline => Self { becomes: Some(("declined", None)), events: vec![event(DECLINED, now, None)] },
            Press::DeclineThenPay => {
                let at = now.plus(SECOND_CARD_MS);
                Self { becomes: paid(at), events: vec![event(DECLINED, now, None), event(CAPTURED, at, None)] }
            }
            Press::PayAfter(delay) => captured_at(now.plus(delay.millis())),
            Press::PayLate => captured_at(now.plus(i64::try_from(late_after.as_millis()).unwrap_or(i64::MAX / 2))),
            Press::PayTwice => {
                let again = event(CAPTURED, now.plus(SECOND_PAYMENT_MS), None);
                Self { becomes: paid(now), events: vec![event(CAPTURED, now, None), again] }
            }
            Press::WebhookTwice => Self { becomes: paid(now), events: vec![event(CAPTURED, now, Some(Trick::Twice))] },
            Press::WebhookLate(delay) => {
                Self { becomes: paid(now), events: vec![event(CAPTURED, now.plus(delay.millis()), None)] }
            }
            Press::WebhookNever => Self { becomes: paid(now), events: vec![event(CAPTURED, now, Some(Trick::Never))] },
            Press::Forge => Self { becomes: None, events: vec![event(CAPTURED, now, Some(Trick::Forged))] },
            Press::Refund | Press::RefuseRefund => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_name_a_button_and_a_time_that_is_not_endless() {
        assert_eq!(Press::parse("pay", None), Some(Press::Pay));
        assert_eq!(Press::parse("pay_after", Some(" 120 ")), Delay::new(120).map(Press::PayAfter));
        for seconds in [None, Some(""), Some("0"), Some("121"), Some("300"), Some("-1"), Some("x"), Some("1.5")] {
            assert_eq!(Press::parse("pay_after", seconds), None, "{seconds:?}");
            assert_eq!(Press::parse("webhook_late", seconds), None, "{seconds:?}");
        }
        assert_eq!(Press::parse("steal", None), None);
    }
}
