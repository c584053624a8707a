//! Customers as the people of the shop see them; nothing here changes anything.

mod queries;

use super::{like, planned_anew};
use crate::{
    Store, accounts, carts,
    error::{During, Error},
};
use domain::{
    AccountId, ApiError, Owner,
    account::{Email, Role},
    cart::CartView,
    order::{OrderNumber, OrderSummary},
    people::{Customer, CustomerPage, CustomerView, GuestBuyer},
};

/// Customers of one page.
const PAGE: usize = 50;
/// Orders shown of one customer.
const ORDERS: i64 = 50;
/// Longest search text, in characters; the rest is cut.
const MAX_SEARCH: usize = 254;

/// Customers by a part of name or address, or by the number of an order; the latest first, from the one older than
/// `before` on.
pub async fn list(store: &Store, search: &str, before: Option<AccountId>) -> Result<CustomerPage, Error> {
    const OPERATION: &str = "customers.list";
    let search: String = search.trim().chars().filter(|c| !c.is_control()).take(MAX_SEARCH).collect();
    if let Ok(number) = OrderNumber::parse(&search) {
        return of_order(store, &number).await;
    }
    let pattern = (!search.is_empty()).then(|| like(&search.to_lowercase()));
    let before = before.map(AccountId::get);
    let mut tx = planned_anew(store, OPERATION).await?;
    let mut rows = queries::list(&mut *tx, pattern.as_deref(), before, PAGE + 1).await.during(OPERATION)?;
    let has_more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let customers = rows.into_iter().map(customer).collect::<Result<Vec<_>, _>>()?;
    let guest = match Email::parse(&search) {
        Ok(email) => guest(store, email.as_str()).await?,
        Err(_) => None,
    };
    let next = customers.last().filter(|_| has_more).map(|customer| customer.account_id);
    Ok(CustomerPage { customers, guest, next })
}

/// Whoever placed this order.
async fn of_order(store: &Store, number: &OrderNumber) -> Result<CustomerPage, Error> {
    const OPERATION: &str = "customers.of_order";
    let buyer = queries::buyer(store.postgres(OPERATION).await?, number.as_str()).await.during(OPERATION)?;
    let (mut customers, mut guest_buyer) = (Vec::new(), None);
    match buyer {
        None => {}
        Some((Some(account), _)) => customers.extend(one(store, account).await?),
        Some((None, email)) => guest_buyer = guest(store, &email).await?,
    }
    Ok(CustomerPage { customers, guest: guest_buyer, next: None })
}

/// One customer with an account.
pub async fn get(store: &Store, id: AccountId) -> Result<CustomerView, Error> {
    let customer = one(store, id.get()).await?.ok_or_else(|| ApiError::not_found("that customer"))?;
    let addresses = accounts::addresses::list(store, id).await?;
    let orders = orders(store, Some(id), None).await?;
    let (email, order_count) = (customer.email.clone(), customer.orders);
    let cart = cart(store, id).await;
    Ok(CustomerView { email, account: Some(customer), addresses, orders, order_count, cart })
}

/// One who bought without an account.
pub async fn get_guest(store: &Store, email: &Email) -> Result<CustomerView, Error> {
    let found = guest(store, email.as_str()).await?.ok_or_else(|| ApiError::not_found("that customer"))?;
    let orders = orders(store, None, Some(email)).await?;
    let GuestBuyer { email, orders: order_count } = found;
    Ok(CustomerView { email, account: None, addresses: Vec::new(), orders, order_count, cart: None })
}

async fn one(store: &Store, id: i64) -> Result<Option<Customer>, Error> {
    const OPERATION: &str = "customers.one";
    let row = queries::one(store.postgres(OPERATION).await?, id).await.during(OPERATION)?;
    row.map(customer).transpose()
}

async fn guest(store: &Store, email: &str) -> Result<Option<GuestBuyer>, Error> {
    const OPERATION: &str = "customers.guest";
    let orders = queries::guest_orders(store.postgres(OPERATION).await?, email).await.during(OPERATION)?;
    Ok((orders > 0).then(|| GuestBuyer { email: email.to_owned(), orders }))
}

async fn orders(store: &Store, account: Option<AccountId>, guest: Option<&Email>) -> Result<Vec<OrderSummary>, Error> {
    const OPERATION: &str = "customers.orders";
    let owner = account.map(|account| Owner::Account(account).to_string());
    let pg = store.postgres(OPERATION).await?;
    let rows = queries::orders(pg, owner.as_deref(), guest.map(Email::as_str), ORDERS).await.during(OPERATION)?;
    rows.into_iter().map(OrderSummary::try_from).collect()
}

/// The page comes without it when Redis is away.
async fn cart(store: &Store, id: AccountId) -> Option<CartView> {
    let view = carts::view(store, &Owner::Account(id)).await;
    view.inspect_err(|error| tracing::warn!(error = error as &dyn std::error::Error, "a customer without the cart"))
        .ok()
}

fn customer(row: queries::Row) -> Result<Customer, Error> {
    const OPERATION: &str = "customers.read";
    Ok(Customer {
        account_id: AccountId::new(row.id).map_err(|error| Error::unexpected(OPERATION, error.to_string()))?,
        name: row.name,
        email: row.email,
        role: Role::parse(&row.role).ok_or_else(|| Error::unexpected(OPERATION, "an unknown role"))?,
        is_verified: row.is_verified,
        since: crate::world::from_timestamp(row.created_at),
        orders: row.orders,
        last_order_at: row.last_order_at.map(crate::world::from_timestamp),
    })
}
