//! What a page tells search engines, and programs that show a link to it. Only the server writes it. A page that says
//! nothing here is kept out of search: see [`super::page`].

mod data;

use super::AppState;
use crate::{
    api::pages::{Book, List},
    components::crumbs::Crumb,
};
use data::Shop;
use domain::words::counted;
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use leptos::{children::ToChildren, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::{Link, LinkProps, Meta, MetaProps, Script, ScriptProps};
use serde_json::Value;

pub const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const NAME: &str = "Book Bazar";
/// A picture for every link: programs that show one do not draw SVG, which our covers are.
const PICTURE: (&str, &str, &str) = ("/share.png", "1200", "630");
/// Longest description, in characters: more is cut off wherever it is shown.
const MAX_DESCRIPTION: usize = 300;

/// The tags of a page; `path` is its one address.
struct Head {
    path: String,
    title: String,
    description: String,
    kind: &'static str,
    data: Vec<Value>,
}

pub fn home(titles: i64) {
    let titles = counted(titles.unsigned_abs(), "title", "titles");
    write(|shop| Head {
        path: "/".to_owned(),
        title: NAME.to_owned(),
        description: format!("A bookshop with {titles}, live prices and stock, and delivery all over India."),
        kind: "website",
        data: vec![shop.website(), shop.organization()],
    });
}

/// A list as it is found: filters and searches show the same books again, so they are nobody's find.
pub fn list(list: &List) {
    if list.here.contains('?') || list.books.is_empty() {
        return;
    }
    let (path, title) = match list.page {
        1 => (list.here.clone(), list.title.clone()),
        page => (format!("{}?page={page}", list.here), format!("{}, page {page}", list.title)),
    };
    write(|shop| Head {
        description: format!("{title} at {NAME}: {}, with prices and the copies in stock right now.", list.lede),
        path,
        title,
        kind: "website",
        data: vec![shop.crumbs(&list.crumbs, &list.title, &list.here)],
    });
}

/// A book; an address that it had before sends to the one of now, for good.
pub fn book(book: &Book) {
    let path = format!("/books/{}", book.card.slug);
    if has_moved(&path) {
        return;
    }
    let title = format!("{} by {}", book.card.title, book.card.authors);
    write(|shop| Head {
        description: match book.more.description.trim() {
            "" => format!("{title}. {}", book.more.delivery),
            said => said.to_owned(),
        },
        data: vec![shop.book(book, &path), shop.crumbs(&Crumb::of_book(book), &book.card.title, &path)],
        path,
        title,
        kind: "book",
    });
}

/// Any other page: a description for who looks at it, and nothing for search engines.
pub fn private(title: &str) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    if !is_written(&response) {
        put(Meta(MetaProps::builder().name("description").content(format!("{title} · {NAME}")).build()));
        response.insert_header(ROBOTS, HeaderValue::from_static("noindex"));
    }
}

/// By the page itself, which knows more than what surrounds every page.
fn is_written(response: &ResponseOptions) -> bool {
    response.0.read().is_ok_and(|parts| parts.headers.contains_key(ROBOTS))
}

fn has_moved(path: &str) -> bool {
    let (Some(parts), Some(response)) = (use_context::<Parts>(), use_context::<ResponseOptions>()) else {
        return false;
    };
    if parts.uri.path() == path {
        return false;
    }
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    if let Ok(location) = HeaderValue::from_str(&format!("{path}{query}")) {
        response.set_status(StatusCode::PERMANENT_REDIRECT);
        response.insert_header(header::LOCATION, location);
    }
    true
}

fn write(head: impl FnOnce(&Shop<'_>) -> Head) {
    let (Some(state), Some(response)) = (use_context::<AppState>(), use_context::<ResponseOptions>()) else { return };
    if is_written(&response) {
        return;
    }
    let config = state.store.config();
    let head = head(&Shop { config });
    let base = &config.base_url;
    let (url, description) = (format!("{base}{}", head.path), short(&head.description));
    let (picture, width, height) = PICTURE;
    put(Link(LinkProps::builder().rel("canonical").href(url.clone()).build()));
    let name = |name: &'static str, text: &str| {
        put(Meta(MetaProps::builder().name(name).content(text.to_owned()).build()));
    };
    let property = |name: &'static str, text: &str| {
        put(Meta(MetaProps::builder().property(name).content(text.to_owned()).build()));
    };
    name("description", &description);
    name("twitter:card", "summary_large_image");
    property("og:type", head.kind);
    property("og:site_name", NAME);
    property("og:locale", "en_IN");
    property("og:title", &head.title);
    property("og:description", &description);
    property("og:url", &url);
    property("og:image", &format!("{base}{picture}"));
    property("og:image:width", width);
    property("og:image:height", height);
    property("og:image:alt", "Book Bazar, a bookshop");
    let data = data::graph(head.data);
    let script = ScriptProps::builder().type_("application/ld+json").children(ToChildren::to_children(move || data));
    put(Script(script.build()));
    response.insert_header(ROBOTS, HeaderValue::from_static("all"));
}

/// Being rendered puts a tag into the head of the page; nothing of it is left where it stands.
fn put(tag: impl IntoView) {
    let _ = tag.into_view().to_html();
}

/// Whole words up to the longest description.
fn short(text: &str) -> String {
    let words = || text.split_whitespace();
    let whole = words().collect::<Vec<_>>().join(" ");
    if whole.chars().count() <= MAX_DESCRIPTION {
        return whole;
    }
    let mut out = String::new();
    for word in words() {
        if out.chars().count() + word.chars().count() + 2 > MAX_DESCRIPTION {
            break;
        }
        out = if out.is_empty() { word.to_owned() } else { format!("{out} {word}") };
    }
    out + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_description_ends_with_a_whole_word() {
        assert_eq!(short(" A\nbook. "), "A book.");
        let long = short(&"word ".repeat(100));
        assert!(long.chars().count() <= MAX_DESCRIPTION && long.ends_with("word…"), "{long}");
        assert_eq!(short(&"x".repeat(400)), "…");
    }
}
