//! Answers made for one request are compressed as they leave: a list of books is 35 KiB, and 6 so. Files lie compressed on disk
//! already, by means that are too slow for here. Nothing secret stands beside what a stranger may put into an answer:
//! cookies come along only when a person follows a link.

use http::{Extensions, HeaderMap, StatusCode, Version, header};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer, Predicate,
        predicate::{And, SizeAbove},
    },
};

/// Below it the answer fits into one packet anyhow.
const WORTH_IT: u16 = 1024;
/// Of 9: the last tenth of the bytes costs as much time as all before.
const LEVEL: i32 = 4;

pub fn layer() -> CompressionLayer<And<SizeAbove, IsText>> {
    let worth_it: IsText = is_text;
    CompressionLayer::new()
        .quality(CompressionLevel::Precise(LEVEL))
        .compress_when(SizeAbove::new(WORTH_IT).and(worth_it))
}

type IsText = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    const KINDS: [&str; 5] =
        ["text/", "application/json", "application/xml", "image/svg+xml", "application/manifest+json"];
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    KINDS.iter().any(|text| kind.starts_with(text))
}
