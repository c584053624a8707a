//! Who is asking: what authorisation below the pages is decided on.

use domain::{
    OrderId, Owner, Permission,
    account::{Email, Role},
};

/// The person behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Their account when logged in, their guest id otherwise.
    pub owner: Owner,
    pub role: Role,
    /// Orders this browser placed, by its signed receipt cookie; they open guest orders after a login.
    pub receipts: Vec<(OrderId, Owner)>,
    /// The address of their account, once it is proven: guests' orders placed with it are theirs.
    pub proven: Option<Email>,
}

impl Viewer {
    pub fn new(owner: Owner) -> Self {
        Self { owner, role: Role::Shopper, receipts: Vec::new(), proven: None }
    }

    /// The same person without what the shop trusts them with: what they do here, they do with their own things.
    pub fn as_shopper(&self) -> Self {
        Self { role: Role::Shopper, ..self.clone() }
    }

    pub fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
    }

    /// Whether this person may see an order of that owner, placed with that address.
    pub fn may_see(&self, order: OrderId, owner: &Owner, email: &str) -> bool {
        let has_proven = || self.proven.as_ref().is_some_and(|mine| mine.as_str() == email);
        let of_guest = || owner.guest().is_some() && (self.receipts.contains(&(order, *owner)) || has_proven());
        self.may(Permission::ReadOrders) || self.owner == *owner || of_guest()
    }
}
