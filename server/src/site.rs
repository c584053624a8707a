//! The browser's files on disk: found by name, sent compressed as they lie there, kept by browsers for as long as their
//! names allow.

use app::ssr::Assets;
use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header};
use leptos::config::LeptosOptions;
use tower::ServiceExt;
use tower_http::services::ServeDir;

/// The name changes with the content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Fonts and ornaments change with a redesign.
const A_MONTH: HeaderValue = HeaderValue::from_static("public, max-age=2592000");
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

pub struct Site {
    files: ServeDir,
    pkg: String,
    hashed: bool,
    stylesheet: String,
}

impl Site {
    pub fn new(options: &LeptosOptions) -> Self {
        let files = ServeDir::new(&*options.site_root).append_index_html_on_directories(false);
        Self {
            files: files.precompressed_br().precompressed_gzip(),
            pkg: options.site_pkg_dir_route_base(),
            hashed: options.hash_files,
            stylesheet: Assets::read(options).stylesheet,
        }
    }

    /// For pages that leptos does not render.
    pub fn stylesheet(&self) -> &str {
        &self.stylesheet
    }

    /// The file of this path, if there is one. `asked`: see [`bare`].
    pub async fn file(&self, asked: Option<Request>) -> Option<Response> {
        let asked = asked?;
        let path = asked.uri().path().to_owned();
        let Ok(found) = self.files.clone().oneshot(asked).await;
        if found.status() == StatusCode::NOT_FOUND {
            // Nobody navigates to a missing script: a whole page about it would only cost.
            return path.starts_with(&self.pkg).then(|| StatusCode::NOT_FOUND.into_response());
        }
        let mut response = found.map(Body::new);
        response.headers_mut().insert(header::CACHE_CONTROL, self.keep(&path));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        Some(response)
    }

    fn keep(&self, path: &str) -> HeaderValue {
        match path {
            path if path.starts_with(&self.pkg) && self.hashed => FOR_EVER,
            path if path.starts_with("/fonts/") || path.starts_with("/ornament/") => A_MONTH,
            path if path.starts_with(&self.pkg) => HeaderValue::from_static("no-cache"),
            _ => AN_HOUR,
        }
    }
}

/// The same request without its body, which the page may still need; `None`: no request for a file.
pub fn bare(request: &Request) -> Option<Request> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut asked = Request::new(Body::empty());
    asked.method_mut().clone_from(request.method());
    asked.uri_mut().clone_from(request.uri());
    asked.headers_mut().clone_from(request.headers());
    is_read.then_some(asked)
}
