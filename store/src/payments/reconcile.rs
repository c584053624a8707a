//! `bazar reconcile payments`: compares what each provider says happened within some days with what the ledger has, and says
//! each difference. What the provider's word can mend is fed in like its webhooks; what contradicts the ledger is left to
//! a person. A second run says only the latter again.

use super::{
    LISTED, Received,
    provider::{self, EventKind, Provider, ProviderEvent, RefundState, SessionState},
    queries::{self, PaymentRow},
    verify,
};
use crate::{
    Store,
    error::{During, Error},
    jobs::schedule::{Every, Schedule, Scheduled},
    world::to_timestamp,
};
use async_trait::async_trait;
use domain::{OrderId, PaymentId, UnixMillis, payment::PaymentStatus};
use serde::Serialize;
use std::{borrow::Cow, collections::HashSet};
use uuid::Uuid;

const OPERATION: &str = "payments.reconcile";
const DAY_MS: i64 = 24 * 3600 * 1000;
/// What is looked at when nobody says otherwise.
pub const DAYS: i64 = 7;
/// What happens right now is left to its webhook.
const TOO_FRESH_MS: i64 = 60_000;
/// Most pages of one provider.
const MOST_PAGES: usize = 2_000;
/// Rows of the ledger in one step.
const PAGE: i64 = 500;
/// Differences told in words.
const MOST_LINES: usize = 200;

/// What a run counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Moves in the providers' statements that concern this shop.
    pub moves: usize,
    pub differences: usize,
    pub mended: usize,
    /// Each difference, at most 200.
    pub lines: Vec<String>,
    /// Providers that did not answer.
    pub skipped: Vec<String>,
}

impl Report {
    pub fn is_repaired(&self) -> bool {
        self.differences == self.mended && self.skipped.is_empty()
    }

    fn differs(&mut self, is_mended: bool, line: String) {
        self.differences += 1;
        self.mended += usize::from(is_mended);
        let what_now = if is_mended { "mended" } else { "look at it" };
        tracing::warn!(line, is_mended, "provider and ledger differ");
        if self.lines.len() < MOST_LINES {
            self.lines.push(format!("{line}: {what_now}"));
        }
    }
}

/// Compares the last so many days.
pub async fn run(store: &Store, days: i64) -> Result<Report, Error> {
    let until = store.now().plus(-TOO_FRESH_MS);
    let from = until.plus(-days.clamp(1, 366) * DAY_MS);
    let mut report = Report::default();
    for name in provider::NAMES {
        let Some(provider) = provider::find(store, name) else { continue };
        if let Err(error) = compare(store, &*provider, from, until, &mut report).await {
            if error.is_postgres_away() {
                return Err(error);
            }
            report.skipped.push(format!("{name}: {error}"));
        }
    }
    metrics::counter!("payments_reconciled_total").increment(report.mended as u64);
    Ok(report)
}

async fn compare(
    store: &Store,
    provider: &dyn Provider,
    from: UnixMillis,
    until: UnixMillis,
    report: &mut Report,
) -> Result<(), Error> {
    let mut seen = HashSet::new();
    let mut after = String::new();
    for _ in 0..MOST_PAGES {
        let page = provider.list(from, until, &after).await?;
        for event in &page.moves {
            seen.extend(compare_move(store, provider, event, report).await?);
        }
        match page.next {
            Some(next) => after = next,
            None => return unknown_there(store, provider, (from, until), &seen, report).await,
        }
    }
    Err(Error::unexpected(OPERATION, "the statement has no end"))
}

/// One move of the statement; returns the row it belongs to, payment or refund.
async fn compare_move(
    store: &Store,
    provider: &dyn Provider,
    listed: &ProviderEvent,
    report: &mut Report,
) -> Result<Option<Uuid>, Error> {
    let event = &named(store, provider, listed).await?;
    let provider = provider.name();
    let Some(payment) = payment_of(store, provider, event).await? else {
        // Other shops may use the same account; only what names one of ours is missing here.
        if event.kind != EventKind::Unknown && (event.payment.is_some() || event.order.is_some()) {
            report.moves += 1;
            let is_mended = is_second_session(store, provider, event).await? && tell(store, provider, event).await?;
            report.differs(is_mended, format!("{provider} knows {} of this shop, and the ledger does not", event.id));
        }
        return Ok(None);
    };
    match &event.kind {
        EventKind::Captured => {
            report.moves += 1;
            captured(store, provider, event, &payment, report).await?;
            Ok(Some(payment.id))
        }
        EventKind::RefundSucceeded(ours) | EventKind::RefundFailed(ours) => {
            report.moves += 1;
            let id = PaymentId::new(payment.id);
            let row = match (ours, &event.refund_ref) {
                (Some(ours), _) => queries::refund(store.pg(), *ours).await.during(OPERATION)?,
                (None, Some(known)) => queries::refund_of_ref(store.pg(), id, known).await.during(OPERATION)?,
                (None, None) => None,
            };
            let is_back = matches!(event.kind, EventKind::RefundSucceeded(_));
            let status = row.as_ref().map_or("unknown", |row| row.status.as_str());
            let fits = if is_back { status == "confirmed" } else { matches!(status, "failed" | "unknown") };
            let same = row.as_ref().is_none_or(|row| row.amount() == event.amount);
            if !fits || !same {
                let is_mended = same && feed(store, provider, event, &payment).await?;
                let word = if is_back { "made" } else { "failed" };
                report.differs(is_mended, format!("{provider} {word} refund {}, here it is {status}", event.id));
            }
            Ok(row.map(|row| row.id))
        }
        EventKind::Declined | EventKind::AttemptFailed | EventKind::Closed | EventKind::Unknown => Ok(None),
    }
}

