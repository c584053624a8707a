//! check against real servers.
