//! The routes, and what surrounds every page.

use crate::{
    components::{
        notice::{Tone, notice, refusal},
        site_footer::SiteFooter,
        site_header::SiteHeader,
    },
    html::html,
    pages::{
        account::AccountPage, admin_order::AdminOrderPage, admin_orders::AdminOrdersPage, book::BookPage,
        books::BooksPage, cart::CartPage, checkout::CheckoutPage, home::HomePage, login::LoginPage,
        not_found::NotFound, order::OrderPage, orders::OrdersPage, register::RegisterPage, restore::RestorePage,
        unsubscribe::UnsubscribePage,
    },
    shop::{Shop, use_shop},
};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode::Async,
    components::{FlatRoutes, Redirect, Route, Router},
    path,
};

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Shop::provide();
    html! {
        <Title formatter=|title: String| document_title(&title)/>
        <Router>
            <Frame>
                <FlatRoutes fallback=NotFound transition=true>
                    <Route path=path!("/") view=HomePage ssr=Async/>
                    <Route path=path!("/books") view=BooksPage ssr=Async/>
                    <Route path=path!("/books/:slug") view=BookPage ssr=Async/>
                    <Route path=path!("/cart") view=CartPage ssr=Async/>
                    <Route path=path!("/cart/restore/:token") view=RestorePage ssr=Async/>
                    <Route path=path!("/mail/unsubscribe/:token") view=UnsubscribePage ssr=Async/>
                    <Route path=path!("/checkout") view=CheckoutPage ssr=Async/>
                    <Route path=path!("/orders") view=OrdersPage ssr=Async/>
                    <Route path=path!("/orders/:id") view=OrderPage ssr=Async/>
                    <Route path=path!("/login") view=LoginPage ssr=Async/>
                    <Route path=path!("/register") view=RegisterPage ssr=Async/>
                    <Route path=path!("/account") view=AccountPage ssr=Async/>
                    <Route path=path!("/admin") view=|| html! { <Redirect path="/admin/orders"/> } ssr=Async/>
                    <Route path=path!("/admin/orders") view=AdminOrdersPage ssr=Async/>
                    <Route path=path!("/admin/orders/:id") view=AdminOrderPage ssr=Async/>
                </FlatRoutes>
            </Frame>
        </Router>
    }
}

/// Header, page, footer.
#[component]
fn Frame(children: Children) -> impl IntoView {
    let shop = use_shop();
    shop.forget_flash_on_leaving();
    let said = shop.live.notice();
    html! {
        <div class="page">
            <a class="skip-link visually-hidden" href="#main">"Skip to the page"</a>
            <SiteHeader/>
            <div class="page__said">
                {move || said.get().map(|message| notice(Tone::Warn, message, ()))}
                {refusal(shop.live.refusal().into())}
            </div>
            {children()}
            <SiteFooter/>
        </div>
    }
}

/// leptos_meta writes a title into the server's HTML as it is, and sets it as text in the browser.
fn document_title(title: &str) -> String {
    let title = format!("{title} · Book Bazar");
    if cfg!(feature = "ssr") { title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") } else { title }
}
