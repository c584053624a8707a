//! A delivery address, line by line.

use crate::html::html;
use domain::address::Address;
use leptos::prelude::*;

/// Where the shop delivers: code and name. A longer list comes with more couriers.
pub const COUNTRIES: [(&str, &str); 1] = [("IN", "India")];

pub fn address(address: Address) -> AnyView {
    let place = format!("{}, {} {}", address.city, address.state, address.postcode);
    let country = COUNTRIES.iter().find(|(code, _)| *code == address.country).map(|(_, name)| (*name).to_owned());
    let country = country.unwrap_or(address.country);
    let lines =
        [Some(address.name), Some(address.line1), address.line2, Some(place), Some(country), Some(address.phone)];
    let lines = lines.into_iter().flatten().map(|line| html! { {line}<br/> });
    html! { <address class="address">{lines.collect::<Vec<_>>()}</address> }
}
