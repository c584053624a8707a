//! What payment providers said that does not fit the shop's books; nothing when there is nothing.

use crate::{call::address, components::loaded::loaded, html::html, when};
use domain::payment::{Quarantined, provider_title};
use leptos::prelude::*;

/// All of it, or what names this order.
pub fn quarantine(order: Option<String>) -> AnyView {
    let order = order.unwrap_or_default();
    loaded(move || address("admin/payments/quarantined", &[("order_id", &order)]), panel)
}

fn panel(events: Vec<Quarantined>) -> AnyView {
    if events.is_empty() {
        return ().into_any();
    }
    let rows = events.into_iter().map(row).collect::<Vec<_>>();
    html! {
        <section class="panel" aria-labelledby="aq-h">
            <h2 class="panel__title" id="aq-h">"Payments to look at"</h2>
            <p class="muted">"A provider said something that does not fit our books. It was kept apart, and no order was paid by it."</p>
            <div class="table-scroll" tabindex="0" role="region" aria-label="Payments to look at">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"What is wrong"</th><th scope="col">"Provider"</th><th scope="col">"Event"</th>
                            <th scope="col">"Order"</th><th scope="col">"At"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}

fn row(event: Quarantined) -> AnyView {
    let order = event.order_id.zip(event.number).map(|(id, number)| {
        html! { <a class="table__link" href=format!("/admin/orders/{id}")>{number}</a> }
    });
    html! {
        <tr>
            <th scope="row">{event.why}</th>
            <td>{provider_title(&event.provider).to_owned()}</td>
            <td>{event.kind}</td>
            <td class="nowrap">{order}</td>
            <td class="nowrap">{when::short(event.received_at)}</td>
        </tr>
    }
}
