//! catalog against real servers.
