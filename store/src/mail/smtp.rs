//! Mail by SMTP. One connection per mail: one that was given up in the middle of a mail must never carry the next.

use super::{Failure, SmtpServer};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::Duration;

/// A conversation may take so many replies' time; with the batch of the lane it stays under the outbox's lease.
const REPLIES: u32 = 5;

pub(crate) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    whole: Duration,
}

impl Smtp {
    pub fn new(server: &SmtpServer, reply_timeout: Duration) -> Self {
        let transport = server.0.clone().timeout(Some(reply_timeout)).build();
        Self { transport, whole: reply_timeout * REPLIES }
    }

    pub async fn send(&self, message: Message) -> Result<(), Failure> {
        let sent = tokio::time::timeout(self.whole, self.transport.send(message)).await;
        let answered = sent.map_err(|_| Failure::Away("it takes too long".into()))?;
        answered.map(|_| ()).map_err(Failure::from)
    }
}
