//! Making an account.

use super::login::next_of_query;
use crate::{
    call::{Post, PostForm},
    components::{
        form::Field,
        notice::refusal,
        page::{NARROW, Page},
    },
    html::html,
    shop::use_shop,
};
use domain::account::AccountView;
use leptos::prelude::*;

#[component]
pub fn RegisterPage() -> impl IntoView {
    let form = Post::new("account/register");
    let next = next_of_query();
    go_on(form, next.clone());
    let email = Field { kind: "email", ..Field::new("email", "E-mail", "username") };
    let help = Some("At least 8 characters. A short sentence is good.");
    let password = Field { kind: "password", help, ..Field::new("password", "Password", "new-password") };
    html! {
        <Page title="Make an account" class=NARROW>
            <div class="auth">
                <header class="auth__head">
                    <h1>"Make an account"</h1>
                    <p class="muted">"To keep your cart and follow your orders."</p>
                </header>
                {refusal(form.error())}
                <PostForm to=form class="form auth__card">
                    {next.map(|next| html! { <input type="hidden" name="next" value=next/> })}
                    {Field::new("name", "Name", "name").view(form, None)}
                    {email.view(form, None)}
                    {password.view(form, None)}
                    <button class="button button--primary button--block" type="submit"
                        aria-busy=move || form.busy()>"Make the account"</button>
                </PostForm>
                <p class="auth__other">"Been here before? "<a href="/login">"Log in"</a></p>
            </div>
        </Page>
    }
}

/// After logging in the whole page is loaded anew: everything on it may be somebody else's now.
pub fn go_on(form: Post, next: Option<String>) {
    let live = use_shop().live;
    form.on_success(move |_: AccountView| {
        live.identity_changed(true);
        let _ = window().location().set_href(next.as_deref().unwrap_or("/account"));
    });
}
