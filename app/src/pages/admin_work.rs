//! The work behind the shop: dead letters, what is stuck, queues with their workers, and schedules; asked for again every
//! second.

use super::{admin_orders::only_for, admin_work_queues as queues};
use crate::{
    api::work::TriedAgain,
    call::{Post, PostForm, address},
    components::{
        admin_nav::AdminPage,
        fresh::{EVERY, Fresh},
        icon::icon,
        loaded::loaded,
        notice::{Tone, notice, refusal},
        table::{Heard, Number, Text, table},
    },
    derived::Derived,
    html::{changing, html},
    shop::use_shop,
    when,
};
use domain::{
    Permission,
    words::counted,
    work::{LetterRow, LettersPage, StuckView, WorkPage},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn AdminWorkPage() -> impl IntoView {
    if let Err(other) = only_for(Permission::ReadWork, use_shop(), "/admin/work") {
        return other;
    }
    let query = use_query_map();
    let wanted = Derived::new(move || {
        let text = |name: &str| query.with(|query| query.get(name)).unwrap_or_default();
        address("admin/work", &[("source", &text("source")), ("before", &text("before"))])
    });
    loaded(move || wanted.get(), move |page| show(page, wanted.get_untracked()))
}

/// The page, and the forms on it.
#[derive(Clone, Copy)]
struct Desk {
    fresh: Fresh<WorkPage>,
    retry: Post,
    retry_all: Post,
    free: Post,
    tried: RwSignal<Option<TriedAgain>>,
    may_run: bool,
}

fn show(page: WorkPage, address: String) -> AnyView {
    let may_run = page.may_run;
    let fresh = Fresh::new(page, address, EVERY);
    let tried = RwSignal::new(None);
    let [retry, free, run] = ["admin/work/retry", "admin/work/free", "admin/work/run"].map(Post::new);
    let retry_all = Post::new("admin/work/retry_all");
    retry.on_success(move |_: domain::work::LetterView| fresh.ask());
    free.on_success(move |(): ()| fresh.ask());
    run.on_success(move |(): ()| fresh.ask());
    retry_all.on_success(move |all: TriedAgain| {
        tried.set(Some(all));
        fresh.ask();
    });
    let desk = Desk { fresh, retry, retry_all, free, tried, may_run };
    let processes = fresh.part(|page| page.work.processes);
    let sources = fresh.part(|page| page.work.sources.clone());
    let schedules = fresh.part(|page| page.work.schedules.clone());
    let refusals = [refusal(fresh.trouble()), refusal(retry.error()), refusal(retry_all.error())];
    let more_refusals = [refusal(free.error()), refusal(run.error())];
    html! {
        <AdminPage title="Work">
            <header class="page-head"><h1>"Work"</h1></header>
            {Vec::from(refusals)}{Vec::from(more_refusals)}
            {changing(move || nobody(processes.get()))}
            {desk.letters()}
            {desk.stuck()}
            <section class="panel" aria-labelledby="aw-q">
                <h2 class="panel__title" id="aw-q">"Queues and workers"</h2>
                <p class="muted">{move || at_work(processes.get())}</p>
                {queues::sources(sources)}
            </section>
            <section class="panel" aria-labelledby="aw-s">
                <h2 class="panel__title" id="aw-s">"By the clock"</h2>
                {queues::schedules(schedules, run, may_run)}
            </section>
        </AdminPage>
    }
}

fn at_work(processes: u32) -> String {
    format!("{} at work.", counted(processes.into(), "process is", "processes are"))
}

fn nobody(processes: u32) -> Option<AnyView> {
    let words = "Nothing is lost: work waits until a process runs with workers (bazar all, or bazar worker).";
    (processes == 0).then(|| notice(Tone::Warn, "No worker was heard of for a while.", html! { <p>{words}</p> }))
}

impl Desk {
    fn letters(self) -> AnyView {
        let letters = self.fresh.part(|page| page.letters.clone());
        let total = self.fresh.part(|page| page.letters.counts.iter().map(|(_, count)| count).sum::<i64>());
        html! {
            <section class="panel" aria-labelledby="aw-l">
                <h2 class="panel__title" id="aw-l">"Dead letters"</h2>
                <p class="muted" role="status">{move || given_up(total.get())}</p>
                {changing(move || self.tried.get().map(tried))}
                {changing(move || letters.with(kinds))}
                {changing(move || letters.with(|letters| self.all_again(letters)))}
                {changing(move || letters.with(|letters| self.table(letters)))}
                {changing(move || letters.with(pages))}
            </section>
        }
    }

    fn all_again(self, letters: &LettersPage) -> Option<AnyView> {
        let (source, to) = (letters.source.clone(), self.retry_all);
        let is_offered = self.may_run && !source.is_empty() && source != "placed" && !letters.letters.is_empty();
        is_offered.then(|| {
            let words = format!(" Try all of {} again", kind(&source));
            html! {
                <PostForm to=to class="admin-work__all">
                    <input type="hidden" name="source" value=source/>
                    <button class="button" aria-busy=move || to.busy()>{icon("refund")}{words}</button>
                </PostForm>
            }
        })
    }

    fn table(self, letters: &LettersPage) -> Option<AnyView> {
        if letters.letters.is_empty() {
            return None;
        }
        let rows = letters.letters.iter().map(|letter| self.row(letter)).collect::<Vec<_>>();
        Some(table(
            "Dead letters, table",
            "",
            &[
                Text("Letter"),
                Text("Error"),
                Number("Attempts"),
                Text("First failure"),
                Text("Last failure"),
                Heard("Action"),
            ],
            rows,
        ))
    }

    fn row(self, letter: &LetterRow) -> AnyView {
        let (id, to) = (letter.id.to_string(), self.retry);
        let name = format!("{} {id}", kind(&letter.source));
        let may_retry = self.may_run && letter.source != "placed";
        let label = format!("Try letter {id} again");
        let again = may_retry.then(|| {
            let id = id.clone();
            html! {
                <PostForm to=to>
                    <input type="hidden" name="id" value=id/>
                    <button class="link-button" aria-label=label aria-busy=move || to.busy()>"Try again"</button>
                </PostForm>
            }
        });
        html! {
            <tr>
                <th scope="row">
                    <a class="table__link" href=format!("/admin/work/letters/{id}")>{name}</a>
                    <p class="small muted admin-work__key">{letter.key.clone()}</p>
                </th>
                <td class="admin-work__error">{letter.error.clone()}</td>
                <td class="num">{letter.attempts}</td>
                <td class="nowrap">{letter.first_failed_at.map(when::short)}</td>
                <td class="nowrap">{when::short(letter.last_failed_at.unwrap_or(letter.parked_at))}</td>
                <td>{again}</td>
            </tr>
        }
    }

    /// Nothing when nothing is stuck.
    fn stuck(self) -> AnyView {
        let stuck = self.fresh.part(|page| (page.work.stuck.clone(), page.work.more_stuck));
        changing(move || {
            stuck.with(|(stuck, has_more)| {
                if stuck.is_empty() {
                    return None;
                }
                let rows = stuck.iter().map(|piece| self.stuck_row(piece)).collect::<Vec<_>>();
                let more = has_more.then(|| html! { <p class="muted">"There are more; the worst come first."</p> });
                Some(html! {
                    <section class="panel" aria-labelledby="aw-f">
                        <h2 class="panel__title" id="aw-f">"Failing or stuck"</h2>
                        <p class="muted">"It is tried again by itself, and goes to the dead letters after ten attempts."</p>
                        {table("Failing or stuck work, table", "", &[Text("Work"), Text("Error"), Number("Attempts"), Number("Lost with"), Text("Next"), Heard("Action")], rows)}
                        {more}
                    </section>
                })
            })
        })
    }

    fn stuck_row(self, piece: &StuckView) -> AnyView {
        let (source, key, to) = (piece.source.clone(), piece.key.clone(), self.free);
        let label = format!("Try {} now", piece.title);
        let free = self.may_run.then(|| {
            html! {
                <PostForm to=to>
                    <input type="hidden" name="source" value=source/>
                    <input type="hidden" name="key" value=key/>
                    <button class="link-button" aria-label=label aria-busy=move || to.busy()>"Try now"</button>
                </PostForm>
            }
        });
        html! {
            <tr>
                <th scope="row" class="admin-work__key">{piece.title.clone()}</th>
                <td class="admin-work__error">{piece.error.clone()}</td>
                <td class="num">{piece.attempts}</td>
                <td class="num">{piece.leases}</td>
                <td class="nowrap">{piece.next_at.map(when::moment)}</td>
                <td>{free}</td>
            </tr>
        }
    }
}

/// What a source is called.
pub fn kind(source: &str) -> &str {
    match source {
        "outbox" => "Outbox",
        "gate_ops" => "Gate operations",
        "placed" => "Accepted orders",
        "cart" => "Carts",
        "sandbox_events" => "Sandbox webhooks",
        "webhook_inbox" => "Webhooks",
        "expiry" => "Expiries",
        other => other,
    }
}

fn given_up(total: i64) -> String {
    match u64::try_from(total) {
        Ok(0) | Err(_) => {
            "Nothing was given up. What fails ten times is kept here, with all that belongs to it.".to_owned()
        }
        Ok(total) => {
            let waiting = counted(total, "piece of work waits", "pieces of work wait");
            format!("{waiting} for somebody, after ten attempts.")
        }
    }
}

fn tried(all: TriedAgain) -> AnyView {
    let words = format!("{} tried again.", counted(all.retried, "letter is", "letters are"));
    let failed = (all.failed > 0).then(|| {
        html! { <p>{format!("{} could not be; the log says why.", counted(all.failed, "letter", "letters"))}</p> }
    });
    notice(if all.failed > 0 { Tone::Warn } else { Tone::Good }, words, failed)
}

/// Links to the letters of one source.
fn kinds(letters: &LettersPage) -> Option<AnyView> {
    if letters.counts.is_empty() {
        return None;
    }
    let total: i64 = letters.counts.iter().map(|(_, count)| count).sum();
    let all = [(String::new(), total)];
    let links = all.iter().chain(&letters.counts).map(|(source, count)| {
        let name = if source.is_empty() { "All" } else { kind(source) };
        let current = (*source == letters.source).then_some("true");
        let words = format!("{name} ({count})");
        html! { <li><a class="admin-choice" href=address("/admin/work", &[("source", source)]) aria-current=current>{words}</a></li> }
    });
    let links = links.collect::<Vec<_>>();
    Some(html! { <ul class="admin-choices" aria-label="Kinds of letters">{links}</ul> })
}

fn pages(letters: &LettersPage) -> Option<AnyView> {
    let to = |before: &str| address("/admin/work", &[("source", &letters.source), ("before", before)]);
    let newest = letters.before.map(|_| {
        html! { <li><a class="pagination__link" rel="prev" href=to("")>{icon("left")}" Newest"</a></li> }
    });
    let older = letters.next.map(|next| {
        html! { <li><a class="pagination__link" rel="next" href=to(&next.to_string())>"Older "{icon("right")}</a></li> }
    });
    (newest.is_some() || older.is_some()).then(|| {
        html! {
            <nav class="pagination" aria-label="Pages of dead letters">
                <ul class="pagination__list">{newest}{older}</ul>
            </nav>
        }
    })
}
