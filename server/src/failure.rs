//! How a command ends badly: one clear line on standard error and exit code 1.

use crate::config::ConfigError;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{}", chain(.0))]
    Store(#[from] store::error::Error),
    /// The sentence is complete.
    #[error("{0}")]
    Said(String),
}

impl Failure {
    pub fn said(line: impl Into<String>) -> Self {
        Self::Said(line.into())
    }

    /// Trying again later may help: a server is away.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_away())
    }

    /// Lines for standard error, each saying which program speaks.
    pub fn print(&self) {
        for line in self.to_string().lines() {
            eprintln!("bazar: {line}");
        }
    }
}

/// The whole story on one line: what was done, and what the server below said.
fn chain(error: &store::error::Error) -> String {
    store::error::chain(error).replace('\n', " ")
}
