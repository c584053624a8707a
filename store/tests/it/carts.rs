//! carts against real servers.
