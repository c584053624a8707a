//! accounts against real servers.
