//! `/covers/{slug}.svg`: drawn when asked for. Drawing takes a fraction of a millisecond, so nothing is kept but by
//! browsers.

use crate::{covers::cover_svg, guard::refuse};
use app::ssr::AppState;
use axum::{
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::ApiError;
use http::{HeaderMap, StatusCode, header};
use sha2::{Digest, Sha256};
use store::catalog;

pub async fn cover(
    State(state): State<AppState>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(slug) = file.strip_suffix(".svg") else { return refuse(ApiError::not_found("this cover")) };
    let facts = match catalog::facts_by_slug(&state.store, slug).await {
        Ok(Some(facts)) => facts,
        Ok(None) => return refuse(ApiError::not_found("this cover")),
        Err(error) => {
            tracing::error!(error = ?error, "a cover could not be drawn");
            return refuse(error.to_api());
        }
    };
    if facts.slug != slug {
        return Redirect::permanent(&app::cover_url(&facts.slug)).into_response();
    }
    let svg = cover_svg(&facts.title, &facts.authors, facts.category.as_deref().unwrap_or(""), seed(slug));
    let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&svg)[..12]));
    // An address with a version changes when the cover does.
    let versioned = query.is_some_and(|query| query.starts_with("v="));
    let keep = if versioned { "public, max-age=31536000, immutable" } else { "public, max-age=86400" };
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|tags| names(tags.as_bytes(), etag.as_bytes()));
    let shared = [(header::CACHE_CONTROL, keep.to_owned()), (header::ETAG, etag)];
    match known {
        true => (StatusCode::NOT_MODIFIED, shared).into_response(),
        false => (shared, [(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response(),
    }
}

/// The book's own throw of the dice: as stable as its address, on every machine (FNV-1a).
fn seed(slug: &str) -> u64 {
    slug.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn names(tags: &[u8], etag: &[u8]) -> bool {
    tags == b"*" || tags.windows(etag.len()).any(|tag| tag == etag)
}
