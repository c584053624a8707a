//! One file of books: what an import of it would do, how far it is, and what it did.

use super::{admin_files::state, admin_orders::only_for};
use crate::{
    call::{Post, PostForm, address, glance, read},
    components::{
        admin_nav::AdminPage,
        icon::icon,
        loaded::loaded,
        notice::{Tone, notice, refusal},
    },
    derived::Derived,
    effect::effect,
    html::{changing, html},
    shop::use_shop,
    when,
};
use domain::{
    Minor, Permission,
    catalog::desk::{BookFile, Fault, FileState, KeptCopies, Outcome, Preview, PreviewRow},
    words::{counted, number},
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_params_map;
use std::time::Duration;

/// How often a file that is being imported is looked at.
const LOOK: Duration = Duration::from_secs(1);

#[component]
pub fn AdminFilePage() -> impl IntoView {
    let params = use_params_map();
    let id = Derived::new(move || params.with(|params| params.get("id")).unwrap_or_default());
    let here = format!("/admin/books/files/{}", id.get_untracked());
    if let Err(other) = only_for(Permission::EditCatalogue, use_shop(), &here) {
        return other;
    }
    loaded(move || id.with(|id| address_of(id)), show)
}

fn address_of(id: &str) -> String {
    address("admin/files/get", &[("id", id)])
}

fn show(file: BookFile) -> AnyView {
    let (title, id) = (file.name.clone(), file.id.clone());
    let facts = format!("{}, {}", counted(file.preview.lines, "line", "lines"), size(file.size));
    let (name, at, by) = (file.name.clone(), when::moment(file.uploaded_at), file.by.clone());
    let preview = preview(&file.preview);
    let file = RwSignal::new(file);
    follow(file);
    let stands = Derived::new(move || file.with(|file| file.state));
    let ask = move || ask(file, stands.get(), &id);
    html! {
        <AdminPage title=title>
            <header class="page-head">
                <a class="page-head__back" href="/admin/books/files">{icon("left")}" Files"</a>
                <div class="admin-order__head"><h1>{name}</h1>{move || state(stands.get())}</div>
                <p class="muted">{facts}", handed in "{at}{by.map(|by| format!(" by {by}"))}</p>
            </header>
            <div aria-live="polite">{changing(move || file.with(progress))}{changing(ask)}</div>
            {preview}
        </AdminPage>
    }
}

/// While it is being imported, the page asks how far it is.
fn follow(file: RwSignal<BookFile>) {
    effect(move || {
        let Some(id) = file.with(|file| (file.state == FileState::Wanted).then(|| file.id.clone())) else { return };
        let ask = async move {
            match glance(address_of(&id)).await.and_then(|text| read::<BookFile>(&text)) {
                Ok(news) => drop(file.try_set(news)),
                // The shop is away for a moment: the next look may find it.
                Err(_) => drop(file.try_update(|_| {})),
            }
        };
        set_timeout(move || spawn_local(ask), LOOK);
    });
}

fn progress(file: &BookFile) -> AnyView {
    match (file.state, &file.outcome) {
        (FileState::Wanted, _) => {
            let (done, all) = (file.lines_done.max(0).unsigned_abs(), file.preview.lines);
            html! {
                <div class="desk-progress">
                    <label for="import-progress">{format!("{} of {} lines", number(done), number(all))}</label>
                    <progress id="import-progress" max=all.to_string() value=done.to_string()></progress>
                    <p class="small muted">
                        "It goes on when you leave this page. "
                        <a href=format!("/admin/books/files/{}", file.id) rel="external">"Look again"</a>
                    </p>
                </div>
            }
        }
        (FileState::Done, Some(outcome)) => done(outcome),
        (FileState::Refused, Some(outcome)) => {
            let why = outcome.trouble.clone().unwrap_or_else(|| {
                "Lines that were good before cannot be taken any more. Nothing was imported.".to_owned()
            });
            html! { {notice(Tone::Bad, why, ())}{faults(&outcome.faults, outcome.faults_total)} }
        }
        _ => ().into_any(),
    }
}

fn done(outcome: &Outcome) -> AnyView {
    let title =
        format!("Imported: {} new, {} known.", counted(outcome.added, "book", "books"), number(outcome.updated));
    let kept = (outcome.kept_total > 0).then(|| {
        let line = |kept: &KeptCopies| {
            let KeptCopies { line, book, asked, on_hand } = kept;
            html! { <li>{format!("Line {line}: {book} keeps {on_hand} copies, not {asked}.")}</li> }
        };
        html! {
            <p>{format!("{} more copies than the file says, because orders have them:", counted(outcome.kept_total, "book keeps", "books keep"))}</p>
            <ul>{outcome.kept.iter().map(line).collect::<Vec<_>>()}</ul>
        }
    });
    notice(Tone::Good, title, kept)
}

/// What can be said to a file that waits.
fn ask(file: RwSignal<BookFile>, stands: FileState, id: &str) -> AnyView {
    let is_good = file.with_untracked(|file| file.preview.faults_total == 0);
    let does_something = file.with_untracked(|file| file.preview.added + file.preview.changed > 0);
    if stands != FileState::Ready {
        return ().into_any();
    }
    let post = |name| {
        let post = Post::new(name);
        post.on_success(move |news: BookFile| file.set(news));
        post
    };
    let (import, discard) = (post("admin/files/import"), post("admin/files/discard"));
    let button = |post: Post, class: &'static str, words: &'static str| {
        let id = id.to_owned();
        html! {
            <PostForm to=post>
                <input type="hidden" name="id" value=id/>
                <button class=class aria-busy=move || post.busy()>{words}</button>
            </PostForm>
        }
    };
    let yes = (is_good && does_something).then(|| button(import, "button button--primary", "Import it"));
    let words = match (is_good, does_something) {
        (false, _) => "Some lines cannot be taken, so nothing of the file would be. Mend them and hand it in again.",
        (true, false) => "Every line says what the shop knows already.",
        (true, true) => "Nothing has changed yet. Open pages and carts follow as soon as it is imported.",
    };
    html! {
        <section class="panel desk-ask" aria-label="What shall become of it">
            {refusal(import.error())}{refusal(discard.error())}
            <p>{words}</p>
            <div class="actions">{yes}{button(discard, "button button--quiet", "Put it aside")}</div>
        </section>
    }
}

fn preview(preview: &Preview) -> AnyView {
    let figure = |name: &'static str, count: u64| html! { <div><dt>{name}</dt><dd>{number(count)}</dd></div> };
    let ignored = (!preview.ignored_columns.is_empty()).then(|| {
        html! { <p class="muted">{format!("Nothing is read from: {}.", preview.ignored_columns.join(", "))}</p> }
    });
    html! {
        <section class="panel" aria-labelledby="fp-h">
            <h2 class="panel__title" id="fp-h">"What it would do"</h2>
            <dl class="figures">
                {figure("New books", preview.added)}{figure("Changed", preview.changed)}
                {figure("As they are", preview.same)}{figure("Other prices", preview.prices)}
                {figure("Other counts", preview.stocks)}{figure("Retired or back", preview.retired)}
                {figure("Faulty lines", preview.faults_total)}
            </dl>
            {ignored}{faults(&preview.faults, preview.faults_total)}{rows(&preview.rows)}
        </section>
    }
}

fn faults(faults: &[Fault], total: u64) -> AnyView {
    if total == 0 {
        return ().into_any();
    }
    let more = total.saturating_sub(faults.len() as u64);
    let more = (more > 0).then(|| html! { <li>{format!("and {} more", number(more))}</li> });
    let lines = faults.iter().map(|fault| html! { <li>{format!("Line {}: {}", fault.line, fault.reason)}</li> });
    html! {
        <p class="field__label">"Lines that cannot be taken"</p>
        <ul class="desk-faults">{lines.collect::<Vec<_>>()}{more}</ul>
    }
}

fn rows(rows: &[PreviewRow]) -> AnyView {
    if rows.is_empty() {
        return ().into_any();
    }
    html! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="First lines">
            <table class="table">
                <caption>"The first lines"</caption>
                <thead>
                    <tr>
                        <th scope="col" class="num">"Line"</th><th scope="col">"Title"</th><th scope="col">"Number"</th>
                        <th scope="col">"What happens"</th><th scope="col" class="num">"Price"</th>
                        <th scope="col" class="num">"Copies"</th>
                    </tr>
                </thead>
                <tbody>{rows.iter().map(row).collect::<Vec<_>>()}</tbody>
            </table>
        </div>
    }
}

fn row(row: &PreviewRow) -> AnyView {
    let price = change(row.old_price.map(Minor::typed), row.price.map(Minor::typed));
    let copies = change(row.old_copies.map(|old| old.to_string()), row.copies.map(|new| new.to_string()));
    html! {
        <tr>
            <td class="num">{row.line}</td>
            <th scope="row">{row.title.clone()}</th>
            <td class="nowrap">{row.book.clone()}</td>
            <td class="nowrap">{row.fate.label()}</td>
            <td class="num nowrap">{price}</td>
            <td class="num nowrap">{copies}</td>
        </tr>
    }
}

/// `499 → 450`, or what stays.
fn change(old: Option<String>, new: Option<String>) -> String {
    let new = new.unwrap_or_default();
    old.map_or_else(|| new.clone(), |old| format!("{old} → {new}"))
}

fn size(bytes: i64) -> String {
    match bytes {
        ..=1023 => format!("{bytes} bytes"),
        1024..=1_048_575 => format!("{} KiB", bytes / 1024),
        _ => format!("{}.{} MiB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}
