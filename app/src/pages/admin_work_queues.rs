//! The tables of the page about work that only grow and shrink: queues with their workers, and schedules.

use crate::{
    call::{Post, PostForm},
    components::{
        icon::icon,
        table::{Heard, Number, Text, table},
    },
    derived::Derived,
    html::{changing, html},
    when,
};
use domain::work::{Pace, ScheduleView, SourceView};
use leptos::prelude::*;

pub fn sources(sources: Derived<Vec<SourceView>>) -> AnyView {
    let rows = move || sources.with(|sources| sources.iter().map(source).collect::<Vec<_>>());
    table(
        "Queues and workers, table",
        "",
        &[
            Text("Work"),
            Text("Worker"),
            Number("Waiting"),
            Number("Late by"),
            Number("Done a minute"),
            Text("Last error"),
        ],
        changing(rows),
    )
}

fn source(source: &SourceView) -> AnyView {
    let waiting = source.waiting.map_or_else(|| "–".to_owned(), |waiting| waiting.to_string());
    let late = (source.late_ms >= 1000).then(|| when::span(source.late_ms));
    let failed = (source.failed_per_minute > 0).then(|| format!(", {} failed", source.failed_per_minute));
    let error = source.error.as_ref().map(|said| {
        let at = said.at.map(|at| html! { <span class="muted">{when::short(at)}": "</span> });
        html! { {at}{said.text.clone()} }
    });
    html! {
        <tr>
            <th scope="row">{source.title.clone()}<p class="small muted">{source.name.clone()}</p></th>
            <td>{pace(source.pace)}</td>
            <td class="num">{waiting}</td>
            <td class="num nowrap">{late}</td>
            <td class="num">{source.per_minute}{failed}</td>
            <td class="admin-work__error">{error}</td>
        </tr>
    }
}

/// Icon, word and colour, as orders have them.
fn pace(pace: Pace) -> AnyView {
    let (slug, mark, word) = match pace {
        Pace::Well => ("paid", "check", "Well"),
        Pace::Behind => ("pending", "hourglass", "Behind"),
        Pace::Long => ("pending", "clock", "Long at it"),
        Pace::Silent => ("failed", "alert", "Not heard of"),
    };
    html! { <span class=format!("status status--{slug}")>{icon(mark)}{word}</span> }
}

pub fn schedules(schedules: Derived<Vec<ScheduleView>>, run: Post, may_run: bool) -> AnyView {
    let rows =
        move || schedules.with(|schedules| schedules.iter().map(|one| schedule(one, run, may_run)).collect::<Vec<_>>());
    table(
        "Schedules, table",
        "",
        &[Text("What"), Text("When"), Text("Last turn"), Text("Next turn"), Text("What it found"), Heard("Action")],
        changing(rows),
    )
}

fn schedule(schedule: &ScheduleView, run: Post, may_run: bool) -> AnyView {
    let (name, label) = (schedule.name.clone(), format!("Run “{}” now", schedule.title));
    let button = (may_run && !schedule.is_running).then(|| {
        html! {
            <PostForm to=run>
                <input type="hidden" name="name" value=name/>
                <button class="link-button" aria-label=label aria-busy=move || run.busy()>"Run now"</button>
            </PostForm>
        }
    });
    let last = match (schedule.is_running, schedule.last_finished_at) {
        (true, _) => "running now".to_owned(),
        (false, Some(at)) => when::short(at),
        (false, None) => "not yet".to_owned(),
    };
    let found = match &schedule.last_error {
        Some(error) => html! { <span class="admin-work__bad">{icon("alert")}" "{error.clone()}</span> },
        None => {
            let said: Vec<String> = schedule.report.iter().map(|(what, figure)| format!("{what} {figure}")).collect();
            html! { <span>{said.join(", ")}</span> }
        }
    };
    html! {
        <tr>
            <th scope="row">{schedule.title.clone()}<p class="small muted">{schedule.name.clone()}</p></th>
            <td>{schedule.every.clone()}</td>
            <td class="nowrap">{last}</td>
            <td class="nowrap">{schedule.next_at.map(when::short)}</td>
            <td class="admin-work__error">{found}</td>
            <td>{button}</td>
        </tr>
    }
}
