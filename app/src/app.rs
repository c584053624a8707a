//! The routes, and what surrounds every page.

use crate::{
    call::{glance, made_for},
    components::{
        connection::Connection,
        edit_form::edit_form,
        notice::{Tone, notice, refusal},
        site_footer::SiteFooter,
        site_header::SiteHeader,
    },
    effect::effect,
    half::{Half, beyond, leave_to_browser},
    html::{changing, html},
    live::{Edit, Live},
    pages::{
        account::AccountPage, admin_audit::AdminAuditPage, admin_book::AdminBookPage, admin_book_new::AdminNewBookPage,
        admin_books::AdminBooksPage, admin_customer::AdminCustomerPage, admin_customers::AdminCustomersPage,
        admin_dashboard::AdminDashboardPage, admin_file::AdminFilePage, admin_files::AdminFilesPage,
        admin_health::AdminHealthPage, admin_letter::AdminLetterPage, admin_order::AdminOrderPage,
        admin_orders::AdminOrdersPage, admin_paper::AdminPaperPage, admin_staff::AdminStaffPage,
        admin_work::AdminWorkPage, book::BookPage, books::BooksPage, cart::CartPage, checkout::CheckoutPage,
        home::HomePage, login::LoginPage, order::OrderPage, orders::OrdersPage, register::RegisterPage,
        restore::RestorePage, sheet::SheetPage, unsubscribe::UnsubscribePage,
    },
    shop::{Shop, use_shop},
};
use leptos::{children::ToChildren, prelude::*, tachys::view::iterators::StaticVec, task::spawn_local};
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    NestedRoute, PossibleRouteMatch, SsrMode,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute},
    components::{FlatRoutes, FlatRoutesProps, Router},
    hooks::use_location,
    path,
};
use std::sync::Arc;

/// Every page, for the server.
#[component]
pub fn App() -> impl IntoView {
    around(None, [shop(), admin()].concat())
}

/// What shoppers' browsers run of it.
#[component]
pub fn ShopApp() -> impl IntoView {
    around(Some(Half::Shop), shop())
}

/// What admins' browsers run of it.
#[component]
pub fn AdminApp() -> impl IntoView {
    let pages = around(Some(Half::Admin), admin());
    if let Some(account) = use_shop().account() {
        made_for(account.id);
        look_when_open(use_shop());
    }
    pages
}

/// A socket that opens, for the first time or again, may follow a stranger, or somebody else: the end of a shift closed the one
/// before, the computer slept over that, another tab has a new login. A glance tells.
fn look_when_open(shop: Shop) {
    let is_open = shop.live.is_open();
    effect(move || {
        if is_open.get() {
            spawn_local(async { drop(glance("account/addresses".to_owned()).await) });
        }
    });
}

fn shop() -> Vec<AnyNestedRoute> {
    vec![
        page(path!("/"), HomePage),
        page(path!("/books"), BooksPage),
        page(path!("/books/:slug"), BookPage),
        page(path!("/authors/:slug"), BooksPage),
        page(path!("/categories/:slug"), BooksPage),
        page(path!("/cart"), CartPage),
        page(path!("/cart/restore/:token"), RestorePage),
        page(path!("/mail/unsubscribe/:token"), UnsubscribePage),
        page(path!("/checkout"), CheckoutPage),
        page(path!("/orders"), OrdersPage),
        page(path!("/orders/:id"), OrderPage),
        page(path!("/login"), LoginPage),
        page(path!("/register"), RegisterPage),
        page(path!("/account"), AccountPage),
        page(path!("/account/:page"), SheetPage),
        page(path!("/account/:page/:of"), SheetPage),
        page(path!("/password/:page"), SheetPage),
        page(path!("/password/:page/:token"), SheetPage),
    ]
}

/// Whatever [`Half::of`] gives to the admins.
fn admin() -> Vec<AnyNestedRoute> {
    vec![
        page(path!("/admin"), AdminDashboardPage),
        page(path!("/admin/work"), AdminWorkPage),
        page(path!("/admin/work/letters/:id"), AdminLetterPage),
        page(path!("/admin/health"), AdminHealthPage),
        page(path!("/admin/orders"), AdminOrdersPage),
        page(path!("/admin/orders/:id"), AdminOrderPage),
        page(path!("/admin/orders/:id/:paper"), AdminPaperPage),
        page(path!("/admin/customers"), AdminCustomersPage),
        page(path!("/admin/customers/:id"), AdminCustomerPage),
        page(path!("/admin/staff"), AdminStaffPage),
        page(path!("/admin/audit"), AdminAuditPage),
        page(path!("/admin/books"), AdminBooksPage),
        page(path!("/admin/books/new"), AdminNewBookPage),
        page(path!("/admin/books/files"), AdminFilesPage),
        page(path!("/admin/books/files/:id"), AdminFilePage),
        page(path!("/admin/books/:id"), AdminBookPage),
    ]
}

/// A route. Paths as one type: the router's code for each type of path would be compiled anew.
fn page<V: IntoView + 'static>(
    path: impl PossibleRouteMatch + Send + Sync + 'static,
    view: fn() -> V,
) -> AnyNestedRoute {
    let path: Arc<dyn PossibleRouteMatch + Send + Sync> = Arc::new(path);
    NestedRoute::new(path, move || view().into_any()).ssr_mode(SsrMode::Async).into_any_nested_route()
}

/// `half`: which one of the browser's; the server has none.
fn around(half: Option<Half>, routes: Vec<AnyNestedRoute>) -> AnyView {
    provide_meta_context();
    Shop::provide();
    // Who asks when a page is under way makes the router wait for its data: the old page stays until the new one is whole.
    let (_, under_way) = signal(false);
    html! {
        <Title formatter=|title: String| document_title(&title)/>
        <Router set_is_routing=under_way>
            <Frame>
                {flat(half, routes)}
            </Frame>
        </Router>
    }
}

/// The markup `<FlatRoutes>`, with routes that are a list.
fn flat(half: Option<Half>, routes: Vec<AnyNestedRoute>) -> AnyView {
    let routes = ToChildren::to_children(move || StaticVec::from(routes));
    let props = FlatRoutesProps::builder().fallback(move || beyond(half)).transition(true).children(routes);
    FlatRoutes(props.build()).into_any()
}

/// Header, page, footer.
#[component]
fn Frame(children: Children) -> impl IntoView {
    let shop = use_shop();
    shop.forget_flash_on_leaving();
    let (said, path) = (shop.live.notice(), use_location().pathname);
    html! {
        <div class="page" on:click=move |event| leave_to_browser(&event)>
            <a class="skip-link visually-hidden" href="#main">"Skip to the page"</a>
            <SiteHeader/>
            <div class="page__said">
                {move || said.get().map(|message| notice(Tone::Warn, message, ()))}
                {changing(move || came_along(shop.live, path.with(|path| path == "/cart")))}
            </div>
            <div class="page__said page__said--stays">{refusal(move || shop.live.refusal().get())}</div>
            {children()}
            <SiteFooter/>
            <Connection/>
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
