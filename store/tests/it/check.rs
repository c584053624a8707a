//! `bazar check` against real servers: a shop in the middle of its work is clean, and every planted bug is seen.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod at_work;
mod planted;
mod shop;
