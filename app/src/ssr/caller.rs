//! The person behind the server function that runs now: what they may do, and the cookies they get.

use super::{AppState, AuthSession, User, cookies, shift, viewer};
use crate::{AppError, boot::Flash};
use domain::{
    AccountId, ApiError, ErrorCode, Network, OrderId, Owner, Permission, account::AccountView, cart::CartView,
};
use http::{HeaderValue, header, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use store::{Store, viewer::Viewer};

/// Built once per call by [`Caller::current`].
pub struct Caller {
    state: AppState,
    parts: Parts,
    auth: Option<AuthSession>,
    response: ResponseOptions,
}

impl Caller {
    /// Taken from Leptos' contexts; an error means that the server was put together wrongly.
    pub fn current() -> Result<Self, AppError> {
        let contexts = (use_context::<AppState>(), use_context::<Parts>(), use_context::<ResponseOptions>());
        let (Some(state), Some(parts), Some(response)) = contexts else {
            tracing::error!("a server function runs without its contexts");
            return Err(domain::ApiError::internal().into());
        };
        let auth = parts.extensions.get::<AuthSession>().cloned();
        Ok(Self { state, parts, auth, response })
    }

    pub fn store(&self) -> &Store {
        &self.state.store
    }

    pub fn account(&self) -> Option<&AccountView> {
        self.auth.as_ref()?.user.as_ref().map(User::view)
    }

    /// Whose things may be read; `None`: nobody we know, so nothing is theirs.
    pub fn viewer(&self) -> Option<Viewer> {
        viewer(&self.parts.headers, &self.state, self.account())
    }

    /// For reading one order: strangers are told that it is not there.
    pub fn viewer_of(&self, order: &str) -> Result<(Viewer, OrderId), AppError> {
        let not_there = || AppError(domain::ApiError::not_found("that order"));
        let order = order.parse().map_err(|_| not_there())?;
        Ok((self.viewer().ok_or_else(not_there)?, order))
    }

    /// Whose cart is edited; a stranger becomes a guest by it.
    pub fn owner(&self) -> Owner {
        self.viewer().map_or_else(
            || {
                let (guest, cookie) = cookies::new_guest(&self.state);
                self.set_cookie(cookie);
                Owner::Guest(guest)
            },
            |viewer| viewer.owner,
        )
    }

    pub fn require_account(&self) -> Result<&AccountView, AppError> {
        self.account().ok_or_else(|| AppError::new(ErrorCode::Unauthorised, "Please log in first."))
    }

    /// A person of the shop who is trusted with this.
    pub fn require(&self, permission: Permission) -> Result<Viewer, AppError> {
        Self::check(self.account(), permission)?;
        self.viewer().ok_or_else(not_for_you)
    }

    /// The same for handlers beside the server functions.
    pub fn check(account: Option<&AccountView>, permission: Permission) -> Result<(), ApiError> {
        match account {
            None => Err(ApiError::new(ErrorCode::Unauthorised, "Please log in first.")),
            Some(account) if account.role.may(permission) => Ok(()),
            Some(_) => Err(not_for_you().0),
        }
    }

    /// The form that was just sent without WASM and came back.
    pub fn flash(&self) -> Option<Flash> {
        super::pages::flash(&self.state, &self.parts)
    }

    /// Where the request comes from, when the server found that out.
    pub fn network(&self) -> Option<Network> {
        self.parts.extensions.get().copied()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Opens the session of this account and brings the guest's cart along.
    pub async fn log_in(self, user: User) -> Result<AccountView, AppError> {
        let mut auth = self.auth.clone().ok_or_else(domain::ApiError::internal)?;
        let former = auth.user.as_ref().map(|former| former.view().id);
        if former.is_some() {
            // axum-login changes the session's id only for people who were not logged in.
            auth.session.cycle_id().await.map_err(|e| session_failed(&e))?;
        }
        auth.login(&user).await.map_err(|e| session_failed(&e))?;
        if user.view().role.is_staff() {
            shift::begin(&auth.session, self.store().now()).await.map_err(|e| session_failed(&e))?;
        }
        self.merge_guest_cart(user.view()).await;
        if let Some(former) = former {
            self.tell_ended(former).await;
        }
        Ok(user.view().clone())
    }

    /// Should nobody hear it, the sockets find out by their next ping.
    async fn tell_ended(&self, account: AccountId) {
        let told = store::live::login_ended(self.store(), account).await;
        told.unwrap_or_else(|error| tracing::warn!(%error, "open sockets hear later of the end of a login"));
    }

    /// What a login could not bring along comes now.
    pub async fn bring_guest_cart(&self) {
        if let Some(account) = self.account() {
            self.merge_guest_cart(account).await;
        }
    }

    async fn merge_guest_cart(&self, account: &AccountView) {
        let Some(guest) = cookies::guest(&self.parts.headers, &self.state) else { return };
        match store::carts::merge(self.store(), guest, account.id).await {
            // The guest's cart is a tombstone now: the next guest on this browser is another one.
            Ok(_) => self.set_cookie(cookies::forget_guest(&self.state)),
            Err(error) => tracing::error!(%error, "a guest's cart waits for the next look at the cart"),
        }
    }

    /// The answer to an edit. A guest whose cart went into an account meanwhile (a login in another tab, or one whose
    /// answer never arrived) is told so, and may start a cart of their own: that account is not theirs to edit.
    pub fn edited(&self, edited: Result<CartView, store::error::Error>) -> Result<CartView, AppError> {
        if self.account().is_none()
            && let Err(store::error::Error::Refused(refusal)) = &edited
            && refusal.code == ErrorCode::Conflict
        {
            self.set_cookie(cookies::forget_guest(&self.state));
        }
        Ok(edited?)
    }

    /// Forgets the session and everything else this browser knew.
    pub async fn log_out(self) -> Result<(), AppError> {
        self.bring_guest_cart().await;
        if let Some(mut auth) = self.auth.clone() {
            auth.logout().await.map_err(|e| session_failed(&e))?;
        }
        if let Some(account) = self.account() {
            self.tell_ended(account.id).await;
        }
        self.set_cookie(cookies::forget_guest(&self.state));
        self.set_cookie(cookies::forget_receipts(&self.state));
        Ok(())
    }

    /// The receipt: it opens a guest's order whatever becomes of the guest, and proves any order that was lost.
    pub fn remember(&self, order: OrderId, owner: Owner) {
        self.set_cookie(cookies::add_receipt(&self.parts.headers, &self.state, order, owner));
    }

    fn set_cookie(&self, cookie: HeaderValue) {
        self.response.append_header(header::SET_COOKIE, cookie);
    }
}

fn not_for_you() -> AppError {
    AppError::new(ErrorCode::Forbidden, "This part is for the people of the shop.")
}

fn session_failed(error: &dyn std::fmt::Display) -> AppError {
    tracing::error!(%error, "the session could not be changed");
    AppError(domain::ApiError::not_ready())
}
