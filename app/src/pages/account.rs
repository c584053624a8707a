//! One's own account.

use crate::{
    call::{Post, PostForm},
    components::{
        loaded::loaded,
        notice::refusal,
        order_row::order_row,
        page::{NARROW, Page},
    },
    html::{changing, html},
    next::login_for,
    shop::use_shop,
};
use domain::{account::AccountView, order::OrderList};
use leptos::prelude::*;
use leptos_router::components::Redirect;

/// Orders shown here; the rest are on their own page.
const LATEST: usize = 3;

const SETTINGS: [(&str, &str); 3] = [
    ("/account/details", "Name and e-mail"),
    ("/account/addresses", "Addresses"),
    ("/account/password", "Password and sign-ins"),
];

#[component]
pub fn AccountPage() -> impl IntoView {
    let Some(account) = use_shop().account() else {
        return html! { <Redirect path=login_for("/account")/> };
    };
    loaded(|| "orders".to_owned(), move |list| show(account.clone(), list))
}

fn show(account: AccountView, OrderList { mut orders, is_whole }: OrderList) -> AnyView {
    let shop = use_shop();
    let logout = Post::new("account/logout");
    logout.on_success(move |(): ()| {
        shop.live.identity_changed(false);
        let _ = window().location().set_href("/");
    });
    orders.truncate(LATEST);
    let none = match orders.is_empty() {
        false => None,
        true if is_whole => Some(html! { <p class="muted">"None yet. "<a href="/books">"Find a book"</a></p> }),
        true => Some(html! { <p class="muted">"They cannot be shown just now. "<a href="">"Look again"</a></p> }),
    };
    let unconfirmed = (!account.is_verified).then(
        || html! { <p class="muted">"We wrote to you: please confirm your address by the link in that mail."</p> },
    );
    let links = SETTINGS.map(|(href, name)| html! { <li><a class="account__link" href=href>{name}</a></li> });
    let links = Vec::from(links);
    let rows = move || shop.live.refresh(&orders).into_iter().map(order_row).collect::<Vec<_>>();
    html! {
        <Page title="Account" class=NARROW>
            <header class="page-head">
                <h1>{account.name.clone()}</h1>
                <p class="page-head__lede">{account.email.to_string()}</p>
            </header>
            {refusal(logout.error())}
            <div class="account">
                <section class="panel" aria-labelledby="o-h">
                    <div class="section-head">
                        <h2 class="panel__title" id="o-h">"Latest orders"</h2>
                        <a class="section-head__more" href="/orders">"All orders"</a>
                    </div>
                    {none}
                    <ul class="order-rows">{changing(rows)}</ul>
                </section>
                <section class="panel" aria-labelledby="d-h">
                    <h2 class="panel__title" id="d-h">"Settings"</h2>
                    {unconfirmed}
                    <ul class="account__links">{links}</ul>
                </section>
                <PostForm to=logout>
                    <button class="button button--quiet">"Log out"</button>
                </PostForm>
            </div>
        </Page>
    }
}
