//! jobs against real servers.
