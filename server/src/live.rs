//! `/live`: one WebSocket per tab. Frames of the hub go out, what the browser asks goes in; everything about it is small
//! and bounded, because thousands of them stand open.

use crate::{
    config::BaseUrl,
    guard::{origin, refuse},
};
use app::ssr::{AppState, AuthSession, User, shift, viewer};
use axum::{
    Extension,
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    response::Response,
};
use axum_login::AuthUser;
use domain::{
    ApiError, ErrorCode, GuestId, Owner,
    live::{Ask, BEAT_SECONDS, Frame, MAX_ASK},
};
use http::HeaderMap;
use std::{sync::Arc, time::Duration};
use store::{Store, accounts, live::Subscription, viewer::Viewer};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Interval, MissedTickBehavior, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_sessions::Session;

/// Under this name axum-login keeps the login in the session (its default `data_key`).
const LOGIN: &str = "axum-login.data";
/// Sockets of one process; more are told to come later.
const MAX_SOCKETS: usize = 20_000;
const PING_EVERY: Duration = Duration::from_secs(BEAT_SECONDS as u64);
/// A shift is over by the clock before anybody looks.
const AFTER_IT: Duration = Duration::from_millis(100);
/// Pings without any answer until the other side counts as gone.
const MAX_SILENT_PINGS: u32 = 2;
/// Questions between two pings; a page asks a handful.
const MAX_ASKS: u32 = 100;
/// A socket that takes a frame no faster than this is not worth holding.
const SEND_PATIENCE: Duration = Duration::from_secs(10);
/// tungstenite's own default is 128 KiB for each direction of each socket.
const BUFFER: usize = 4 * 1024;
const MAX_UNSENT: usize = 512 * 1024;

mod code {
    pub const GOING_AWAY: u16 = 1001;
    pub const NOT_UNDERSTOOD: u16 = 1003;
    pub const POLICY: u16 = 1008;
}

/// What all sockets of the process share.
#[derive(Clone)]
pub struct Sockets {
    pub base: Arc<BaseUrl>,
    pub shift: shift::Limits,
    pub stop: CancellationToken,
    pub open: TaskTracker,
    room: Arc<Semaphore>,
}

impl Sockets {
    pub fn new(base: Arc<BaseUrl>, shift: shift::Limits, stop: CancellationToken) -> Self {
        Self { base, shift, stop, open: TaskTracker::new(), room: Arc::new(Semaphore::new(MAX_SOCKETS)) }
    }
}

pub async fn live(
    State(state): State<AppState>,
    Extension(sockets): Extension<Sockets>,
    auth: AuthSession,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    // Cookies travel with sockets of any page: only the origin tells ours from theirs.
    if origin::is_ours(&headers, &sockets.base) != Some(true) {
        return refuse(ApiError::new(ErrorCode::CrossSite, "This connection came from another site."));
    }
    let Ok(room) = sockets.room.clone().try_acquire_owned() else { return refuse(ApiError::not_ready()) };
    let account = auth.user.as_ref().map(|user| user.view());
    // Somebody whose browser was given no id yet owns nothing, but may follow the stock on the screen.
    let viewer = viewer(&headers, &state, account)
        .unwrap_or_else(|| Viewer::new(Owner::Guest(GuestId::new(state.store.uuid()))));
    let upgrade = upgrade
        .max_message_size(MAX_ASK)
        .max_frame_size(MAX_ASK)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(MAX_UNSENT);
    upgrade.on_upgrade(move |socket| {
        let open = sockets.open.clone();
        let frames = state.hub.connect(viewer);
        let store = state.store.clone();
        let (shift, stop) = (sockets.shift, sockets.stop);
        let line = Line { socket, frames, auth, store, shift, over: None, stop, silent_pings: 0, asks: 0, _room: room };
        open.track_future(line.run())
    })
}

/// One open socket.
struct Line {
    socket: WebSocket,
    frames: Subscription,
    auth: AuthSession,
    store: Store,
    shift: shift::Limits,
    /// When the shift of somebody who works in the shop may be over.
    over: Option<Instant>,
    stop: CancellationToken,
    silent_pings: u32,
    asks: u32,
    _room: OwnedSemaphorePermit,
}

