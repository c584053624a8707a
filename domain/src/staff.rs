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

    /// What it is, in a few words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ReadOrders => "See orders",
            Self::ShipOrders => "Pack, send, deliver",
            Self::ServeOrders => "Mend and cancel orders",
            Self::ReadMoney => "See payments and refunds",
            Self::Refund => "Send money back",
            Self::ReadCatalogue => "See books and stock",
            Self::EditCatalogue => "Edit and import books",
            Self::AdjustStock => "Count copies in and out",
            Self::ReadCustomers => "See customers and carts",
            Self::ReadWork => "See work and health",
            Self::RunWork => "Run work and repairs",
            Self::ReadFigures => "See revenue and figures",
            Self::ReadAudit => "Read who did what",
            Self::ManageStaff => "Give and take roles",
        }
    }
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

    /// What such a person is called.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Shopper => "Shopper",
            Self::Support => "Support",
            Self::Packer => "Packer",
            Self::Manager => "Manager",
            Self::Owner => "Owner",
        }
    }

    /// What they do in the shop.
    pub const fn duty(self) -> &'static str {
        match self {
            Self::Shopper => "only buys here",
            Self::Support => "answers customers: sees orders, payments and carts, mends and cancels orders",
            Self::Packer => "packs, sends and counts copies",
            Self::Manager => "runs the shop: all but saying who works in it",
            Self::Owner => "runs the shop and says who works in it",
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
