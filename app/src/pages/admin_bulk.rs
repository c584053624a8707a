//! Several orders of the board at once: which ones, what is to become of them, and what became of each.

use crate::{
    call::{Post, PostForm},
    components::{
        asked::{Yes, asked as ask},
        form::Input,
        icon::icon,
        notice::{Tone, notice, refusal},
    },
    derived::Derived,
    html::{changing, html},
    shop::use_shop,
};
use domain::{
    ApiError, ErrorCode, OrderId, Permission,
    desk::{Board, BulkDone, BulkResult, BulkStep},
};
use leptos::prelude::*;

#[derive(Clone, Copy)]
pub struct Bulk {
    post: Post,
    chosen: RwSignal<Vec<OrderId>>,
    results: RwSignal<Vec<BulkResult>>,
}

impl Bulk {
    pub fn new() -> Self {
        Self { post: Post::new("admin/orders/bulk"), chosen: RwSignal::default(), results: RwSignal::default() }
    }

    pub fn on_done(self, then: impl Fn() + 'static) {
        self.post.on_success(move |done: BulkDone| {
            self.chosen.set(Vec::new());
            self.results.set(done.results);
            then();
        });
    }

    /// The box before one order.
    pub fn tick(self, order: OrderId, number: &str) -> AnyView {
        let is_chosen = move || self.chosen.with(|chosen| chosen.contains(&order));
        let change = move |_| {
            self.chosen.update(|chosen| match chosen.iter().position(|known| *known == order) {
                Some(at) => {
                    chosen.swap_remove(at);
                }
                None => chosen.push(order),
            });
        };
        html! {
            <label class="board__tick">
                <input type="checkbox" name="orders[]" value=order.to_string() prop:checked=is_chosen on:change=change/>
                <span class="visually-hidden">{format!("Choose {number}")}</span>
            </label>
        }
    }

    /// The box above all of them.
    pub fn all(self, board: RwSignal<Board>) -> AnyView {
        let shown = move || board.with(|board| board.orders.iter().map(|row| row.order.order_id).collect::<Vec<_>>());
        let are_chosen = move || {
            let shown = shown();
            !shown.is_empty() && self.chosen.with(|chosen| shown.iter().all(|order| chosen.contains(order)))
        };
        let change = move |_| self.chosen.set(if untrack(are_chosen) { Vec::new() } else { untrack(shown) });
        html! {
            <label class="board__tick needs-scripts">
                <input type="checkbox" prop:checked=are_chosen on:change=change/>
                <span class="visually-hidden">"Choose all of this page"</span>
            </label>
        }
    }

    /// The form around the table.
    pub fn view(self, table: AnyView) -> AnyView {
        let shop = use_shop();
        let steps = BulkStep::ALL.into_iter().filter(|step| {
            shop.may(if *step == BulkStep::Cancel { Permission::ServeOrders } else { Permission::ShipOrders })
        });
        let steps: Vec<_> = steps.map(|step| (step.as_str().to_owned(), step.label().to_owned())).collect();
        if steps.is_empty() {
            return table;
        }
        let error = self.post.error();
        let asked = Derived::new(move || error().filter(|error| error.code == ErrorCode::NeedsConfirmation));
        let refused = move || error().filter(|error| error.code != ErrorCode::NeedsConfirmation);
        let count = move || match self.chosen.with(Vec::len) {
            0 => "Choose orders below, and what becomes of them.".to_owned(),
            count => format!("{} chosen", domain::words::counted(count as u64, "order", "orders")),
        };
        html! {
            <PostForm to=self.post>
                <details class="board__bulk" open=untrack(error).is_some()>
                    <summary>"Several at once"</summary>
                    {refusal(refused)}
                    <p class="muted" aria-live="polite">{count}</p>
                    <input type="hidden" name="ask" value="true"/>
                    <div class="admin-filters">{self.fields(steps)}</div>
                    {changing(move || asked.get().map_or_else(|| self.button(), |asked| self.ask(asked)))}
                </details>
                {changing(move || self.said())}
                {table}
            </PostForm>
        }
    }

    fn fields(self, steps: Vec<(String, String)>) -> Vec<AnyView> {
        let input = |name: &str, label: &str, help: Option<&str>| Input {
            name: name.to_owned(),
            label: label.to_owned(),
            kind: "text".to_owned(),
            autocomplete: "off".to_owned(),
            help: help.map(str::to_owned),
            is_asked_later: true,
            is_half: true,
            ..Input::default()
        };
        let step = Input { kind: "select".to_owned(), choices: steps, ..input("step", "What", None) };
        let carrier = input("carrier", "Carrier", Some("To hand them over."));
        let reason = input("reason", "Reason", Some("To cancel; the shoppers read it."));
        [step, carrier, reason].map(|input| input.view(self.post)).into()
    }

    fn button(self) -> AnyView {
        html! { <button class="button" aria-busy=move || self.post.busy()>"Do it"</button> }
    }

    /// The question; without scripts the boxes of the page are empty again, so what was chosen comes along.
    fn ask(self, asked: ApiError) -> AnyView {
        let sent = asked.fields.get("chosen").cloned();
        let chosen = move || sent.clone().filter(|_| self.chosen.with(Vec::is_empty));
        let also = html! { <input type="hidden" name="chosen" value=chosen/> };
        let yes = Yes { label: "Yes, do it", icon: "check", id: "bulk-asked", back: "/admin/orders".to_owned() };
        ask(self.post, asked, yes, also)
    }

    /// What became of each.
    fn said(self) -> Option<AnyView> {
        let results = self.results.get();
        let failed = results.iter().filter(|result| !result.is_done).count();
        let (tone, title) = match (results.len(), failed) {
            (0, _) => return None,
            (all, 0) => (Tone::Good, format!("Done with {}.", domain::words::counted(all as u64, "order", "orders"))),
            (all, failed) => (Tone::Warn, format!("{} of {all} went on; {failed} did not.", all - failed)),
        };
        let rows = results.into_iter().map(|result| {
            let mark = icon(if result.is_done { "check" } else { "alert" });
            let href = format!("/admin/orders/{}", result.order_id);
            html! { <li>{mark}" "<a href=href>{result.number}</a>{format!(": {}", result.said)}</li> }
        });
        Some(notice(tone, title, html! { <ul class="board__results">{rows.collect::<Vec<_>>()}</ul> }))
    }
}
