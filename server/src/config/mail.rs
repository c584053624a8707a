//! How mails leave the shop: by SMTP when a server is named, as files otherwise.

use super::{Environment, env::Env, secrets::Secrets};
use store::mail::{MailConfig, Sender, SmtpServer, Way};

const FOLDER: &str = ".bazar/mail";

pub(super) fn read(env: &mut Env<'_>, environment: Environment, secrets: &Secrets) -> MailConfig {
    let way = way(env, environment);
    let from = sender(env, &way);
    MailConfig { way, from, link_secret: secrets.mail_links(), reply_timeout: MailConfig::REPLY_TIMEOUT }
}

fn way(env: &mut Env<'_>, environment: Environment) -> Way {
    let folder = || Way::Files(env.text("BAZAR_MAIL_DIR").unwrap_or_else(|| FOLDER.to_owned()).into());
    let Some(url) = env.text("BAZAR_SMTP_URL") else {
        let way = folder();
        if environment == Environment::Production {
            env.warn("BAZAR_SMTP_URL is not set: mails are only written as files, see BAZAR_MAIL_DIR");
        }
        return way;
    };
    match SmtpServer::parse(&url) {
        Ok(server) => Way::Smtp(server),
        Err(error) => {
            let way = folder();
            env.problem(format!("BAZAR_SMTP_URL is {error}"));
            way
        }
    }
}

/// Only files may come from nobody in particular: mail servers refuse senders that they cannot look up.
fn sender(env: &mut Env<'_>, way: &Way) -> Sender {
    match env.text("BAZAR_MAIL_FROM").map(|text| Sender::parse(&text)) {
        Some(Ok(sender)) => return sender,
        Some(Err(error)) => env.problem(format!("BAZAR_MAIL_FROM is {error}")),
        None if matches!(way, Way::Smtp(_)) => env
            .problem("BAZAR_MAIL_FROM is not set; BAZAR_SMTP_URL needs it to be like: Book Bazar <books@shop.example>"),
        None => {}
    }
    Sender::local()
}
