//! Why a message did not leave, sorted by what to do about it. No text here holds an address: it ends up in logs.

use std::io;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody answers, or nobody lets us in: no fault of this mail, however long it lasts.
    #[error("the mail server is out of reach: {0}")]
    Away(String),
    /// A yes may come later (greylisting, a full mailbox).
    #[error("the mail server wants to be asked again later: {0}")]
    Later(String),
    /// No use in trying again.
    #[error("the mail server refuses it for good: {0}")]
    Never(String),
    /// It cannot even be written down.
    #[error("the mail cannot be put into words for a mail server: {0}")]
    Unwritable(String),
    #[error("the folder for messages cannot be written to")]
    Folder(#[source] io::Error),
}

impl Failure {
    /// Not this mail's fault: attempts are not counted.
    pub(crate) fn is_away(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Folder(_))
    }

    /// Goes to the dead letters at once.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Never(_) | Self::Unwritable(_))
    }
}

impl From<lettre::transport::smtp::Error> for Failure {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        let said = without_addresses(&crate::error::chain(&error));
        let code = error.status().map(u16::from);
        match code {
            // 53x: our password or our encryption is not good enough; 421: closing down.
            Some(421 | 530..=539) => Self::Away(said),
            Some(400..=499) => Self::Later(said),
            Some(_) => Self::Never(said),
            // Only what cannot be said to this server, like an address in letters it does not know.
            None if error.is_client() => Self::Unwritable(said),
            None => Self::Away(said),
        }
    }
}

/// Mail servers like to repeat whom they refuse.
fn without_addresses(text: &str) -> String {
    const MOST: usize = 300;
    let words = text.split_whitespace().map(|word| if word.contains('@') { "(address)" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_say_is_kept_without_the_address() {
        let text = without_addresses("permanent error (550): 5.1.1 <asha@example.org>: user\r\n unknown");
        assert_eq!(text, "permanent error (550): 5.1.1 (address) user unknown");
        assert_eq!(without_addresses(&"x ".repeat(900)).len(), 300);
    }
}
