//! The socket itself: opened after hydration, reopened by itself, one per tab.
//!
//! A socket can die without a word: the computer slept, the network changed. Whatever hints that the tab is looked at
//! again asks the server at once, and a server that is not heard of gets a new socket.
//!
//! Tabs tell each other over a `BroadcastChannel` when this browser became somebody else (a guest by the first cart
//! edit, an account by a login): an open socket follows the person it was opened by.

use super::Live;
use domain::{
    UnixMillis,
    live::{Ask, BEAT_SECONDS},
};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    time::Duration,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, Event, MessageEvent, WebSocket, js_sys};

/// First and longest wait before a new attempt, in ms; each is jittered by half, so that a restarted server is not
/// stormed.
const FIRST_WAIT: u32 = 500;
const LONGEST_WAIT: u32 = 30_000;
/// An open socket that was heard of so few ms ago is alive.
const LATELY: i64 = 5_000;
/// The server answers a question within so many ms, or the socket counts as dead.
const PROBE: u64 = 400;
/// So many ms without the server's beat, and the socket counts as dead; looked at as often.
const SILENCE: i64 = BEAT_SECONDS as i64 * 2_000 + LATELY;
/// So long the socket may be gone before the page says so: after most losses it is back by then.
const BLINK: Duration = Duration::from_secs(3);
/// What tells that somebody looks at the tab again, or that the network may be another.
const WAKING: [&str; 5] = ["visibilitychange", "resume", "pageshow", "focus", "online"];
const CHANNEL: &str = "book-bazar";

thread_local! {
    static SOCKET: RefCell<Option<Socket>> = const { RefCell::new(None) };
    static CHANNEL_OF_TABS: RefCell<Option<BroadcastChannel>> = const { RefCell::new(None) };
    static FAILURES: Cell<u32> = const { Cell::new(0) };
    /// Numbers the attempts, so that what an abandoned socket says is ignored.
    static ATTEMPT: Cell<u32> = const { Cell::new(0) };
    /// When the present socket was begun or last heard of.
    static HEARD: Cell<i64> = const { Cell::new(0) };
}

/// A socket with what the browser calls on its events; dropped together.
struct Socket {
    socket: WebSocket,
    _open: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut()>,
}

/// This computer's clock.
pub(super) fn clock() -> UnixMillis {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit an i64 and a double alike")]
    UnixMillis::new(js_sys::Date::now() as i64)
}

pub(super) fn start(live: Live) {
    listen_to_tabs(live);
    for event in WAKING {
        window_event_listener_untyped(event, move |_: Event| wake(live));
    }
    window_event_listener_untyped("pagehide", move |_: Event| live.send_rest());
    let look = move || {
        if silence() > SILENCE {
            connect(live);
        }
    };
    let every = Duration::from_millis(SILENCE as u64 / 4);
    set_interval(look, every);
    connect(live);
}

/// Makes sure within a second that what the tab shows is true.
fn wake(live: Live) {
    if document().hidden() {
        return;
    }
    FAILURES.set(0);
    match (state(), silence()) {
        (WebSocket::OPEN, ..LATELY) | (WebSocket::CONNECTING, ..1_000) => {}
        (WebSocket::OPEN, _) => probe(live),
        _ => connect(live),
    }
}

/// Asks for everything again; no answer, and the socket was dead.
fn probe(live: Live) {
    let (asked, attempt) = (clock().get(), ATTEMPT.get());
    ask(&Ask::Snapshot);
    let check = move || {
        if ATTEMPT.get() == attempt && HEARD.get() < asked {
            connect(live);
        }
    };
    set_timeout(check, Duration::from_millis(PROBE));
}

fn silence() -> i64 {
    clock().get() - HEARD.get()
}

/// Asks when the socket is open; what is followed is asked again whenever it opens.
pub(super) fn ask(ask: &Ask) {
    SOCKET.with_borrow(|socket| {
        let Some(open) = socket.as_ref().filter(|s| s.socket.ready_state() == WebSocket::OPEN) else { return };
        let _ = open.socket.send_with_str(&super::frames::write(ask));
    });
}

