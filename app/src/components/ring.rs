//! The countdown: a thin ring around the time left. The server renders it still; the browser lets it run.

use crate::{effect::effect, html::html, live::use_live, when};
use domain::order::OrderView;
use leptos::prelude::*;
use std::time::Duration;

/// Runs from the order's placing to its deadline, by the server's clock.
#[component]
pub fn Countdown(order: OrderView) -> impl IntoView {
    let live = use_live();
    let now = RwSignal::new(order.server_time);
    effect(move || {
        live.learn_clock(order.server_time);
        now.set(live.now());
        let tick = set_interval_with_handle(
            move || {
                now.try_set(live.now());
            },
            Duration::from_secs(1),
        );
        if let Ok(tick) = tick {
            on_cleanup(move || tick.clear());
        }
    });
    let offset = move || (100 - when::percent_left(order.placed_at, order.expires_at, now.get())).to_string();
    html! {
        <div class="ring" role="timer">
            <svg class="ring__svg" viewBox="0 0 120 120" aria-hidden="true">
                <circle class="ring__track" cx="60" cy="60" r="56"></circle>
                <circle class="ring__left" cx="60" cy="60" r="56" pathLength="100" stroke-dasharray="100"
                    stroke-dashoffset=offset transform="rotate(-90 60 60)"></circle>
            </svg>
            <div class="ring__text">
                <span class="ring__time">{move || when::countdown(order.expires_at.since(now.get()))}</span>
                <span class="ring__word">"left to pay"</span>
            </div>
        </div>
    }
}

/// While nobody can say how long it takes.
pub fn waiting_ring(word: &'static str) -> AnyView {
    html! {
        <div class="ring ring--waiting">
            <svg class="ring__svg" viewBox="0 0 120 120" aria-hidden="true">
                <circle class="ring__track" cx="60" cy="60" r="56"></circle>
                <circle class="ring__left" cx="60" cy="60" r="56" pathLength="100" stroke-dasharray="18 82"
                    stroke-dashoffset="0" transform="rotate(-90 60 60)"></circle>
            </svg>
            <div class="ring__text"><span class="ring__word">{word}</span></div>
        </div>
    }
}
