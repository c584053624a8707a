//! The parcel of an order: who carries it, and under which number.

use crate::{html::html, when};
use domain::order::Shipment;
use leptos::prelude::*;

/// Nothing before the parcel is with its carrier.
pub fn parcel(shipment: &Shipment) -> Option<AnyView> {
    let sent_at = shipment.shipped_at?;
    let carrier = shipment.carrier.clone().unwrap_or_default();
    let tracking = shipment.tracking.clone().map(|number| {
        html! { <dt>"Tracking number"</dt><dd><span class="nowrap">{number}</span></dd> }
    });
    let arrived = shipment.delivered_at.map(|at| html! { <dt>"Arrived"</dt><dd>{when::moment(at)}</dd> });
    Some(html! {
        <section class="panel" aria-labelledby="parcel-h">
            <h2 class="panel__title" id="parcel-h">"Parcel"</h2>
            <dl class="facts">
                <dt>"Carrier"</dt><dd>{carrier}</dd>
                {tracking}
                <dt>"Sent"</dt><dd>{when::moment(sent_at)}</dd>
                {arrived}
            </dl>
        </section>
    })
}
