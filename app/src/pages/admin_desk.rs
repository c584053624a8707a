//! What stands around one order: why it is where it is, what was told, the ledger, and work of it. It looks again whenever the
//! order moves, and when what should happen next is due.

use crate::{
    call::{address, glance, read},
    components::{
        table::{Number, Text, table},
        thread::{knot, past, whole},
    },
    derived::Derived,
    effect::effect,
    html::{changing, html},
    live::use_live,
    when,
};
use domain::{
    UnixMillis,
    desk::{Movement, Next, Noted, OrderDesk, Parked, Waiting},
    order::OrderView,
};
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

/// Changes that come together are one look.
const TOGETHER: Duration = Duration::from_millis(300);
/// What is due may take a moment; so long after it, and so often, the page looks.
const LATER_MS: i64 = 2_000;

#[derive(Clone, Copy)]
pub struct Desk {
    pub data: RwSignal<OrderDesk>,
    order: Derived<OrderView>,
    is_due: StoredValue<bool>,
}

impl Desk {
    pub fn new(order: Derived<OrderView>, data: OrderDesk) -> Self {
        let desk = Self { data: RwSignal::new(data), order, is_due: StoredValue::new(false) };
        let mut is_first = true;
        effect(move || {
            order.with(|_| ());
            if !std::mem::take(&mut is_first) {
                desk.look_soon();
            }
        });
        desk
    }

    fn look_soon(self) {
        if self.is_due.try_get_value() != Some(false) {
            return;
        }
        self.is_due.set_value(true);
        let look = move || {
            if self.is_due.try_get_value().is_none() {
                return;
            }
            self.is_due.set_value(false);
            let id = self.order.with_untracked(|order| order.order_id.to_string());
            spawn_local(async move {
                let answer = glance(address("admin/orders/desk", &[("id", &id)])).await;
                if let Ok(desk) = answer.and_then(|text| read::<OrderDesk>(&text)) {
                    self.data.try_set(desk);
                }
            });
        };
        set_timeout(look, TOGETHER);
    }

    /// Why, and what comes next by itself.
    pub fn why(self) -> AnyView {
        let next = Derived::new(move || self.data.with(|desk| desk.next.clone()));
        html! {
            <section class="panel why" aria-labelledby="why-h">
                <h2 class="panel__title" id="why-h">"Where it stands"</h2>
                <p aria-live="polite">{move || self.data.with(|desk| desk.why.clone())}</p>
                {changing(move || next.get().map(|next| self.countdown(next)))}
            </section>
        }
    }

    fn countdown(self, next: Next) -> AnyView {
        let live = use_live();
        let now = RwSignal::new(self.data.with_untracked(|desk| desk.server_time));
        let at = next.at;
        let mut looked: Option<UnixMillis> = None;
        effect(move || live.learn_clock(self.data.with(|desk| desk.server_time)));
        effect(move || {
            let tick = move || {
                now.try_set(live.now());
            };
            let tick = set_interval_with_handle(tick, Duration::from_secs(1));
            if let Ok(tick) = tick {
                on_cleanup(move || tick.clear());
            }
        });
        effect(move || {
            let now = now.get();
            let last = looked.unwrap_or(at);
            if now.since(last) > LATER_MS {
                looked = Some(now);
                self.look_soon();
            }
        });
        let what = capitalised(&next.what);
        html! { <p class="muted"><span>{what}</span>" in "<span class="num">{move || when::countdown(at.since(now.get()))}</span></p> }
    }

    /// What happened, and between it what people of the shop noted.
    pub fn history(self) -> AnyView {
        changing(move || self.data.with(|desk| self.order.with(|order| history(order, &desk.notes))))
    }

    /// What the stock's ledger has of it.
    pub fn ledger(self) -> AnyView {
        let rows = move || self.data.with(|desk| desk.movements.iter().map(movement).collect::<Vec<_>>());
        changing(move || {
            self.data.with(|desk| !desk.movements.is_empty()).then(|| {
                html! {
                    <section class="panel" aria-labelledby="al-h">
                        <h2 class="panel__title" id="al-h">"Stock movements"</h2>
                        {table("Stock movements table", "", &[Text("Book"), Text("What"), Text("At"), Number("On hand"), Number("Reserved")], rows())}
                    </section>
                }
            })
        })
    }

    /// Work that waits, and work that was given up.
    pub fn work(self) -> AnyView {
        changing(move || {
            self.data.with(|desk| {
                let rows = desk.work.iter().map(waiting).chain(desk.letters.iter().map(parked)).collect::<Vec<_>>();
                (!rows.is_empty()).then(|| {
                    html! {
                        <section class="panel" aria-labelledby="aw-h">
                            <h2 class="panel__title" id="aw-h">"Work of this order"</h2>
                            <ul class="desk-list">{rows}</ul>
                        </section>
                    }
                })
            })
        })
    }
}

/// From the last note on: those before it stay where they belong.
fn history(order: &OrderView, notes: &[Noted]) -> AnyView {
    let mut knots = past(order);
    for note in notes.iter().rev() {
        let place = 1 + order.events.partition_point(|event| event.at <= note.at);
        let by = Some(note.by.clone());
        knots.insert(place, knot("note", "Noted in the shop.", Some(note.at), Some(note.text.clone()), by));
    }
    whole(order, knots)
}

fn movement(movement: &Movement) -> AnyView {
    let signed = |count: i32| if count > 0 { format!("+{count}") } else { count.to_string() };
    html! {
        <tr>
            <th scope="row">{movement.title.clone()}</th>
            <td>{capitalised(&movement.kind)}</td>
            <td class="nowrap">{when::short(movement.at)}</td>
            <td class="num">{signed(movement.on_hand)}</td>
            <td class="num">{signed(movement.reserved)}</td>
        </tr>
    }
}

fn waiting(work: &Waiting) -> AnyView {
    let tries = (work.attempts > 0).then(|| format!(", tried {}", times(work.attempts)));
    let error = work.error.clone().map(|error| html! { <p class="small">{error}</p> });
    html! {
        <li>
            <p>{work.what.clone()}</p>
            <p class="small muted">{format!("Due {}{}", when::moment(work.due_at), tries.unwrap_or_default())}</p>
            {error}
        </li>
    }
}

fn parked(letter: &Parked) -> AnyView {
    let said =
        format!("Given up {}, tried {}: dead letter {}", when::moment(letter.at), times(letter.attempts), letter.id);
    html! {
        <li>
            <p>{letter.what.clone()}</p>
            <p class="small muted">{said}</p>
            <p class="small">{letter.error.clone()}</p>
        </li>
    }
}

fn times(count: i32) -> String {
    domain::words::counted(count.unsigned_abs().into(), "time", "times")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    first + letters.as_str()
}
