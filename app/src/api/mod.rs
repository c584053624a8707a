//! The server functions: form-encoded in, JSON out, one use case each. Design §7 is their contract with other clients.
//!
//! Arguments are texts so that a wrong one is answered with a sentence about it and not with a parser's complaint;
//! [`args`] turns them into the domain's types.

pub mod account;
pub mod addresses;
pub mod admin;
pub mod admin_books;
pub mod admin_files;
#[cfg(feature = "ssr")]
mod args;
pub mod board;
pub mod books;
pub mod cart;
pub mod desk;
#[cfg(feature = "ssr")]
mod fields;
pub mod figures;
pub mod health;
#[cfg(feature = "ssr")]
pub mod list;
pub mod mail;
pub mod orders;
pub mod pages;
pub mod payments;
pub mod people;
pub mod refunds;
pub mod settings;
pub mod sheet;
#[cfg(feature = "ssr")]
mod sheets;
pub mod work;
