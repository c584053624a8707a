//! The words of the shop, for server and browser alike: ids, money, carts, the life of an order, live messages, errors.
//!
//! Nothing here does I/O, reads a clock or draws a random number; what depends on those gets them as arguments.

pub mod account;
pub mod address;
pub mod cart;
pub mod catalog;
pub mod desk;
pub mod error;
pub mod figures;
pub mod health;
pub mod ids;
pub mod isbn;
pub mod live;
pub mod markup;
pub mod money;
pub mod network;
pub mod order;
pub mod owner;
pub mod payment;
pub mod people;
pub mod quantity;
pub mod staff;
pub mod stock;
pub mod tax;
pub mod time;
pub mod words;
pub mod work;

pub use error::{ApiError, ErrorCode};
pub use ids::{AccountId, AddressId, BookId, GuestId, IdempotencyKey, OrderId, PaymentId, RefundId};
pub use money::{BadAmount, Currency, Minor, Money};
pub use network::Network;
pub use owner::Owner;
pub use quantity::Quantity;
pub use staff::Permission;
pub use time::UnixMillis;
