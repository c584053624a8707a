//! `/sitemap.xml`: names the files that list every page of the catalogue. Each file is streamed in pieces, so a large shop
//! costs no more memory than a small one.

use crate::{config::BaseUrl, guard::refuse};
use app::ssr::AppState;
use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use domain::{ApiError, UnixMillis};
use futures::{Stream, StreamExt, future::ready, stream};
use http::header;
use std::{fmt::Write, sync::Arc};
use store::{
    Store,
    catalog::places::{self, Place},
    error::Error,
};

const PIECE: i64 = 1_000;
/// Categories of a shop; there are some dozens.
const MAX_CATEGORIES: i64 = 1_000;
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const SCHEMA: &str = "xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"";

/// Addresses in one file.
#[derive(Clone, Copy)]
struct PerFile(i64);

type Base = Extension<Arc<BaseUrl>>;

pub fn routes(per_file: u16) -> Router<AppState> {
    Router::new()
        .route("/sitemap.xml", get(index))
        .route("/sitemaps/{file}", get(file))
        .layer(Extension(PerFile(per_file.into())))
}

async fn index(State(state): State<AppState>, base: Base, Extension(PerFile(size)): Extension<PerFile>) -> Response {
    let files = async {
        let books = places::book_parts(&state.store, size).await?;
        let authors = places::count_authors(&state.store).await?.div_ceil(usize::try_from(size).unwrap_or(1));
        Ok::<_, Error>((books, authors))
    };
    let (books, authors) = match files.await {
        Ok(files) => files,
        Err(error) => return away(&error),
    };
    let mut text = format!("{HEAD}<sitemapindex {SCHEMA}>\n");
    let mut file = |name: String, changed: Option<UnixMillis>| {
        let _ = writeln!(text, "<sitemap><loc>{}/sitemaps/{name}.xml</loc>{}</sitemap>", *base, lastmod(changed));
    };
    file("pages".to_owned(), None);
    books.iter().for_each(|part| file(format!("books-{}", part.number), Some(part.changed)));
    (0..authors).for_each(|number| file(format!("authors-{number}"), None));
    text.push_str("</sitemapindex>\n");
    xml(Body::from(text))
}

async fn file(
    State(state): State<AppState>,
    base: Base,
    Extension(PerFile(size)): Extension<PerFile>,
    Path(file): Path<String>,
) -> Response {
    let Some(part) = file.strip_suffix(".xml").and_then(|name| Part::named(name, size)) else {
        return refuse(ApiError::not_found("this sitemap"));
    };
    // Read before the answer begins, because only then can it still be a 404.
    match part.piece(&state.store).await {
        Ok((places, _)) if places.is_empty() && !matches!(part, Part::Pages) => {
            refuse(ApiError::not_found("this sitemap"))
        }
        Ok((places, rest)) => xml(Body::from_stream(pieces(state.store.clone(), base.0, part.kind(), places, rest))),
        Err(error) => away(&error),
    }
}

/// What of a file is still to be written.
#[derive(Clone, Copy)]
enum Part {
    Pages,
    /// Ids above the first number, up to the second.
    Books(i64, i64),
    /// From the first number on, up to before the second.
    Authors(usize, usize),
    Nothing,
}

impl Part {
    fn named(name: &str, size: i64) -> Option<Self> {
        if name == "pages" {
            return Some(Self::Pages);
        }
        let (kind, number) = name.split_once('-')?;
        let start = number.parse::<i64>().ok().filter(|number| *number >= 0)?.checked_mul(size)?;
        let end = start.checked_add(size)?;
        match kind {
            "books" => Some(Self::Books(start, end)),
            "authors" => Some(Self::Authors(usize::try_from(start).ok()?, usize::try_from(end).ok()?)),
            _ => None,
        }
    }

    /// Where its pages are.
    fn kind(self) -> &'static str {
        match self {
            Self::Books(..) => "/books/",
            Self::Authors(..) => "/authors/",
            Self::Pages | Self::Nothing => "/categories/",
        }
    }

    /// The next places, and what comes after them.
    async fn piece(self, store: &Store) -> Result<(Vec<Place>, Self), Error> {
        match self {
            Self::Pages => Ok((places::categories(store, MAX_CATEGORIES).await?, Self::Nothing)),
            Self::Books(after, until) => {
                let books = places::books(store, after, until, PIECE).await?;
                let last = books.last().map_or(until, |(id, _)| id.get());
                Ok((books.into_iter().map(|(_, place)| place).collect(), Self::Books(last, until)))
            }
            Self::Authors(from, until) => {
                let next = until.min(from + PIECE as usize);
                Ok((places::authors(store, from, next - from).await?, Self::Authors(next, until)))
            }
            Self::Nothing => Ok((Vec::new(), Self::Nothing)),
        }
    }
}

fn pieces(
    store: Store,
    base: Arc<BaseUrl>,
    kind: &'static str,
    first: Vec<Place>,
    rest: Part,
) -> impl Stream<Item = Result<Bytes, Error>> {
    let mut head = format!("{HEAD}<urlset {SCHEMA}>\n");
    if kind == Part::Pages.kind() {
        let _ = write!(head, "<url><loc>{base}/</loc></url>\n<url><loc>{base}/books</loc></url>\n");
    }
    head.push_str(&urls(&base, kind, &first));
    let rest = stream::try_unfold(rest, move |part| {
        let (store, base) = (store.clone(), base.clone());
        async move {
            let (places, rest) = part.piece(&store).await?;
            Ok((!places.is_empty()).then(|| (Bytes::from(urls(&base, kind, &places)), rest)))
        }
    });
    let once = |text: String| stream::once(ready(Ok(Bytes::from(text))));
    once(head).chain(rest).chain(once("</urlset>\n".to_owned()))
}

/// Slugs are letters, digits and hyphens: nothing in them needs escaping.
fn urls(base: &BaseUrl, kind: &str, places: &[Place]) -> String {
    let mut text = String::with_capacity(places.len() * 128);
    for Place { slug, changed } in places {
        let _ = writeln!(text, "<url><loc>{base}{kind}{slug}</loc>{}</url>", lastmod(Some(*changed)));
    }
    text
}

fn lastmod(changed: Option<UnixMillis>) -> String {
    let at = changed.and_then(|at| time::OffsetDateTime::from_unix_timestamp(at.get().div_euclid(1000)).ok());
    let at = at.and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok());
    at.map(|at| format!("<lastmod>{at}</lastmod>")).unwrap_or_default()
}

fn xml(body: Body) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=3600"), (header::CONTENT_TYPE, "application/xml")], body).into_response()
}

fn away(error: &Error) -> Response {
    tracing::warn!(error = error as &dyn std::error::Error, "a sitemap could not be read");
    refuse(error.to_api())
}
