//! The pages, one per file.

pub mod account;
pub mod admin_order;
pub mod admin_orders;
mod admin_quarantine;
pub mod admin_refunds;
mod admin_steps;
pub mod book;
pub mod books;
pub mod cart;
pub mod checkout;
mod checkout_news;
pub mod error;
pub mod home;
pub mod login;
pub mod not_found;
pub mod order;
mod order_lost;
mod order_money;
pub mod order_now;
pub mod orders;
pub mod register;
pub mod restore;
pub mod sheet;
pub mod unsubscribe;
