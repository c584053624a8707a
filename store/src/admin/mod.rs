//! What admins see and do. Callers have checked the role.

use crate::{Store, error::Error};
use domain::order::{OrderPage, OrderStatus};

/// Orders, newest first, optionally of one status or matching an order number or e-mail; 50 a page, pages from 1.
pub async fn orders(
    store: &Store,
    status: Option<OrderStatus>,
    search: Option<&str>,
    page: u32,
) -> Result<OrderPage, Error> {
    todo!()
}
