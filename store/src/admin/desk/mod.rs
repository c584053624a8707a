//! What stands around one order: why it is where it is, who said what, the ledger, messages, and work of it.

mod address;
mod notes;
mod paper;
mod queries;
mod why;

pub use address::change_address;
pub use notes::{note, resend};
pub use paper::paper;

use crate::{
    Store,
    error::{During, Error},
    orders,
    viewer::Viewer,
    world::from_timestamp,
};
use domain::{
    AccountId, ApiError, ErrorCode, OrderId, Permission,
    desk::{Customer, Movement, Noted, OrderDesk, Parked, Told, Waiting},
    order::{OrderStatus, OrderView},
};
use queries::Facts;

const OPERATION: &str = "admin.desk";

/// As things stand now; `None`: there is no such order.
pub async fn desk(store: &Store, viewer: &Viewer, order: OrderId) -> Result<Option<OrderDesk>, Error> {
    let Some(view) = orders::get(store, viewer, order).await? else { return Ok(None) };
    let written = match Written::read(store, &view).await {
        // Nothing is written about an order that waits at the gate.
        Err(error) if view.status == OrderStatus::Pending && error.is_away() => Written::default(),
        written => written?,
    };
    let Written { facts, notes, movements, messages, of_mail, account_id } = written;
    let (why, next) = why::why(&view, &facts, store.now());
    let address_no = notes.iter().filter(|note| note.kind == "address").map(|note| note.id).max().unwrap_or(0);
    // Work is for those to see who may look at it.
    let (work, letters) = match viewer.may(Permission::ReadWork) {
        true => (waiting(&facts), parked(&facts)),
        false => Default::default(),
    };
    Ok(Some(OrderDesk {
        server_time: store.now(),
        why,
        next,
        customer: Customer { account_id, orders: of_mail.max(1) },
        address_no,
        notes: notes.into_iter().map(|row| Noted { text: row.text, by: row.by, at: from_timestamp(row.at) }).collect(),
        movements: movements.into_iter().map(movement).collect(),
        messages: messages.into_iter().map(told).collect(),
        work,
        letters,
        order: view,
    }))
}

/// What Postgres has about an order.
#[derive(Default)]
struct Written {
    facts: Facts,
    notes: Vec<queries::NoteRow>,
    movements: Vec<queries::MovementRow>,
    messages: Vec<queries::MessageRow>,
    of_mail: i64,
    account_id: Option<AccountId>,
}

impl Written {
    async fn read(store: &Store, view: &OrderView) -> Result<Self, Error> {
        let (pg, order) = (store.postgres(OPERATION).await?, view.order_id);
        Ok(Self {
            facts: Facts::read(pg, order).await.during(OPERATION)?,
            notes: queries::notes(pg, order).await.during(OPERATION)?,
            movements: queries::movements(pg, order).await.during(OPERATION)?,
            messages: queries::messages(pg, order).await.during(OPERATION)?,
            of_mail: queries::orders_of(pg, &view.email).await.during(OPERATION)?,
            account_id: queries::account_of(pg, order).await.during(OPERATION)?,
        })
    }
}

fn movement(row: queries::MovementRow) -> Movement {
    let (on_hand, reserved) = (row.on_hand_delta, row.reserved_delta);
    Movement { title: row.title, kind: row.kind, on_hand, reserved, at: from_timestamp(row.at) }
}

fn told(row: queries::MessageRow) -> Told {
    Told { id: row.id, what: word_of(&row.kind).to_owned(), channel: row.channel, at: from_timestamp(row.at) }
}

fn waiting(facts: &Facts) -> Vec<Waiting> {
    let work = facts.work.iter();
    work.map(|row| Waiting {
        what: word_of(&row.what).to_owned(),
        due_at: from_timestamp(row.due_at),
        attempts: row.attempts,
        error: row.last_error.clone(),
    })
    .collect()
}

fn parked(facts: &Facts) -> Vec<Parked> {
    let letters = facts.letters.iter();
    letters
        .map(|row| Parked {
            id: row.id,
            what: word_of(&row.what).to_owned(),
            error: row.error.clone(),
            attempts: row.attempts,
            at: from_timestamp(row.parked_at),
        })
        .collect()
}

/// What people call a kind of message, or of work.
fn word_of(kind: &str) -> &str {
    match kind {
        "order.placed" => "Please pay",
        "order.paid" => "Receipt",
        "order.shipped" => "Parcel on its way",
        "order.delivered" => "Parcel arrived",
        "order.expired" => "Order expired",
        "order.cancelled" => "Order cancelled",
        "order.refunded" => "Money is back",
        "order.money_goes_back" => "Money goes back",
        "order.changed" => "Live message",
        "payment.close" => "Close the payment page",
        "payment.late" => "Decide about late money",
        "refund.request" => "Ask for the refund",
        "release" => "Copies back on sale",
        "settle" => "End the hold at the gate",
        "adjust" => "Count at the gate",
        "expiry" => "Let the order expire",
        "webhook_inbox" => "A provider's message",
        other => other,
    }
}

/// An order in Postgres whose shopper may be told of what the shop does with it.
async fn written(store: &Store, order: OrderId) -> Result<OrderView, Error> {
    orders::written(store, order).await?.ok_or_else(|| ApiError::not_found("that order").into())
}

fn wrong_field(field: &str, wrong: &str) -> ApiError {
    ApiError::fields([(field.to_owned(), wrong.to_owned())].into())
}

fn refused(message: impl Into<String>) -> Error {
    ApiError::new(ErrorCode::Conflict, message).into()
}
