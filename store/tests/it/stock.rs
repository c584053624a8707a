//! stock against real servers.
