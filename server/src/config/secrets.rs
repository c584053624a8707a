//! One secret to keep, from which every other is derived under a label of its own: knowing one tells nothing of the rest.

use super::{Environment, env::Env};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::net::SocketAddr;
use store::config::Secret;

const MIN_BYTES: usize = 32;
/// Lets a checkout start without any setting; refused in production and on any address but loopback.
const DEVELOPMENT: &str = "book-bazar-development-secret-known-to-everybody";

pub(super) struct Secrets {
    root: String,
    sandbox: String,
    /// Still accepted from the sandbox, while its secret is being changed.
    sandbox_before: Option<String>,
}

impl Secrets {
    pub fn read(env: &mut Env<'_>, environment: Environment, addr: SocketAddr) -> Self {
        let root = match secret(env, "BAZAR_SECRET") {
            Some(root) => root,
            None => {
                if environment == Environment::Production || !addr.ip().is_loopback() {
                    env.problem(format!(
                        "BAZAR_SECRET is not set; give at least {MIN_BYTES} random bytes, like: openssl rand -hex 32"
                    ));
                } else {
                    env.warn(
                        "BAZAR_SECRET is not set: using one that everybody knows, good enough on this machine only",
                    );
                }
                DEVELOPMENT.to_owned()
            }
        };
        let sandbox = secret(env, "BAZAR_SANDBOX_SECRET").unwrap_or_else(|| root.clone());
        let sandbox_before = secret(env, "BAZAR_SANDBOX_SECRET_BEFORE");
        Self { root, sandbox, sandbox_before }
    }

    pub fn cookie_key(&self) -> Vec<u8> {
        [derive(&self.root, "cookies 1"), derive(&self.root, "cookies 2")].concat()
    }

    pub fn number_secret(&self) -> Secret {
        text(&self.root, "order numbers")
    }

    pub fn mail_links(&self) -> Secret {
        text(&self.root, "mail links")
    }

    pub fn sandbox_api_key(&self) -> Secret {
        text(&self.sandbox, "sandbox api key")
    }

    /// Newest first.
    pub fn sandbox_webhooks(&self) -> Vec<Secret> {
        let secrets = [Some(&self.sandbox), self.sandbox_before.as_ref()];
        secrets.into_iter().flatten().map(|secret| text(secret, "sandbox webhooks")).collect()
    }
}

fn secret(env: &mut Env<'_>, name: &str) -> Option<String> {
    let value = env.text(name)?;
    if value.len() < MIN_BYTES {
        env.problem(format!("{name} is {} bytes long; it needs at least {MIN_BYTES}", value.len()));
    }
    Some(value)
}

fn text(secret: &str, label: &str) -> Secret {
    Secret::new(hex::encode(derive(secret, label)))
}

fn derive(secret: &str, label: &str) -> Vec<u8> {
    // HMAC takes keys of any length, so this cannot fail; an empty result would be refused by the cookie key's length.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    mac.map(|mac| mac.chain_update(format!("bazar/{label}")).finalize().into_bytes().to_vec()).unwrap_or_default()
}
