//! A page around data: waits for it, shows it, or shows why it cannot.

use crate::{AppError, pages::error::error_page};
use leptos::prelude::*;

/// The server waits until the page is whole; in the browser the old page stays until the new one is there.
pub fn loaded<T>(
    resource: Resource<Result<T, AppError>>,
    show: impl Fn(T) -> AnyView + Clone + Send + 'static,
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
{
    view! {
        <Transition>
            {move || {
                let show = show.clone();
                Suspend::new(async move {
                    match resource.await {
                        Ok(data) => show(data),
                        Err(error) => error_page(error),
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}