async fn captured(
    store: &Store,
    provider: &str,
    event: &ProviderEvent,
    payment: &PaymentRow,
    report: &mut Report,
) -> Result<(), Error> {
    if payment.amount() != event.amount {
        let there = event.amount.map_or("another currency".to_owned(), |amount| amount.to_string());
        report.differs(false, format!("{provider} has {there} for payment {}, here it is another amount", payment.id));
    } else if !has_money(payment) {
        let status = payment.status.clone();
        let is_mended = feed(store, provider, event, payment).await?;
        report.differs(is_mended, format!("{provider} has the money of payment {}, here it is {status}", payment.id));
    }
    Ok(())
}

fn has_money(payment: &PaymentRow) -> bool {
    use PaymentStatus as S;
    matches!(payment.status(), Some(S::Captured | S::Late | S::Refunding | S::Refunded))
}

async fn payment_of(store: &Store, provider: &str, event: &ProviderEvent) -> Result<Option<PaymentRow>, Error> {
    let known = queries::payment_of_event(store.pg(), provider, &event.provider_ref, event.payment).await;
    if let Some(payment) = known.during(OPERATION)? {
        return Ok(Some(payment));
    }
    let Some(money) = &event.capture_ref else { return Ok(None) };
    queries::payment_of_capture(store.pg(), provider, money).await.during(OPERATION)
}

/// Some statements say of money only that it came; what the ledger does not know by its id is asked about.
async fn named<'e>(
    store: &Store,
    provider: &dyn Provider,
    listed: &'e ProviderEvent,
) -> Result<Cow<'e, ProviderEvent>, Error> {
    let (EventKind::Captured, None, Some(money)) = (&listed.kind, listed.payment, &listed.capture_ref) else {
        return Ok(Cow::Borrowed(listed));
    };
    if payment_of(store, provider.name(), listed).await?.is_some() {
        return Ok(Cow::Borrowed(listed));
    }
    Ok(provider.source(money).await?.map_or(Cow::Borrowed(listed), Cow::Owned))
}

/// Money of a session that bears the name of another one of ours.
async fn is_second_session(store: &Store, provider: &str, event: &ProviderEvent) -> Result<bool, Error> {
    let (EventKind::Captured, Some(first)) = (&event.kind, event.payment) else { return Ok(false) };
    let first = queries::payment(store.pg(), first).await.during(OPERATION)?;
    Ok(first.is_some_and(|first| first.provider == provider))
}

/// Takes the move in as a webhook about this payment would have told it; `false`: it does not fit.
async fn feed(store: &Store, provider: &str, event: &ProviderEvent, payment: &PaymentRow) -> Result<bool, Error> {
    let event = ProviderEvent {
        provider_ref: payment.provider_ref.clone().unwrap_or_else(|| event.provider_ref.clone()),
        payment: Some(PaymentId::new(payment.id)),
        order: Some(OrderId::new(payment.order_id)),
        ..event.clone()
    };
    tell(store, provider, &event).await
}

async fn tell(store: &Store, provider: &str, event: &ProviderEvent) -> Result<bool, Error> {
    // A refund that was made may fail later, under the same name.
    let failed = if matches!(event.kind, EventKind::RefundFailed(_)) { ":failed" } else { "" };
    let event = ProviderEvent { id: format!("{LISTED}{}{failed}", event.id), ..event.clone() };
    Ok(verify::told(store, provider, &event).await? == Received::Applied)
}

/// What the ledger has and the statement did not name: the provider is asked about each, since days begin and end
/// differently there.
async fn unknown_there(
    store: &Store,
    provider: &dyn Provider,
    (from, until): (UnixMillis, UnixMillis),
    seen: &HashSet<Uuid>,
    report: &mut Report,
) -> Result<(), Error> {
    let (name, from, until) = (provider.name(), to_timestamp(from), to_timestamp(until));
    let mut last = Uuid::nil();
    loop {
        let page = queries::money_of(store.pg(), name, (from, until), last, PAGE).await.during(OPERATION)?;
        let Some(end) = page.last() else { break };
        last = end.id;
        for payment in page.into_iter().filter(|payment| !seen.contains(&payment.id)) {
            let there = provider.retrieve(payment.provider_ref.as_deref().unwrap_or_default()).await?;
            if there.is_none_or(|session| session.state != SessionState::Paid) {
                report.differs(false, format!("payment {} has money here, and {name} knows of none", payment.id));
            }
        }
    }
    last = Uuid::nil();
    loop {
        let page = queries::refunds_of(store.pg(), name, (from, until), last, PAGE).await.during(OPERATION)?;
        let Some(end) = page.last() else { return Ok(()) };
        last = end.id;
        for refund in page.into_iter().filter(|refund| !seen.contains(&refund.id)) {
            let there = provider.refund_state(refund.provider_ref.as_deref().unwrap_or_default()).await?;
            if there != Some(RefundState::Succeeded) {
                report.differs(false, format!("refund {} is confirmed here, and {name} has not made it", refund.id));
            }
        }
    }
}

/// `payments.reconcile`: every night.
pub struct ReconcilePayments;

#[async_trait]
impl Scheduled for ReconcilePayments {
    fn schedule(&self) -> Schedule {
        Schedule { name: OPERATION, every: Every::DailyAt { hour: 3, minute: 30 } }
    }

    async fn run(&self, store: &Store) -> Result<serde_json::Value, Error> {
        serde_json::to_value(run(store, DAYS).await?).during(OPERATION)
    }
}
