//! The yardstick of `make bench`: a Leptos page with nothing on it, rendered and served by the same crates as the shop's.
//! Its argument is the address to listen on.

use axum::{Router, serve::ListenerExt};
use leptos::{config::LeptosOptions, prelude::*};
use leptos_axum::{LeptosRoutes, generate_route_list};
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::{
    SsrMode::Async,
    components::{FlatRoutes, Route, Router as Pages},
    path,
};
use tokio::net::TcpListener;

#[component]
fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title text="Empty"/>
        <Pages>
            <FlatRoutes fallback=|| "Not found">
                <Route path=path!("/") view=|| view! { <main><h1>"Nothing"</h1></main> } ssr=Async/>
            </FlatRoutes>
        </Pages>
    }
}

fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let addr = std::env::args().nth(1).expect("usage: empty_page ADDRESS");
    let options = LeptosOptions::builder().output_name("empty").build();
    let page = {
        let options = options.clone();
        move || shell(options.clone())
    };
    let router = Router::new().leptos_routes(&options, generate_route_list(App), page).with_state(options);
    // As the shop's own listener.
    let listener = TcpListener::bind(addr).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await
}
