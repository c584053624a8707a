//! The top of every page.

use super::{icon::icon, search::Search};
use crate::derived::Derived;
use crate::html::{changing, html};
use crate::shop::use_shop;
use domain::{Permission, words::counted};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

#[component]
pub fn SiteHeader() -> impl IntoView {
    let shop = use_shop();
    let path = use_location().pathname;
    let current = move |start: &'static str| move || path.with(|path| path.starts_with(start)).then_some("page");
    // The home page has a louder search of its own.
    let is_home = Derived::new(move || path.with(|path| path == "/"));
    let account = shop.account();
    let first_name = account.as_ref().map(|a| a.name.split_whitespace().next().unwrap_or(&a.name).to_owned());
    let (who_href, who) = match first_name {
        Some(name) => ("/account", name),
        None => ("/login", "Log in".to_owned()),
    };
    let mark = "<use href=\"/icons.svg#mark\"></use>";
    html! {
        <header class="site-header">
            <div class="site-header__bar">
                <a class="wordmark" href="/">
                    <svg class="wordmark__mark" aria-hidden="true" inner_html=mark></svg>"Book Bazar"
                </a>
                {move || (!is_home.get()).then(|| html! { <Search class="search site-search" id="site-q"/> })}
                <nav class="site-nav" aria-label="Main">
                    <a class="site-nav__link site-nav__link--wide" href="/books" aria-current=current("/books")>"Books"</a>
                    {shop.may(Permission::ReadOrders).then(|| html! {
                        <a class="site-nav__link site-nav__link--wide" href="/admin/orders" aria-current=current("/admin")>
                            "Admin"
                        </a>
                    })}
                    <a class="site-nav__link site-nav__link--wide" href="/orders" aria-current=current("/orders")>"Orders"</a>
                    <a class="site-nav__link" href=who_href aria-current=current(who_href)>
                        {icon("user")}<span class="site-nav__text">{who}</span>
                    </a>
                    <a class="site-nav__link site-nav__link--cart" href="/cart" aria-current=current("/cart")>
                        {icon("bag")}<span class="site-nav__text">"Cart"</span><Badge/>
                    </a>
                </nav>
            </div>
        </header>
    }
}

/// Copies in the cart; left out at none.
#[component]
fn Badge() -> impl IntoView {
    let cart = use_shop().live.cart();
    let copies = Derived::new(move || cart.with(|cart| cart.copies));
    changing(move || {
        let copies = copies.get();
        let label = format!("{} in the cart", counted(copies.into(), "copy", "copies"));
        (copies > 0).then(|| html! { <span class="cart-badge" aria-label=label>{copies}</span> })
    })
}
