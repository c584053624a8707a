//! Health and truth: the servers, the checks of the shop's promises, and where gate and ledger differ; asked for again
//! every other second.

use super::admin_orders::only_for;
use crate::{
    call::{Post, PostForm},
    components::{
        admin_nav::AdminPage,
        fresh::{EVERY, Fresh},
        icon::icon,
        loaded::loaded,
        notice::refusal,
        table::{Heard, Number, Text, table},
    },
    html::{changing, html},
    shop::use_shop,
    when,
};
use domain::{
    Permission,
    health::{DriftView, HealthView, PartView, RunKind, RunView, Section},
};
use leptos::prelude::*;

const ADDRESS: &str = "admin/health";

#[component]
pub fn AdminHealthPage() -> impl IntoView {
    if let Err(other) = only_for(Permission::ReadWork, use_shop(), "/admin/health") {
        return other;
    }
    loaded(|| ADDRESS.to_owned(), show)
}

/// The forms of the page.
#[derive(Clone, Copy)]
struct Tools {
    run: Post,
    repair: Post,
    may_run: bool,
}

fn show(view: HealthView) -> AnyView {
    let tools =
        Tools { run: Post::new("admin/health/run"), repair: Post::new("admin/health/repair"), may_run: view.may_run };
    let fresh = Fresh::new(view, ADDRESS.to_owned(), EVERY * 2);
    for post in [tools.run, tools.repair] {
        post.on_success(move |now: HealthView| fresh.set(now));
    }
    let parts = fresh.part(|view| view.parts.clone());
    let runs = fresh.part(|view| view.runs.clone());
    let drift = fresh.part(|view| view.drift.clone());
    html! {
        <AdminPage title="Health">
            <header class="page-head"><h1>"Health"</h1></header>
            {refusal(fresh.trouble())}{refusal(tools.run.error())}{refusal(tools.repair.error())}
            <div class="admin-health">{changing(move || parts.with(|parts| parts.iter().map(part).collect::<Vec<_>>()))}</div>
            {changing(move || drift.with(|drift| tools.drift(drift)))}
            <section class="panel" aria-labelledby="ah-r">
                <h2 class="panel__title" id="ah-r">"Checks and repairs"</h2>
                <p class="muted">"A worker does one at a time; this page shows what it finds."</p>
                {changing(move || runs.with(|runs| tools.runs(runs)))}
            </section>
        </AdminPage>
    }
}

/// Well or not, in icon, word and colour.
fn verdict(is_good: bool, good: &'static str, bad: &'static str) -> AnyView {
    let (slug, mark, word) = if is_good { ("paid", "check", good) } else { ("failed", "alert", bad) };
    html! { <span class=format!("status status--{slug}")>{icon(mark)}{word}</span> }
}

fn part(part: &PartView) -> AnyView {
    let facts = part.facts.iter().map(|(name, value)| html! { <dt>{name.clone()}</dt><dd>{value.clone()}</dd> });
    let problems = part.problems.iter().map(|problem| html! { <p class="admin-work__bad">{problem.clone()}</p> });
    let (facts, problems) = (facts.collect::<Vec<_>>(), problems.collect::<Vec<_>>());
    html! {
        <section class="panel" aria-label=part.title.clone()>
            <div class="admin-health__head">
                <h2 class="panel__title">{part.title.clone()}</h2>{verdict(part.problems.is_empty(), "Well", "Look at it")}
            </div>
            {problems}
            <dl class="facts">{facts}</dl>
        </section>
    }
}

impl Tools {
    /// Nothing when gate and ledger agree.
    fn drift(self, drift: &[DriftView]) -> Option<AnyView> {
        if drift.is_empty() {
            return None;
        }
        let rows = drift.iter().map(|one| self.drift_row(one)).collect::<Vec<_>>();
        Some(html! {
            <section class="panel" aria-labelledby="ah-d">
                <h2 class="panel__title" id="ah-d">"Books on which gate and ledger differ"</h2>
                <p class="muted">"A repair counts the book with its row locked and sets the gate to what the ledger says. Orders are not touched."</p>
                {table("Books that differ, table", "", &[Text("Book"), Number("At the gate"), Number("In the ledger"), Number("Under way"), Number("Should be"), Heard("Action")], rows)}
            </section>
        })
    }

