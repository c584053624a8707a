//! The way out of the shop.

use super::{Failure, MailConfig, Way, files, smtp::Smtp};
use lettre::Message;
use std::path::PathBuf;

pub(super) enum Transport {
    Smtp(Smtp),
    Files(PathBuf),
}

impl Transport {
    pub fn new(config: &MailConfig) -> Self {
        match &config.way {
            Way::Smtp(server) => Self::Smtp(Smtp::new(server, config.reply_timeout)),
            Way::Files(folder) => Self::Files(folder.clone()),
        }
    }

    /// `name`: of the file, when it becomes one; the same mail has the same name.
    pub async fn deliver(&self, message: Message, name: &str) -> Result<(), Failure> {
        match self {
            Self::Smtp(smtp) => smtp.send(message).await,
            Self::Files(folder) => files::write(folder, name, &message.formatted()).await.map_err(Failure::Folder),
        }
    }
}
