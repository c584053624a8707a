//! Sessions: in Redis, written only for people who log in, kept for a month after their last visit; those of people of
//! the shop for a shift.
//!
//! Keys are the session's 128 random bits without a prefix, as the store writes them; `SESSION_REDIS_URL` can name a
//! database or a server of their own.

use crate::{failure::Failure, guard::refuse};
use app::{
    call::{BY_ITSELF, PAGE_OF},
    ssr::{AuthSession, Backend, User, shift},
};
use axum::{
    body::HttpBody,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_login::{AuthManagerLayer, AuthManagerLayerBuilder};
use domain::{ApiError, ErrorCode};
use http::{HeaderValue, StatusCode, header};
use std::time::Duration;
use store::{Store, health::Probe};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};
use tower_sessions_redis_store::{
    RedisStore,
    fred::prelude::{Builder, ClientLike, Config, Pool, ReconnectPolicy},
};

const CONNECTIONS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(2);
const IDLE: time::Duration = time::Duration::days(30);
const DAY_MS: i64 = 86_400_000;
/// In the session: the day on which it was last renewed.
const RENEWED: &str = "renewed";

pub type AuthLayer = AuthManagerLayer<Backend, RedisStore<Pool>>;

#[derive(Clone)]
pub struct Sessions {
    pool: Pool,
}

impl Sessions {
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        let failed = |error| Failure::said(format!("cannot reach the Redis of sessions (SESSION_REDIS_URL): {error}"));
        let config = Config::from_url(url).map_err(failed)?;
        let pool = Builder::from_config(config)
            .with_connection_config(|connection| {
                connection.connection_timeout = PATIENCE;
                connection.internal_command_timeout = PATIENCE;
                connection.max_command_attempts = 1;
            })
            .with_performance_config(|performance| performance.default_command_timeout = PATIENCE)
            .set_policy(ReconnectPolicy::new_exponential(0, 100, 5_000, 2))
            .build_pool(CONNECTIONS)
            .map_err(failed)?;
        tokio::time::timeout(Duration::from_secs(5), pool.init())
            .await
            .map_err(|_| {
                Failure::said("cannot reach the Redis of sessions (SESSION_REDIS_URL): no answer in 5 seconds")
            })?
            .map_err(failed)?;
        Ok(Self { pool })
    }

    pub fn layer(&self, store: Store, secure: bool) -> AuthLayer {
        // Lax, not Strict: the way back from a hosted payment page must find the login.
        let sessions = SessionManagerLayer::new(RedisStore::new(self.pool.clone()))
            .with_name(if secure { "__Host-bb_session" } else { "bb_session" })
            .with_same_site(SameSite::Lax)
            .with_http_only(true)
            .with_secure(secure)
            .with_expiry(Expiry::OnInactivity(IDLE));
        AuthManagerLayerBuilder::new(Backend::new(store), sessions).build()
    }

    pub async fn probe(&self) -> Probe {
        let answer = tokio::time::timeout(PATIENCE, self.pool.ping::<String>(None)).await;
        let problem = match answer {
            Ok(Ok(_)) => None,
            _ => Some("The Redis of sessions does not answer: look at SESSION_REDIS_URL.".to_owned()),
        };
        Probe::new("sessions", problem)
    }

    pub async fn close(&self) {
        let _ = tokio::time::timeout(Duration::from_millis(500), self.pool.quit()).await;
    }
}

/// Renews a login's month once a day, instead of writing the session at every request. Whose shift is over goes on as a
/// stranger; what a page asks by itself does not prolong one, and what the page of somebody else asks is refused.
pub async fn renew(
    State((store, limits)): State<(Store, shift::Limits)>,
    mut request: Request,
    next: Next,
) -> Response {
    let auth = request.extensions().get::<AuthSession>().cloned();
    let Some((auth, user)) = auth.and_then(|auth| auth.user.clone().map(|user| (auth, user))) else {
        return next.run(request).await;
    };
    if is_of_somebody_else(&request, &user) {
        let message = "Somebody else is logged in in this browser by now. Please load the page again.";
        return refuse(ApiError::new(ErrorCode::Unauthorised, message));
    }
    if user.view().role.is_staff() {
        match watch(&store, auth.clone(), &user, limits, is_by_itself(&request)).await {
            Ok(None) => {}
            Ok(Some(stranger)) => {
                request.extensions_mut().insert(stranger);
                return next.run(request).await;
            }
            Err(error) => {
                tracing::warn!(%error, "nobody can tell how old a session is");
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
        }
    }
    let today = store.now().get() / DAY_MS;
    if auth.session.get::<i64>(RENEWED).await.ok().flatten() != Some(today) {
        let _ = auth.session.insert(RENEWED, today).await;
    }
    next.run(request).await
}

/// A page's own look, or its socket, which comes back by itself.
fn is_by_itself(request: &Request) -> bool {
    request.headers().contains_key(BY_ITSELF) || request.uri().path() == "/live"
}

/// A page behind the counter was made for one person, and another tab has logged in another one since.
fn is_of_somebody_else(request: &Request, user: &User) -> bool {
    let made_for = request.headers().get(PAGE_OF);
    made_for.is_some_and(|account| account.as_bytes() != user.view().id.to_string().as_bytes())
}

/// What is left of a session whose shift is over; `None`: it goes on.
async fn watch(
    store: &Store,
    mut auth: AuthSession,
    user: &User,
    limits: shift::Limits,
    is_by_itself: bool,
) -> Result<Option<AuthSession>, Box<dyn std::error::Error + Send + Sync>> {
    let now = store.now();
    if !shift::is_over(&auth.session, limits, now).await? {
        if !is_by_itself {
            shift::go_on(&auth.session, limits, now).await?;
        }
        return Ok(None);
    }
    auth.logout().await?;
    // Should nobody hear it, the sockets find out by their next ping.
    let _ = store::live::login_ended(store, user.view().id).await;
    Ok(Some(auth))
}

/// Around the auth layer, which answers an unreachable store or account with an empty 500 and forgets `Secure` when it
/// takes a cookie back (browsers then ignore the removal of a `__Host-` cookie).
pub async fn mend(mut response: Response) -> Response {
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR && response.body().size_hint().exact() == Some(0) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let cookies = response.headers().get_all(header::SET_COOKIE);
    if cookies.iter().any(lacks_secure) {
        let mended: Vec<HeaderValue> = cookies.iter().map(secured).collect();
        response.headers_mut().remove(header::SET_COOKIE);
        for cookie in mended {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

fn lacks_secure(cookie: &HeaderValue) -> bool {
    cookie.to_str().is_ok_and(|text| text.starts_with("__Host-") && !text.contains("; Secure"))
}

fn secured(cookie: &HeaderValue) -> HeaderValue {
    let text = cookie.to_str().ok().filter(|_| lacks_secure(cookie));
    text.and_then(|text| HeaderValue::from_str(&format!("{text}; Secure")).ok()).unwrap_or_else(|| cookie.clone())
}
