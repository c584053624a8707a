//! The life of an order against real servers: the race at the gate, one order per key, and one ender at a time.

mod adopted;
mod belongs;
mod crowds;
mod desk;
mod ends;
mod limits;
mod persist;
mod place;
mod races;
pub mod shop;
mod stuck;
