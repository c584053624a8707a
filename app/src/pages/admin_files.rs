//! Files of books: one is handed in here, and what became of the last ones.

use super::admin_orders::only_for;
use crate::{
    call::Post,
    components::{
        admin_nav::AdminPage,
        icon::icon,
        loaded::loaded,
        notice::refusal,
        table::{Number, Text, table},
    },
    html::{changing, html},
    shop::use_shop,
    when,
};
use domain::{
    Permission,
    catalog::desk::{BookFile, FileState, MAX_FILE},
    words::counted,
};
use leptos::prelude::*;

/// The form is plain, with and without WASM: a browser sends files best by itself.
pub const UPLOAD: &str = "admin/files/upload";

#[component]
pub fn AdminFilesPage() -> impl IntoView {
    if let Err(other) = only_for(Permission::EditCatalogue, use_shop(), "/admin/books/files") {
        return other;
    }
    loaded(|| "admin/files".to_owned(), show)
}

fn show(files: Vec<BookFile>) -> AnyView {
    html! {
        <AdminPage title="Files of books">
            <header class="page-head">
                <a class="page-head__back" href="/admin/books">{icon("left")}" Books"</a>
                <h1>"Import a file"</h1>
            </header>
            {form()}
            {list(files)}
        </AdminPage>
    }
}

fn form() -> AnyView {
    let post = Post::new(UPLOAD);
    let wrong = post.wrong("file");
    let is_wrong = move || wrong.with(Option::is_some);
    let error = move || {
        wrong.get().map(|why| html! { <p class="field__error" id="file-error">{icon("alert")}<span>{why}</span></p> })
    };
    let most =
        format!("A CSV file of at most {} MiB, with the columns that “Export all” writes. ", MAX_FILE / 1024 / 1024);
    html! {
        {refusal(post.error())}
        <form class="form desk-narrow" action=format!("/api/{UPLOAD}") method="post" enctype="multipart/form-data">
            <div class=move || if is_wrong() { "field field--error" } else { "field" }>
                <label class="field__label" for="file">"File"</label>
                <input class="input" id="file" name="file" type="file" accept=".csv,text/csv" required=true
                    aria-invalid=move || is_wrong().then_some("true")
                    aria-describedby=move || if is_wrong() { "file-error" } else { "file-help" }/>
                <p class="field__help" id="file-help">
                    {most}"Columns that are missing, and fields that are empty, leave books as they are. Nothing changes before you have seen a preview."
                </p>
                {changing(error)}
            </div>
            <p class="actions"><button class="button button--primary">"Look at it"</button></p>
        </form>
    }
}

fn list(files: Vec<BookFile>) -> AnyView {
    if files.is_empty() {
        return ().into_any();
    }
    let rows = files.into_iter().map(|file| {
        html! {
            <tr>
                <th scope="row"><a class="table__link" href=format!("/admin/books/files/{}", file.id)>{file.name}</a></th>
                <td>{state(file.state)}</td>
                <td class="num">{counted(file.preview.lines, "line", "lines")}</td>
                <td>{file.by}</td>
                <td class="nowrap">{when::short(file.uploaded_at)}</td>
            </tr>
        }
    });
    html! {
        <section class="panel" aria-labelledby="fl-h">
            <h2 class="panel__title" id="fl-h">"Handed in before"</h2>
            {table("Files table", "", &[Text("File"), Text("State"), Number("Size"), Text("By"), Text("At")], rows.collect::<Vec<_>>())}
        </section>
    }
}

/// Icon, word and colour.
pub fn state(state: FileState) -> AnyView {
    let (slug, mark) = match state {
        FileState::Ready => ("payment-pending", "clock"),
        FileState::Wanted => ("shipped", "hourglass"),
        FileState::Done => ("paid", "check"),
        FileState::Refused => ("failed", "alert"),
        FileState::Discarded => ("cancelled", "x"),
    };
    html! { <span class=format!("status status--{slug}")>{icon(mark)}{state.label()}</span> }
}
