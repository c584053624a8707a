//! Everything that can happen to a payment beside being paid or declined, with what the shop is expected to do.

pub struct Trick {
    pub outcome: &'static str,
    pub label: &'static str,
    pub sentence: &'static str,
    /// The time offered first, for those that take one.
    pub seconds: Option<u8>,
    /// In which states of a payment it does something.
    states: &'static [&'static str],
}

const OPEN: &[&str] = &["open"];
const EVEN_CLOSED: &[&str] = &["open", "closed"];

/// In the order of the page.
const ALL: [Trick; 10] = [
    Trick {
        outcome: "decline_then_pay",
        label: "Decline, then pay",
        sentence: "The first card fails and the second one works three seconds later. The shop says that it failed, and then \
                   the order is paid.",
        seconds: None,
        states: OPEN,
    },
    Trick {
        outcome: "pay_after",
        label: "Pay after some seconds",
        sentence: "You are done, but the money arrives later. If the order is over by then, the shop takes the copies again, \
                   or sends the money back when they are gone.",
        seconds: Some(10),
        states: EVEN_CLOSED,
    },
    Trick {
        outcome: "late",
        label: "Pay late",
        sentence: "The money arrives after the order has expired. The shop takes the copies again, or sends it back.",
        seconds: None,
        states: EVEN_CLOSED,
    },
    Trick {
        outcome: "pay_twice",
        label: "Pay twice",
        sentence: "The provider reports two payments of this one session, a second apart. The order is paid once, and the shop \
                   counts the money once.",
        seconds: None,
        states: OPEN,
    },
    Trick {
        outcome: "webhook_twice",
        label: "Send the webhook twice",
        sentence: "You pay, and the same webhook is sent two times at once. The shop answers 200 to both, and the order is paid \
                   once.",
        seconds: None,
        states: OPEN,
    },
    Trick {
        outcome: "webhook_late",
        label: "Send the webhook late",
        sentence: "You pay now, and the webhook takes its time. The shop says that it is confirming, until the webhook comes or \
                   it asks by itself.",
        seconds: Some(10),
        states: OPEN,
    },
    Trick {
        outcome: "webhook_never",
        label: "Never send the webhook",
        sentence: "You pay, and no webhook is ever sent. The shop asks about open payments by itself, and the order is paid \
                   within minutes.",
        seconds: None,
        states: OPEN,
    },
    Trick {
        outcome: "forge",
        label: "Forge a webhook",
        sentence: "Nobody pays, but somebody who does not know the secret says so. The shop answers 400, and the order still \
                   waits for payment.",
        seconds: None,
        states: EVEN_CLOSED,
    },
    Trick {
        outcome: "refund",
        label: "Refund",
        sentence: "The provider gives all the money back without being asked. The shop hears of it by webhook and writes it into \
                   its books.",
        seconds: None,
        states: &["paid"],
    },
    Trick {
        outcome: "refuse_refund",
        label: "Give nothing back once",
        sentence: "The next time the shop asks for money back, the provider takes that up and then cannot make it. The shop says \
                   so, and its admin can ask again.",
        seconds: None,
        states: &["paid"],
    },
];

/// What would do something to a payment in that state.
pub fn of(status: &str) -> impl Iterator<Item = &'static Trick> {
    ALL.iter().filter(move |trick| trick.states.contains(&status))
}
