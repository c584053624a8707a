//! Addresses that are neither pages nor server functions.

pub mod board;
pub mod catalogue;
pub mod covers;
pub mod health;
pub mod open_order;
pub mod robots;
pub mod sitemap;
pub mod unsubscribe;
