//! A page's data on the server: the GET function at an address, called without HTTP in between.

use crate::{
    AppError,
    api::{
        admin::{AdminOrder, QuarantinedPayments},
        admin_books::{AdminBook, AdminBooks},
        admin_files::{BookFiles, GetBookFile},
        board::AdminOrders,
        cart::GetCart,
        desk::{AdminDesk, AdminPaper},
        figures::AdminFigures,
        health::AdminHealth,
        mail::{OfferPage, UnsubscribePage},
        orders::{GetOrder, ListOrders},
        pages::{BookPageOf, CheckoutPage, HomePage, ListPage},
        people::{AdminAudit, AdminCustomer, AdminCustomers, AdminStaff},
        sheet::SheetPage,
        work::{AdminLetter, AdminWork},
    },
    call::Answer,
};
use domain::ApiError;
use leptos::server_fn::ServerFn;
use serde::{Serialize, de::DeserializeOwned};

/// `page/book?slug=gitanjali` → what `GET /api/page/book?slug=gitanjali` answers.
pub async fn answer(address: &str) -> Answer {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    match path {
        "admin/audit" => run::<AdminAudit>(query).await,
        "admin/customers" => run::<AdminCustomers>(query).await,
        "admin/customers/get" => run::<AdminCustomer>(query).await,
        "admin/staff" => run::<AdminStaff>(query).await,
        "admin/books" => run::<AdminBooks>(query).await,
        "admin/books/get" => run::<AdminBook>(query).await,
        "admin/files" => run::<BookFiles>(query).await,
        "admin/files/get" => run::<GetBookFile>(query).await,
        "admin/figures" => run::<AdminFigures>(query).await,
        "admin/health" => run::<AdminHealth>(query).await,
        "admin/orders" => run::<AdminOrders>(query).await,
        "admin/orders/desk" => run::<AdminDesk>(query).await,
        "admin/orders/paper" => run::<AdminPaper>(query).await,
        "admin/orders/get" => run::<AdminOrder>(query).await,
        "admin/payments/quarantined" => run::<QuarantinedPayments>(query).await,
        "admin/work" => run::<AdminWork>(query).await,
        "admin/work/letter" => run::<AdminLetter>(query).await,
        "cart" => run::<GetCart>(query).await,
        "orders" => run::<ListOrders>(query).await,
        "orders/get" => run::<GetOrder>(query).await,
        "page/book" => run::<BookPageOf>(query).await,
        "page/books" => run::<ListPage>(query).await,
        "page/checkout" => run::<CheckoutPage>(query).await,
        "page/offer" => run::<OfferPage>(query).await,
        "page/sheet" => run::<SheetPage>(query).await,
        "page/unsubscribe" => run::<UnsubscribePage>(query).await,
        "page/home" => run::<HomePage>(query).await,
        _ => {
            tracing::error!(path, "a page asks for a function that is not listed here");
            Err(ApiError::internal().into())
        }
    }
}

async fn run<F>(query: &str) -> Answer
where
    F: ServerFn<Error = AppError> + DeserializeOwned,
    F::Output: Serialize,
{
    let arguments = serde_urlencoded::from_str::<F>(query)
        .map_err(|error| AppError::bad_request(format!("The request could not be read: {error}.")))?;
    let output = arguments.run_body().await?;
    serde_json::to_string(&output).map_err(|error| {
        tracing::error!(%error, "an answer could not be written");
        ApiError::internal().into()
    })
}
