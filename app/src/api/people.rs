//! People behind the counter and before it: who works here, who buys, who did what.

#[cfg(feature = "ssr")]
use super::args;
use crate::AppError;
#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use domain::people::{AuditPage, CustomerPage, CustomerView, StaffMember};
#[cfg(feature = "ssr")]
use domain::{AccountId, Permission, account::Email};
use leptos::{prelude::*, server_fn::codec::GetUrl};
#[cfg(feature = "ssr")]
use store::admin::{audit, customers, staff};

#[server(name = AdminStaff, prefix = "/api", endpoint = "admin/staff", input = GetUrl)]
pub async fn staff() -> Result<Vec<StaffMember>, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::ManageStaff)?;
    Ok(staff::list(caller.store()).await?)
}

/// With `ask` nothing happens before `agreed` is the mark that `needs_confirmation` gave.
#[server(name = SetStaffRole, prefix = "/api", endpoint = "admin/staff/set")]
pub async fn set_role(
    #[server(default)] email: String,
    #[server(default)] role: String,
    #[server(default)] ask: String,
    #[server(default)] agreed: String,
) -> Result<Vec<StaffMember>, AppError> {
    let caller = Caller::current()?;
    let owner = caller.require(Permission::ManageStaff)?;
    let agreed = args::flag("ask", &ask)?.then_some(agreed.as_str());
    staff::set_role(caller.store(), &owner, &staff::Wanted { email: &email, role: &role, agreed }).await?;
    Ok(staff::list(caller.store()).await?)
}

#[server(name = AdminCustomers, prefix = "/api", endpoint = "admin/customers", input = GetUrl)]
pub async fn customers(
    #[server(default)] q: String,
    #[server(default)] before: String,
) -> Result<CustomerPage, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::ReadCustomers)?;
    Ok(customers::list(caller.store(), &q, account("before", &before)?).await?)
}

/// By account or, for who has none, by address.
#[server(name = AdminCustomer, prefix = "/api", endpoint = "admin/customers/get", input = GetUrl)]
pub async fn customer(
    #[server(default)] id: String,
    #[server(default)] email: String,
) -> Result<CustomerView, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::ReadCustomers)?;
    let not_there = || AppError(domain::ApiError::not_found("that customer"));
    if id.is_empty() {
        let email = Email::parse(&email).map_err(|_| not_there())?;
        return Ok(customers::get_guest(caller.store(), &email).await?);
    }
    Ok(customers::get(caller.store(), id.parse().map_err(|_| not_there())?).await?)
}

#[server(name = AdminAudit, prefix = "/api", endpoint = "admin/audit", input = GetUrl)]
pub async fn audit(
    #[server(default)] person: String,
    #[server(default)] action: String,
    #[server(default)] subject: String,
    #[server(default)] before: String,
) -> Result<AuditPage, AppError> {
    let caller = Caller::current()?;
    caller.require(Permission::ReadAudit)?;
    let before = match before.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| AppError::bad_request("“before” must be the number of an entry."))?),
    };
    let wanted = audit::Wanted { person: account("person", &person)?, action, subject, before };
    Ok(audit::list(caller.store(), &wanted).await?)
}

/// Nothing said means nobody in particular.
#[cfg(feature = "ssr")]
fn account(name: &str, text: &str) -> Result<Option<AccountId>, AppError> {
    let wrong = |_| AppError::bad_request(format!("“{name}” must be the number of an account."));
    if text.is_empty() { Ok(None) } else { Ok(Some(text.parse().map_err(wrong)?)) }
}
