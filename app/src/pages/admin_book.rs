//! One book on the desk: its fields, whether it is sold, its copies and their ledger.

use super::{admin_book_form::fields, admin_books::state, admin_orders::only_for, admin_stock::Shelf};
use crate::{
    call::{Post, PostForm, address},
    components::{
        admin_nav::AdminPage,
        icon::icon,
        loaded::loaded,
        notice::{Tone, notice, refusal},
    },
    derived::Derived,
    html::{changing, html},
    shop::use_shop,
};
use domain::{Permission, catalog::desk::BookDesk, words::counted};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

#[component]
pub fn AdminBookPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let id = Derived::new(move || params.with(|params| params.get("id")).unwrap_or_default());
    let before = Derived::new(move || query.with(|query| query.get("before")).unwrap_or_default());
    let here = format!("/admin/books/{}", id.get_untracked());
    if let Err(other) = only_for(Permission::ReadCatalogue, use_shop(), &here) {
        return other;
    }
    let done = move || query.with_untracked(|query| query.get("done")).unwrap_or_default();
    loaded(
        move || before.with(|before| id.with(|id| address("admin/books/get", &[("id", id), ("before", before)]))),
        move |book| show(book, &done(), !before.get_untracked().is_empty()),
    )
}

/// The forms of the page, and the book as they last left it.
#[derive(Clone, Copy)]
pub struct Desk {
    pub book: RwSignal<BookDesk>,
    /// What was done last, in words.
    pub said: RwSignal<Option<&'static str>>,
}

impl Desk {
    /// A form whose answer is the book again.
    pub fn post(self, name: &'static str, words: &'static str) -> Post {
        let post = Post::new(name);
        post.on_success(move |book: BookDesk| {
            self.book.set(book);
            self.said.set(Some(words));
        });
        post
    }
}

const SAVED: &str = "Saved. Open carts follow by themselves, pages from now on.";
const RETIRED: &str = "Done. Open carts follow by themselves, pages from now on.";
pub const COUNTED: &str = "The copies are counted. Open pages follow within a second.";

/// What a plain form left in the address.
fn words(done: &str) -> Option<&'static str> {
    Some(match done {
        "made" => "The book is on the shelf.",
        "save" => SAVED,
        "retire" => RETIRED,
        "stock" => COUNTED,
        "low" => "Kept.",
        _ => return None,
    })
}

fn show(book: BookDesk, done: &str, is_older: bool) -> AnyView {
    let (title, slug, id) = (book.title.clone(), book.slug.clone(), book.id);
    let left = book.on_hand - book.reserved;
    let desk = Desk { said: RwSignal::new(words(done)), book: RwSignal::new(book) };
    let on_sale = use_shop().live.available(id, Some(left));
    let heading = Derived::new(move || desk.book.with(|book| book.title.clone()));
    let is_retired = Derived::new(move || desk.book.with(|book| book.is_retired));
    let low_from = Derived::new(move || desk.book.with(|book| book.low_from.unwrap_or(book.shop_low_from)));
    let said = move || desk.said.get().map(|words| notice(Tone::Good, words, ()));
    let edits = use_shop().may(Permission::EditCatalogue).then(|| (form(desk), retire(desk, is_retired)));
    let (form, retire) = edits.unzip();
    html! {
        <AdminPage title=title>
            <header class="page-head">
                <a class="page-head__back" href="/admin/books">{icon("left")}" Books"</a>
                <div class="admin-order__head">
                    <h1>{move || heading.get()}</h1>
                    {move || state(is_retired.get(), on_sale.get().unwrap_or(left), low_from.get())}
                </div>
                <p><a href=format!("/books/{slug}")>"See it in the shop"</a></p>
            </header>
            <div role="status">{changing(said)}</div>
            <div class="admin-order">
                <div class="order__side">{form}</div>
                <div class="order__side">{Shelf::new(desk, on_sale).view(is_older)}{retire}</div>
            </div>
        </AdminPage>
    }
}

fn form(desk: Desk) -> AnyView {
    let post = desk.post("admin/books/save", SAVED);
    let (id, form) = desk.book.with_untracked(|book| (book.id.to_string(), book.form.clone()));
    // After a conflict the same form may be sent again, now knowing of the other one.
    let newer = post.wrong("version");
    let version = move || newer.get().unwrap_or_else(|| desk.book.with(|book| book.version.to_string()));
    html! {
        <section class="panel" aria-labelledby="bf-h">
            <h2 class="panel__title" id="bf-h">"The book"</h2>
            {refusal(post.error())}
            <PostForm to=post class="form">
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="version" value=version/>
                {fields(post, &form)}
                <button class="button button--primary" aria-busy=move || post.busy()>"Save"</button>
            </PostForm>
        </section>
    }
}

fn retire(desk: Desk, is_retired: Derived<bool>) -> AnyView {
    let post = desk.post("admin/books/retire", RETIRED);
    let id = desk.book.with_untracked(|book| book.id.to_string());
    let body = move || {
        let id = id.clone();
        let (name, words, next) = match is_retired.get() {
            true => ("Sell it again", "It comes back into lists and searches at once.".to_owned(), "false"),
            false => {
                let carts = desk.book.with_untracked(|book| book.carts).max(0).unsigned_abs();
                let held = match carts {
                    0 => "No cart holds it now.".to_owned(),
                    carts => format!(
                        "It stays in {}, marked, and can no longer be ordered.",
                        counted(carts, "cart", "carts")
                    ),
                };
                ("Take it out of sale", format!("It leaves lists and searches at once. {held} Orders keep it."), "true")
            }
        };
        html! {
            <details class="admin-steps__cancel">
                <summary>{name}</summary>
                <PostForm to=post class="admin-steps__form">
                    <p class="muted">{words}</p>
                    <input type="hidden" name="id" value=id/>
                    <input type="hidden" name="retired" value=next/>
                    <button class="button" aria-busy=move || post.busy()>{name}</button>
                </PostForm>
            </details>
        }
    };
    html! {
        <section class="panel" aria-labelledby="br-h">
            <h2 class="panel__title" id="br-h">"On sale"</h2>
            {refusal(post.error())}
            {changing(body)}
        </section>
    }
}
