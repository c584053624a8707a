//! The life of an order against real servers: the race at the gate, one order per key, and one ender at a time.

mod ends;
mod persist;
mod place;
pub mod shop;
