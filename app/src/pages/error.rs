//! A page that could not be shown: what happened, what it means, what to do.

use super::{not_found::NotFound, order_lost::order_lost};
use crate::{
    AppError,
    components::{
        empty::Empty,
        icon::icon,
        page::{NARROW, Page, set_status},
    },
    html::html,
};
use domain::ErrorCode;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

pub fn error_page(error: AppError) -> AnyView {
    let (mark, title, text) = match error.0.code {
        ErrorCode::NotFound => return html! { <NotFound/> },
        ErrorCode::OrderLost => return order_lost(error.0),
        ErrorCode::NotReady | ErrorCode::ProviderUnavailable => {
            ("hourglass", "Back in a moment", error.0.message.clone())
        }
        ErrorCode::Forbidden | ErrorCode::Unauthorised => ("lock", "Not for everybody", error.0.message.clone()),
        code if code.status() < 500 => ("alert", "That did not work", error.0.message.clone()),
        _ => (
            "alert",
            "Something broke on our side",
            "Your cart and your orders are safe. Try again in a moment.".to_owned(),
        ),
    };
    set_status(error.status());
    let here = use_location().pathname.get_untracked();
    html! {
        <Page title=title class=NARROW>
            <Empty mark=icon(mark) title=title.into() text=text>
                <p class="actions">
                    <a class="button button--primary" href=here rel="external">"Try again"</a>
                    <a class="button button--quiet" href="/">"To the front table"</a>
                </p>
            </Empty>
        </Page>
    }
}
