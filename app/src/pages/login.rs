//! Logging in.

use super::register::go_on;
use crate::{
    call::{Post, PostForm},
    components::{
        form::Field,
        notice::refusal,
        page::{NARROW, Page},
    },
    html::html,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn LoginPage() -> impl IntoView {
    let form = Post::new("account/login");
    let next = next_of_query();
    go_on(form, next.clone());
    let email = Field { kind: "email", ..Field::new("email", "E-mail", "username") };
    let password = Field { kind: "password", ..Field::new("password", "Password", "current-password") };
    let register = next
        .as_ref()
        .map_or_else(|| "/register".to_owned(), |next| format!("/register?next={}", crate::next::encode(next)));
    html! {
        <Page title="Log in" class=NARROW>
            <div class="auth">
                <header class="auth__head"><h1>"Log in"</h1><p class="muted">"Your cart comes with you."</p></header>
                {refusal(form.error())}
                <PostForm to=form class="form auth__card">
                    {next.map(|next| html! { <input type="hidden" name="next" value=next/> })}
                    {email.view(form, None)}
                    {password.view(form, None)}
                    <button class="button button--primary button--block" type="submit"
                        aria-busy=move || form.busy()>"Log in"</button>
                </PostForm>
                <p class="auth__other"><a href="/password/forgot">"Forgot your password?"</a></p>
                <p class="auth__other">"New here? "<a href=register>"Make an account"</a></p>
            </div>
        </Page>
    }
}

/// The page to go on to, when the address names one of ours.
pub fn next_of_query() -> Option<String> {
    let next = use_query_map().with_untracked(|query| query.get("next"))?;
    crate::next::same_site(&next).map(str::to_owned)
}
