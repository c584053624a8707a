//! A new book.

use super::{
    admin_book_form::{fields, input},
    admin_orders::only_for,
};
use crate::{
    call::{Post, PostForm},
    components::{admin_nav::AdminPage, form::Input, icon::icon, notice::refusal},
    html::html,
    shop::use_shop,
};
use domain::{
    Permission,
    catalog::desk::{BookDesk, BookForm},
};
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

#[component]
pub fn AdminNewBookPage() -> impl IntoView {
    if let Err(other) = only_for(Permission::EditCatalogue, use_shop(), "/admin/books/new") {
        return other;
    }
    let post = Post::new("admin/books/create");
    let navigate = use_navigate();
    post.on_success(move |book: BookDesk| {
        navigate(&format!("/admin/books/{}?done=made", book.id), leptos_router::NavigateOptions::default());
    });
    let begun = BookForm { language: "en".into(), ..BookForm::default() };
    let copies =
        Input { is_optional: true, inputmode: Some("numeric".into()), ..input("copies", "Copies on hand", "") };
    html! {
        <AdminPage title="New book">
            <header class="page-head">
                <a class="page-head__back" href="/admin/books">{icon("left")}" Books"</a>
                <h1>"New book"</h1>
            </header>
            {refusal(post.error())}
            <PostForm to=post class="form desk-narrow">
                {fields(post, &begun)}
                {copies.view(post)}
                <button class="button button--primary" aria-busy=move || post.busy()>"Put it on the shelf"</button>
            </PostForm>
        </AdminPage>
    }
}
