//! Short messages to phones: files in a folder until a provider is configured, one per message.
//!
//! No links in them: a message that asks people to press something is what swindlers send.

mod phone;
mod text;

pub(crate) use phone::Phone;
pub use text::segments;

use crate::{
    Store,
    error::Error,
    mail::{Failure, file_stem, write_file},
    messages::{About, Channel, Kind, Sent},
};
use async_trait::async_trait;
use domain::UnixMillis;
use std::path::PathBuf;

/// What a kind of message says to whom, in a few words.
pub(crate) struct Note {
    pub to: Phone,
    pub text: String,
    /// When the reason arose: the same for every attempt.
    pub at: UnixMillis,
}

pub(crate) struct Sms(Option<PathBuf>);

impl Sms {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self(folder)
    }
}

#[async_trait]
impl Channel for Sms {
    fn name(&self) -> &'static str {
        "sms"
    }

    /// Sent again, it is the same file again.
    async fn send(&self, store: &Store, kind: &dyn Kind, about: &About) -> Result<Sent, Error> {
        let Some(folder) = &self.0 else { return Ok(Sent::No("no short messages here")) };
        let Some(note) = kind.note(store, about).await? else {
            return Ok(Sent::No("the reason, or the phone, is gone"));
        };
        let name = format!("{}.txt", file_stem(note.at, kind.name(), about));
        let text = text::fitted(&note.text);
        let id = format!("{}.{about}", kind.name());
        let file = format!("To: {}\nId: {id}\nSegments: {}\n\n{text}\n", note.to, segments(&text));
        let written = write_file(folder, &name, file.as_bytes()).await;
        written.map_err(|source| Error::Message { operation: "sms.send", source: Failure::Folder(source) })?;
        Ok(Sent::Yes)
    }
}
