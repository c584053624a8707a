//! GET forms: the address is the state. Without WASM the browser does the same by itself.

use crate::half::is_elsewhere;
use leptos::{ev::SubmitEvent, form::form_data_from_event};
use leptos_router::hooks::use_navigate;

/// For `on:submit`: goes to `action` with what the form holds, without reloading; empty fields are left out.
pub fn follow(action: impl Into<String>) -> impl Fn(SubmitEvent) + 'static {
    let action = action.into();
    let navigate = use_navigate();
    move |event| {
        let Ok(data) = form_data_from_event(&event) else { return };
        let Ok(params) = web_sys::UrlSearchParams::new_with_str_sequence_sequence(&data) else { return };
        if is_elsewhere(action.split('?').next().unwrap_or_default()) {
            return;
        }
        event.prevent_default();
        let params: String = params.to_string().into();
        navigate(&address(&action, &params), leptos_router::NavigateOptions::default());
    }
}

fn address(action: &str, params: &str) -> String {
    let filled: Vec<&str> = params.split('&').filter(|pair| !pair.is_empty() && !pair.ends_with('=')).collect();
    if filled.is_empty() { action.to_owned() } else { format!("{action}?{}", filled.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_are_left_out() {
        assert_eq!(address("/books", "q=&category=&sort=title"), "/books?sort=title");
        assert_eq!(address("/books", "q="), "/books");
    }
}
