//! live against real servers.
