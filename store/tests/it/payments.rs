//! payments against real servers.
