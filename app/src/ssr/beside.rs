//! The admin side's addresses that are no server functions, because what they carry is too large for one. The router is made
//! of this list, and so is the test that asks who may use them.

use http::Method;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// The board as a file.
    OrdersFile,
    /// All books as a file.
    BooksFile,
    /// A file of books is handed in.
    Upload,
}

impl Beside {
    pub const ALL: [Self; 3] = [Self::OrdersFile, Self::BooksFile, Self::Upload];

    pub const fn path(self) -> &'static str {
        match self {
            Self::OrdersFile => "/api/admin/orders.csv",
            Self::BooksFile => "/api/admin/books.csv",
            Self::Upload => "/api/admin/files/upload",
        }
    }

    pub const fn method(self) -> Method {
        match self {
            Self::OrdersFile | Self::BooksFile => Method::GET,
            Self::Upload => Method::POST,
        }
    }
}
