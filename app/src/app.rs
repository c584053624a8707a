//! The routes, and what surrounds every page.

use crate::{
    components::{
        edit_form::edit_form,
        notice::{Tone, notice, refusal},
        site_footer::SiteFooter,
        site_header::SiteHeader,
    },
    html::{changing, html},
    live::{Edit, Live},
    pages::{
        account::AccountPage, admin_order::AdminOrderPage, admin_orders::AdminOrdersPage, book::BookPage,
        books::BooksPage, cart::CartPage, checkout::CheckoutPage, home::HomePage, login::LoginPage,
        not_found::NotFound, order::OrderPage, orders::OrdersPage, register::RegisterPage, restore::RestorePage,
        sheet::SheetPage, unsubscribe::UnsubscribePage,
    },
    shop::{Shop, use_shop},
};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode::Async,
    components::{FlatRoutes, Redirect, Route, Router},
    hooks::use_location,
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
                    <Route path=path!("/authors/:slug") view=BooksPage ssr=Async/>
                    <Route path=path!("/categories/:slug") view=BooksPage ssr=Async/>
                    <Route path=path!("/cart") view=CartPage ssr=Async/>
                    <Route path=path!("/cart/restore/:token") view=RestorePage ssr=Async/>
                    <Route path=path!("/mail/unsubscribe/:token") view=UnsubscribePage ssr=Async/>
                    <Route path=path!("/checkout") view=CheckoutPage ssr=Async/>
                    <Route path=path!("/orders") view=OrdersPage ssr=Async/>
                    <Route path=path!("/orders/:id") view=OrderPage ssr=Async/>
                    <Route path=path!("/login") view=LoginPage ssr=Async/>
                    <Route path=path!("/register") view=RegisterPage ssr=Async/>
                    <Route path=path!("/account") view=AccountPage ssr=Async/>
                    <Route path=path!("/account/:page") view=SheetPage ssr=Async/>
                    <Route path=path!("/account/:page/:of") view=SheetPage ssr=Async/>
                    <Route path=path!("/password/:page") view=SheetPage ssr=Async/>
                    <Route path=path!("/password/:page/:token") view=SheetPage ssr=Async/>
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
    let (said, path) = (shop.live.notice(), use_location().pathname);
    html! {
        <div class="page">
            <a class="skip-link visually-hidden" href="#main">"Skip to the page"</a>
            <SiteHeader/>
            <div class="page__said">
                {move || said.get().map(|message| notice(Tone::Warn, message, ()))}
                {changing(move || came_along(shop.live, path.with(|path| path == "/cart")))}
            </div>
            <div class="page__said page__said--stays">{refusal(shop.live.refusal().into())}</div>
            {children()}
            <SiteFooter/>
        </div>
    }
}

/// What a login did to the cart. Where the lines are seen it can be put away; the next edit does so too.
fn came_along(live: Live, is_cart: bool) -> Option<AnyView> {
    let news = live.cart().with(|cart| cart.notice)?;
    let way_on = if is_cart {
        let seen = move |event| live.click(&event, Edit::Seen { book: None });
        edit_form("cart/seen", "", None, html! { <button class="link-button" on:click=seen>"Got it"</button> })
    } else {
        html! { <p><a href="/cart">"See the cart"</a></p> }
    };
    let said = news.sentence();
    let (first, rest) = said.split_once(". ").map_or((said.as_str(), None), |(first, rest)| (first, Some(rest)));
    let rest = rest.map(|rest| html! { <p>{rest.to_owned()}</p> });
    Some(notice(Tone::Good, first.to_owned(), html! { {rest}{way_on} }))
}

/// leptos_meta writes a title into the server's HTML as it is, and sets it as text in the browser.
fn document_title(title: &str) -> String {
    let title = format!("{title} · Book Bazar");
    if cfg!(feature = "ssr") { title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") } else { title }
}