/// This tab became somebody: reopen the socket here and in the other tabs.
pub(super) fn announce_new_identity(live: Live) {
    tell_other_tabs(true);
    connect(live);
}

/// `is_known`: whether this browser still is somebody.
pub(super) fn tell_other_tabs(is_known: bool) {
    CHANNEL_OF_TABS.with_borrow(|channel| {
        if let Some(channel) = channel {
            let _ = channel.post_message(&JsValue::from_bool(is_known));
        }
    });
}

fn listen_to_tabs(live: Live) {
    let Ok(channel) = BroadcastChannel::new(CHANNEL) else { return };
    let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        live.is_known.set_value(event.data().is_truthy());
        connect(live);
        reload_if_personal();
    });
    channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    heard.forget(); // lives as long as the tab
    CHANNEL_OF_TABS.set(Some(channel));
}

/// Whose orders and addresses a page shows is written into it.
fn reload_if_personal() {
    let location = window().location();
    let path = location.pathname().unwrap_or_default();
    if path.starts_with("/account") || path.starts_with("/orders") {
        let _ = location.reload();
    }
}

fn state() -> u16 {
    SOCKET.with_borrow(|socket| socket.as_ref().map_or(WebSocket::CLOSED, |socket| socket.socket.ready_state()))
}

/// Opens a socket in place of the present one.
fn connect(live: Live) {
    let attempt = ATTEMPT.get().wrapping_add(1);
    ATTEMPT.set(attempt);
    HEARD.set(clock().get());
    let Some(socket) = address().and_then(|url| WebSocket::new(&url).ok()) else { return };
    let is_current = move || ATTEMPT.get() == attempt;
    let open = Closure::<dyn FnMut()>::new(move || {
        if is_current() {
            FAILURES.set(0);
            HEARD.set(clock().get());
            live.expects_snapshot.set_value(true);
            show_state(live, true);
            live.ask_again();
        }
    });
    let message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if is_current() {
            HEARD.set(clock().get());
        }
        let frame = event.data().as_string().and_then(|text| super::frames::read(&text));
        if let Some(frame) = frame.filter(|_| is_current()) {
            live.apply(frame);
        }
    });
    let close = Closure::<dyn FnMut()>::new(move || {
        if is_current() {
            show_state(live, false);
            reconnect_later(live, attempt);
        }
    });
    socket.set_onopen(Some(open.as_ref().unchecked_ref()));
    socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
    socket.set_onclose(Some(close.as_ref().unchecked_ref()));
    let new = Socket { socket, _open: open, _message: message, _close: close };
    if let Some(old) = SOCKET.replace(Some(new)) {
        old.socket.set_onopen(None);
        old.socket.set_onmessage(None);
        old.socket.set_onclose(None);
        let _ = old.socket.close();
    }
}

fn reconnect_later(live: Live, attempt: u32) {
    let failures = FAILURES.get();
    FAILURES.set(failures.saturating_add(1));
    let full = FIRST_WAIT.saturating_mul(1 << failures.min(6)).min(LONGEST_WAIT);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a random part of a small number")]
    let jitter = (js_sys::Math::random() * f64::from(full / 2)) as u32;
    let again = move || {
        if ATTEMPT.get() == attempt {
            connect(live);
        }
    };
    set_timeout(again, Duration::from_millis(u64::from(full / 2 + jitter)));
}

/// `<html data-live="open">` lets the style (and tests) see whether the page is alive.
fn show_state(live: Live, is_open: bool) {
    live.is_open.set(is_open);
    if is_open {
        live.is_away.set(false);
    } else {
        set_timeout(move || live.is_away.set(!live.is_open.get_untracked()), BLINK);
    }
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-live", if is_open { "open" } else { "closed" });
    }
}

fn address() -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}/live", location.host().ok()?))
}