    fn drift_row(self, drift: &DriftView) -> AnyView {
        let (book, to, label) = (drift.book_id.to_string(), self.repair, format!("Repair {}", drift.title));
        let button = self.may_run.then(|| {
            html! {
                <PostForm to=to>
                    <input type="hidden" name="book_id" value=book/>
                    <button class="button button--quiet" aria-label=label aria-busy=move || to.busy()>"Repair"</button>
                </PostForm>
            }
        });
        html! {
            <tr>
                <th scope="row">{drift.title.clone()}<p class="small muted">{format!("Book {}", drift.book_id)}</p></th>
                <td class="num">{drift.at_gate}</td>
                <td class="num">{drift.ledger}</td>
                <td class="num">{drift.in_flight}</td>
                <td class="num">{drift.expected()}</td>
                <td>{button}</td>
            </tr>
        }
    }

    fn runs(self, runs: &[RunView]) -> Vec<AnyView> {
        let is_busy = runs.iter().any(|run| run.finished_at.is_none());
        RunKind::ALL.into_iter().map(|kind| self.run(kind, runs.iter().find(|run| run.kind == kind), is_busy)).collect()
    }

    fn run(self, kind: RunKind, run: Option<&RunView>, is_busy: bool) -> AnyView {
        let to = self.run;
        let button = (self.may_run && !is_busy).then(|| {
            html! {
                <PostForm to=to>
                    <input type="hidden" name="kind" value=kind.as_str()/>
                    <button class="button" aria-label=format!("Run now: {}", kind.title()) aria-busy=move || to.busy()>"Run now"</button>
                </PostForm>
            }
        });
        let sections = run
            .and_then(|run| run.report.as_ref())
            .map(|report| report.sections.iter().map(section).collect::<Vec<_>>());
        html! {
            <article class="admin-health__run" aria-label=kind.title()>
                <div class="admin-health__head">
                    <h3>{kind.title()}</h3>{run.and_then(state)}{button}
                </div>
                <p class="muted">{kind.about()}</p>
                <p class="small muted">{run.map(when_and_who)}</p>
                {run.and_then(|run| run.error.clone()).map(|error| html! { <p class="admin-work__bad">{error}</p> })}
                {sections}
            </article>
        }
    }
}

fn state(run: &RunView) -> Option<AnyView> {
    if run.finished_at.is_none() {
        return Some(
            html! { <span class="status status--pending" role="status">{icon("hourglass")}"Under way"</span> },
        );
    }
    let is_good = run.report.as_ref().is_some_and(domain::health::Report::is_good);
    Some(verdict(is_good, "All is well", "Not all is well"))
}

fn when_and_who(run: &RunView) -> String {
    let by = run.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let took =
        run.started_at.zip(run.finished_at).map(|(began, ended)| format!(", took {}", when::span(ended.since(began))));
    format!("Asked for {}{by}{}", when::moment(run.asked_at), took.unwrap_or_default())
}

fn section(section: &Section) -> AnyView {
    let figures: Vec<String> = section.figures.iter().map(|(what, figure)| format!("{figure} {what}")).collect();
    let lines = section.lines.iter().map(|line| html! { <li>{line.clone()}</li> }).collect::<Vec<_>>();
    let lines = (!lines.is_empty()).then(|| html! { <ul class="admin-health__lines">{lines}</ul> });
    html! {
        <div class="admin-health__section">
            <p>{verdict(section.is_good, "Holds", "Broken")}" "<strong>{section.title.clone()}</strong></p>
            <p class="small muted">{figures.join(" · ")}</p>
            {lines}
        </div>
    }
}
