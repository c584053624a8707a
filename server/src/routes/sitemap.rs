//! `/sitemap.xml`: every book on sale, streamed in pieces so that a large shop costs no more memory than a small one.

use crate::config::BaseUrl;
use app::ssr::AppState;
use axum::{Extension, body::Body, extract::State, response::IntoResponse};
use bytes::Bytes;
use domain::BookId;
use futures::{Stream, stream};
use http::header;
use std::{fmt::Write, sync::Arc};
use store::{Store, catalog, error::Error};

/// What one sitemap may hold (sitemaps.org).
const MAX_BOOKS: usize = 50_000;
const PIECE: i64 = 1_000;

pub async fn sitemap(State(state): State<AppState>, Extension(base): Extension<Arc<BaseUrl>>) -> impl IntoResponse {
    let headers = [(header::CACHE_CONTROL, "public, max-age=3600"), (header::CONTENT_TYPE, "application/xml")];
    (headers, Body::from_stream(pieces(state.store, base)))
}

enum Next {
    Head,
    /// After this book, with so many written.
    Books(Option<BookId>, usize),
    End,
}

fn pieces(store: Store, base: Arc<BaseUrl>) -> impl Stream<Item = Result<Bytes, Error>> {
    stream::try_unfold(Next::Head, move |next| {
        let (store, base) = (store.clone(), base.clone());
        async move {
            match next {
                Next::Head => Ok(Some((head(&base), Next::Books(None, 0)))),
                Next::Books(after, written) => {
                    let books = catalog::slugs(&store, after, PIECE.min((MAX_BOOKS - written) as i64)).await?;
                    Ok(Some(match books.last() {
                        Some((last, _)) => (urls(&base, &books), Next::Books(Some(*last), written + books.len())),
                        None => (Bytes::from_static(b"</urlset>\n"), Next::End),
                    }))
                }
                Next::End => Ok(None),
            }
        }
    })
}

fn head(base: &BaseUrl) -> Bytes {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n\
         <url><loc>{base}/</loc></url>\n<url><loc>{base}/books</loc></url>\n"
    )
    .into()
}

/// Slugs are letters, digits and hyphens: nothing in them needs escaping.
fn urls(base: &BaseUrl, books: &[(BookId, String)]) -> Bytes {
    let mut text = String::with_capacity(books.len() * 80);
    for (_, slug) in books {
        let _ = writeln!(text, "<url><loc>{base}/books/{slug}</loc></url>");
    }
    text.into()
}
