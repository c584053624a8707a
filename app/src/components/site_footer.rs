//! The end of every page, and the way to what the phone's header hides.

use crate::html::html;
use crate::shop::use_shop;
use domain::Permission;
use leptos::prelude::*;

#[component]
pub fn SiteFooter() -> impl IntoView {
    html! {
        <footer class="site-footer">
            <div class="site-footer__inner">
                <div class="site-footer__colophon">
                    <p class="site-footer__name">"Book Bazar"</p>
                    <p>"Every copy counted, every cover drawn. Set in Fraunces and Source Sans, on paper that never runs out."</p>
                </div>
                <nav class="site-footer__links" aria-label="Footer">
                    <a href="/books">"All books"</a>
                    <a href="/cart">"Cart"</a>
                    <a href="/orders">"Orders"</a>
                    <a href="/account">"Account"</a>
                    {use_shop().may(Permission::ReadOrders).then(|| html! { <a href="/admin/orders">"Admin"</a> })}
                </nav>
            </div>
        </footer>
    }
}
