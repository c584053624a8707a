//! Who is asking: the account of the session, or the guest of the cookie.

use super::{AppState, cookies};
use domain::{Owner, account::AccountView};
use http::HeaderMap;
use store::viewer::Viewer;

/// The person behind a request; `None`: neither logged in nor known as a guest, so nothing is theirs yet.
pub fn viewer(headers: &HeaderMap, state: &AppState, account: Option<&AccountView>) -> Option<Viewer> {
    let receipts = cookies::receipts(headers, state);
    match account {
        Some(account) => {
            let proven = account.is_verified.then(|| account.email.clone());
            Some(Viewer { owner: Owner::Account(account.id), role: account.role, receipts, proven })
        }
        None => {
            let guest = cookies::guest(headers, state)?;
            Some(Viewer { receipts, ..Viewer::new(Owner::Guest(guest)) })
        }
    }
}
