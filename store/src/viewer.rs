//! Who is asking: what authorisation below the pages is decided on.

use domain::{OrderId, Owner};

/// The person behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Their account when logged in, their guest id otherwise.
    pub owner: Owner,
    pub is_admin: bool,
    /// Orders this browser placed, by its signed receipt cookie; they open guest orders after a login.
    pub receipts: Vec<(OrderId, Owner)>,
}

impl Viewer {
    pub fn new(owner: Owner) -> Self {
        Self { owner, is_admin: false, receipts: Vec::new() }
    }

    /// Whether this person may see an order of that owner.
    pub fn may_see(&self, order: OrderId, owner: &Owner) -> bool {
        let receipt = || owner.guest().is_some() && self.receipts.contains(&(order, *owner));
        self.is_admin || self.owner == *owner || receipt()
    }
}
