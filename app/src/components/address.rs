//! A delivery address, line by line.

use crate::html::html;
use domain::address::Address;
use leptos::prelude::*;

pub fn address(address: Address) -> AnyView {
    let lines = address.lines().into_iter().map(|line| html! { {line}<br/> });
    html! { <address class="address">{lines.collect::<Vec<_>>()}</address> }
}
