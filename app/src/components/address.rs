//! A delivery address, line by line.

use domain::address::Address;
use leptos::prelude::*;

pub fn address(address: Address) -> AnyView {
    let place = format!("{}, {} {}", address.city, address.state, address.postcode);
    let lines = [
        Some(address.name),
        Some(address.line1),
        address.line2,
        Some(place),
        Some(address.country),
        Some(address.phone),
    ];
    let lines = lines.into_iter().flatten().map(|line| view! { {line}<br/> });
    view! { <address class="address">{lines.collect_view()}</address> }.into_any()
}
