//! People as the admin side sees them: who works in the shop, who buys there, and who did what.

use crate::{AccountId, UnixMillis, account::Role, address::Entry, cart::CartView, order::OrderSummary};
use serde::{Deserialize, Serialize};

/// Somebody who works in the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    pub account_id: AccountId,
    pub name: String,
    pub email: String,
    pub role: Role,
}

/// Somebody with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub account_id: AccountId,
    pub name: String,
    pub email: String,
    pub role: Role,
    /// They read the mails of that address.
    pub is_verified: bool,
    pub since: UnixMillis,
    pub orders: i64,
    pub last_order_at: Option<UnixMillis>,
}

/// Somebody who bought without an account, known by the address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestBuyer {
    pub email: String,
    pub orders: i64,
}

/// Customers, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerPage {
    pub customers: Vec<Customer>,
    /// With the whole address, or the number of an order of theirs, guests are found, too.
    pub guest: Option<GuestBuyer>,
    /// There are more, older than this one.
    pub next: Option<AccountId>,
}

/// All that there is to see of one customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerView {
    pub email: String,
    /// `None`: a guest.
    pub account: Option<Customer>,
    pub addresses: Vec<Entry>,
    /// The latest ones.
    pub orders: Vec<OrderSummary>,
    pub order_count: i64,
    /// `None`: a guest, or the carts cannot be reached now.
    pub cart: Option<CartView>,
}

/// One thing that somebody did behind the counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub id: i64,
    pub at: UnixMillis,
    /// `None`: somebody at the command line.
    pub by: Option<Actor>,
    /// Which one they had then.
    pub role: String,
    /// Like `order.ship`.
    pub action: String,
    /// Like `order`.
    pub subject_kind: String,
    pub subject_id: String,
    /// What people call it, if it has a name.
    pub subject: Option<String>,
    pub changes: Vec<Changed>,
}

/// Whoever did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub account_id: AccountId,
    pub name: String,
}

/// One thing that is another one since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What was done, the latest first, and what it can be narrowed down to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    pub people: Vec<Actor>,
    pub actions: Vec<String>,
    /// There are more, older than this one.
    pub next: Option<i64>,
}
