//! Signed links in mails: whoever got the mail may follow them, nobody else can make one up.

use crate::Store;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// Bytes of the signature: 128 bits keep the address short and cannot be guessed.
const SIGNATURE: usize = 16;

/// What a link is for; a token for one purpose opens no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    RestoreCart,
    /// The order of a guest, in any browser.
    OpenOrder,
    /// Makes an address the account's.
    VerifyEmail,
    ResetPassword,
    /// From that kind of mail.
    Unsubscribe(&'static str),
}

impl Purpose {
    fn path(self) -> &'static str {
        match self {
            Self::RestoreCart => "cart/restore",
            Self::OpenOrder => "orders/open",
            Self::VerifyEmail => "account/email",
            Self::ResetPassword => "password/reset",
            Self::Unsubscribe(_) => "mail/unsubscribe",
        }
    }

    fn label(self) -> String {
        match self {
            Self::RestoreCart => "restore cart".into(),
            Self::OpenOrder => "open order".into(),
            Self::VerifyEmail => "verify email".into(),
            Self::ResetPassword => "reset password".into(),
            Self::Unsubscribe(kind) => format!("unsubscribe {kind}"),
        }
    }
}

/// The address to put into a mail.
pub(crate) fn address_of(store: &Store, purpose: Purpose, id: Uuid) -> String {
    let config = store.config();
    format!("{}/{}/{}", config.base_url, purpose.path(), token(config.mail.link_secret.reveal(), purpose, id))
}

/// What a token names, if it is one of ours for that purpose.
pub(crate) fn opened(store: &Store, purpose: Purpose, token: &str) -> Option<Uuid> {
    open(store.config().mail.link_secret.reveal(), purpose, token)
}

fn token(secret: &str, purpose: Purpose, id: Uuid) -> String {
    hex::encode([&id.as_bytes()[..], &signature(secret, purpose, id)].concat())
}

fn open(secret: &str, purpose: Purpose, token: &str) -> Option<Uuid> {
    let bytes = hex::decode(token).ok()?;
    let (id, signed) = bytes.split_at_checked(16)?;
    let id = Uuid::from_slice(id).ok()?;
    bool::from(signature(secret, purpose, id).ct_eq(signed)).then_some(id)
}

fn signature(secret: &str, purpose: Purpose, id: Uuid) -> Vec<u8> {
    // HMAC takes keys of any length, so this cannot fail; an empty signature would fit no token of ours.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mac = mac.map(|mac| mac.chain_update(purpose.label()).chain_update([0]).chain_update(id.as_bytes()));
    mac.map(|mac| mac.finalize().into_bytes()[..SIGNATURE].to_vec()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_its_own_door_only() {
        let (id, unsubscribe) = (Uuid::from_u128(7), Purpose::Unsubscribe("cart.forgotten"));
        let good = token("secret", Purpose::RestoreCart, id);
        assert_eq!(open("secret", Purpose::RestoreCart, &good), Some(id));
        assert_eq!(open("secret", unsubscribe, &good), None);
        assert_eq!(open("secret", Purpose::OpenOrder, &good), None);
        assert_eq!(open("secret", Purpose::ResetPassword, &token("secret", Purpose::VerifyEmail, id)), None);
        assert_eq!(open("other", Purpose::RestoreCart, &good), None);
        assert_eq!(open("secret", Purpose::Unsubscribe("x"), &token("secret", unsubscribe, id)), None);
        for at in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[at] = if bad[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(open("secret", Purpose::RestoreCart, std::str::from_utf8(&bad).unwrap()), None, "at {at}");
        }
        for bad in ["", "00", &good[..32], &good[..62], &format!("{good}00"), "zz", "😀"] {
            assert_eq!(open("secret", Purpose::RestoreCart, bad), None, "{bad}");
        }
    }
}
