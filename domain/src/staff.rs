//! Who behind the counter may do what: the one table that every server function of the admin side asks.

use crate::account::Role;
use serde::{Deserialize, Serialize};

/// One thing that people of the shop are trusted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Looks at any order.
    ReadOrders,
    /// Packs, sends, delivers.
    ShipOrders,
    /// Calls off, mends addresses, writes notes, sends mails again.
    ServeOrders,
    /// Looks at payments, refunds and money kept apart.
    ReadMoney,
    /// Gives money back.
    Refund,
    /// Looks at books, prices and the ledger of the stock.
    ReadCatalogue,
    /// Creates, edits, retires and imports books.
    EditCatalogue,
    /// Counts copies in and out.
    AdjustStock,
    /// Looks at customers, their orders and carts.
    ReadCustomers,
    /// Looks at workers, dead letters, schedules and the shop's health.
    ReadWork,
    /// Tries dead letters again or discards them, runs schedules and repairs.
    RunWork,
    /// Looks at revenue and other figures.
    ReadFigures,
    /// Reads who did what.
    ReadAudit,
    /// Gives and takes roles.
    ManageStaff,
}

impl Permission {
    pub const ALL: [Self; 14] = [
        Self::ReadOrders,
        Self::ShipOrders,
        Self::ServeOrders,
        Self::ReadMoney,
        Self::Refund,
        Self::ReadCatalogue,
        Self::EditCatalogue,
        Self::AdjustStock,
        Self::ReadCustomers,
        Self::ReadWork,
        Self::RunWork,
        Self::ReadFigures,
        Self::ReadAudit,
        Self::ManageStaff,
    ];
}

impl Role {
    pub const fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Owner => true,
            Self::Manager => !matches!(permission, P::ManageStaff),
            Self::Packer => {
                matches!(permission, P::ReadOrders | P::ShipOrders | P::ReadCatalogue | P::AdjustStock)
            }
            Self::Support => matches!(
                permission,
                P::ReadOrders | P::ServeOrders | P::ReadMoney | P::ReadCatalogue | P::ReadCustomers | P::ReadWork
            ),
            Self::Shopper => false,
        }
    }

    /// Belongs behind the counter.
    pub const fn is_staff(self) -> bool {
        !matches!(self, Self::Shopper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_may_everything_and_a_shopper_nothing() {
        for permission in Permission::ALL {
            assert!(Role::Owner.may(permission) && !Role::Shopper.may(permission), "{permission:?}");
        }
    }

    #[test]
    fn only_owners_give_roles_and_only_they_and_managers_give_money_back() {
        let may = |permission| Role::ALL.into_iter().filter(|role| role.may(permission)).collect::<Vec<_>>();
        assert_eq!(may(Permission::ManageStaff), [Role::Owner]);
        assert_eq!(may(Permission::Refund), [Role::Manager, Role::Owner]);
        assert!(Role::ALL.into_iter().all(|role| role.is_staff() == role.may(Permission::ReadOrders)));
    }
}