/// Why a socket ends; `None`: the other side is gone, there is nobody to tell.
type End = Option<(u16, &'static str)>;

impl Line {
    async fn run(mut self) {
        metrics::gauge!("bazar_live_sockets").increment(1.0);
        let end = self.talk().await;
        if let Some((code, reason)) = end {
            let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
            let _ = timeout(Duration::from_secs(1), self.socket.send(close)).await;
        }
        metrics::gauge!("bazar_live_sockets").decrement(1.0);
    }

    async fn talk(&mut self) -> End {
        let (mut pings, login_ended) = (pings(), self.frames.login_ended());
        self.watch_shift().await;
        loop {
            let next = tokio::select! {
                () = self.stop.cancelled() => Err(Some((code::GOING_AWAY, "restarting"))),
                frame = self.frames.frames.recv() => self.send(frame).await,
                message = self.socket.recv() => self.hear(message).await,
                () = login_ended.notified() => self.check_login().await,
                () = until(self.over) => self.check_login().await,
                _ = pings.tick() => self.ping().await,
            };
            if let Err(end) = next {
                return end;
            }
        }
    }

    async fn send(&mut self, frame: Option<Frame>) -> Result<(), End> {
        let frame = frame.ok_or(Some((code::GOING_AWAY, "restarting")))?;
        let text = serde_json::to_string(&frame).map_err(|error| {
            tracing::error!(%error, "a live frame could not be written");
            None
        })?;
        self.write(Message::Text(text.into())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), End> {
        tokio::select! {
            sent = timeout(SEND_PATIENCE, self.socket.send(message)) => match sent {
                Ok(Ok(())) => Ok(()),
                _ => Err(None),
            },
            // A restart does not wait for somebody who does not read.
            () = self.stop.cancelled() => Err(Some((code::GOING_AWAY, "restarting"))),
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let Some(Ok(message)) = message else { return Err(None) };
        self.silent_pings = 0;
        match message {
            Message::Text(text) => self.ask(&text).await,
            Message::Binary(_) => Err(Some((code::NOT_UNDERSTOOD, "text only"))),
            Message::Close(_) => Err(None),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    async fn ask(&mut self, text: &str) -> Result<(), End> {
        self.asks += 1;
        if self.asks > MAX_ASKS {
            return Err(Some((code::POLICY, "too many questions")));
        }
        let ask: Ask = serde_json::from_str(text).map_err(|_| Some((code::NOT_UNDERSTOOD, "not a question")))?;
        if let Err(error) = self.frames.ask(ask).await {
            // The page keeps what it shows and asks again after the next reconnect.
            tracing::warn!(error = ?error, "a live question went unanswered");
            return Err(Some((code::GOING_AWAY, "try again")));
        }
        Ok(())
    }

    /// Also the moment to see whether this person is still logged in, in case nobody could say that they logged out.
    async fn ping(&mut self) -> Result<(), End> {
        self.silent_pings += 1;
        self.asks = 0;
        if self.silent_pings > MAX_SILENT_PINGS {
            return Err(Some((code::GOING_AWAY, "silent")));
        }
        self.check_login().await?;
        // The ping makes the other side answer, the beat is what its page can hear.
        self.send(Some(Frame::Beat)).await?;
        self.write(Message::Ping(bytes::Bytes::new())).await
    }

    /// Ends the socket of a person who is not who they were any more.
    async fn check_login(&mut self) -> Result<(), End> {
        match &self.auth.user {
            Some(user) if is_logged_out(&self.store, self.shift, &self.auth.session, user).await => {
                Err(Some((code::POLICY, "logged out")))
            }
            _ => {
                self.watch_shift().await;
                Ok(())
            }
        }
    }

    /// The page may rest until then, and must not go on showing things after it.
    async fn watch_shift(&mut self) {
        let is_staff = self.auth.user.as_ref().is_some_and(|user| user.view().role.is_staff());
        let ends = if is_staff { shift::ends(&self.auth.session, self.shift).await.ok().flatten() } else { None };
        self.over = ends.map(|at| {
            let left = at.since(self.store.now()).max(0).unsigned_abs();
            Instant::now() + Duration::from_millis(left) + AFTER_IT
        });
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// The session is gone, or too old for what it allows, or the account, its role or its password is not what it was when this socket opened.
async fn is_logged_out(store: &Store, limits: shift::Limits, session: &Session, user: &User) -> bool {
    // Not `is_empty`: a session that is gone from the store still has its id.
    if session.load().await.is_ok() && matches!(session.get_value(LOGIN).await, Ok(None)) {
        return true;
    }
    if user.view().role.is_staff() && shift::is_over(session, limits, store.now()).await.unwrap_or(false) {
        return true;
    }
    match accounts::get(store, user.view().id).await {
        Ok(Some(now)) => now.view.role != user.view().role || now.auth_hash != user.session_auth_hash(),
        Ok(None) => true,
        // While nobody can tell, nobody is sent away.
        Err(_) => false,
    }
}

fn pings() -> Interval {
    let mut pings = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings
}
