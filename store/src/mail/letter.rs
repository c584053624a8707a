//! One letter to one person, and how it becomes a message on the wire.

use super::{
    Failure,
    links::{Purpose, address_of},
    look::{self, Block, Footer},
};
use crate::{
    Store,
    messages::{About, Kind},
};
use domain::{UnixMillis, account::Email};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use std::time::{Duration, SystemTime};

/// Longest subject, in characters; mail programs show fewer.
const MAX_SUBJECT: usize = 120;
const MAX_NAME: usize = 80;

/// What a kind of mail says to whom.
pub(crate) struct Letter {
    pub to: Email,
    pub to_name: String,
    pub subject: String,
    pub blocks: Vec<Block>,
    /// When the reason arose: the same for every attempt.
    pub at: UnixMillis,
}

impl Letter {
    /// Sorts by time, and is the same for the same mail.
    pub fn file_name(&self, kind: &str, about: &About) -> String {
        format!("{}.eml", file_stem(self.at, kind, about))
    }

    pub fn into_message(self, store: &Store, kind: &dyn Kind, about: &About) -> Result<Message, Failure> {
        let config = store.config();
        let from = config.mail.from.0.clone();
        let unsubscribe =
            kind.may_be_declined().map(|what| (what, address_of(store, Purpose::Unsubscribe(kind.name()), about.id)));
        let footer = Footer { shop: &config.base_url, unsubscribe };
        let (text, html) = (look::text(&self.blocks, &footer), look::html(&self.blocks, &footer));
        let address: Address =
            self.to.as_str().parse().map_err(|_| unwritable("the address is none for mail servers"))?;
        let name = Some(line(&self.to_name, MAX_NAME)).filter(|name| !name.is_empty());
        let at = Duration::from_millis(u64::try_from(self.at.get()).unwrap_or_default());
        let mut message = Message::builder()
            // Known to mail systems, so that they can drop a second copy.
            .message_id(Some(format!("<{}.{about}@{}>", kind.name(), from.email.domain())))
            .date(SystemTime::UNIX_EPOCH + at)
            .from(from)
            .to(Mailbox::new(name, address))
            .subject(line(&self.subject, MAX_SUBJECT))
            // Out-of-office robots keep quiet.
            .raw_header(raw("Auto-Submitted", "auto-generated".into()));
        if let Some((_, address)) = &footer.unsubscribe {
            message = message
                .raw_header(raw("List-Unsubscribe", format!("<{address}>")))
                .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()));
        }
        let body = MultiPart::alternative_plain_html(text, html);
        message.multipart(body).map_err(|error| unwritable(&error.to_string()))
    }
}

/// Of a message that becomes a file; sorts by time.
pub(crate) fn file_stem(at: UnixMillis, kind: &str, about: &About) -> String {
    const FORMAT: &[time::format_description::BorrowedFormatItem<'_>] =
        time::macros::format_description!("[year][month][day]T[hour][minute][second].[subsecond digits:3]Z");
    let at = crate::world::to_timestamp(at).format(FORMAT).unwrap_or_else(|_| at.get().to_string());
    format!("{at}-{kind}-{about}")
}

fn unwritable(why: &str) -> Failure {
    Failure::Unwritable(why.to_owned())
}

/// A header of ours: plain ASCII, in one piece, for programs to read.
fn raw(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}

/// Somebody else's words on one line: whatever breaks lines or cannot be seen becomes a space.
pub(crate) fn line(text: &str, most: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() || is_break(c) { ' ' } else { c }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.chars().count() <= most {
        return plain;
    }
    plain.chars().take(most - 1).collect::<String>() + "…"
}

/// Line and paragraph separators, and what turns the direction of writing.
fn is_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
