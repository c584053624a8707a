//! Files of books over HTTP: one is handed in (`POST /api/admin/files/upload`, as a form with a file), and all books are
//! handed out (`GET /api/admin/books.csv`, streamed in pieces). Both are too large for the server functions beside them.

use crate::guard::refuse;
use app::ssr::{AppState, AuthSession, Beside, Caller, cookies, viewer};
use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Redirect, Response},
};
use bytes::Bytes;
use domain::{ApiError, ErrorCode, Permission, catalog::desk::MAX_FILE};
use futures::{Stream, StreamExt, future::ready, stream};
use http::{HeaderMap, header};
use store::{
    Store,
    catalog::{export, files},
    error::Error,
    viewer::Viewer,
};

/// Room for the form around the file.
const FORM: usize = 16 * 1024;
/// So much of a file that is too large is read past, so that the browser is there to hear why it was refused.
const PATIENCE: usize = 8 * MAX_FILE;

/// All books, retired ones included, as an import reads them.
pub async fn export(State(state): State<AppState>, auth: AuthSession, headers: HeaderMap) -> Response {
    if let Err(error) = person(&state, &auth, &headers, Permission::ReadCatalogue) {
        return refuse(error);
    }
    // Read before the answer begins, because only then can it still be another one.
    let begin = async { Ok::<_, Error>((export::head(&state.store)?, export::piece(&state.store, 0).await?)) };
    let (head, first) = match begin.await {
        Ok(begun) => begun,
        Err(error) => return failed(&error),
    };
    let kind = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"books.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (kind, Body::from_stream(pieces(state.store.clone(), head, first))).into_response()
}

fn pieces(store: Store, head: Vec<u8>, first: Option<(Vec<u8>, i64)>) -> impl Stream<Item = Result<Bytes, Error>> {
    let rest = stream::try_unfold((store, first), |(store, piece)| async move {
        let Some((text, last)) = piece else { return Ok(None) };
        let next = export::piece(&store, last).await?;
        Ok(Some((Bytes::from(text), (store, next))))
    });
    stream::once(ready(Ok(Bytes::from(head)))).chain(rest)
}

/// A form's answer is the page of the file, or the form again; a program's is JSON.
pub async fn upload(State(state): State<AppState>, auth: AuthSession, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let is_program = !crate::guard::errors::accepts_html(&parts.headers);
    let kept = async {
        let admin = person(&state, &auth, &parts.headers, Permission::EditCatalogue)?;
        let (name, content) = file(&parts.headers, body).await?;
        files::keep(&state.store, &admin, &name, content).await.map_err(|error| {
            if !error.is_refusal() {
                tracing::error!(error = &error as &dyn std::error::Error, "a file of books was not kept");
            }
            error.to_api()
        })
    };
    match kept.await {
        Ok(file) if is_program => axum::Json(file).into_response(),
        Ok(file) => Redirect::to(&format!("/admin/books/files/{}", file.id)).into_response(),
        Err(error) if is_program => refuse(error),
        Err(error) => form_again(&state, error),
    }
}

fn form_again(state: &AppState, error: ApiError) -> Response {
    let form = Beside::Upload.path().trim_start_matches("/api/");
    let flash = serde_json::json!({ "form": form, "error": error, "values": {} });
    let mut response = Redirect::to("/admin/books/files").into_response();
    response.headers_mut().append(header::SET_COOKIE, cookies::set_flash(state, &flash.to_string()));
    response
}

/// Who asks, if they are trusted with this.
fn person(
    state: &AppState,
    auth: &AuthSession,
    headers: &HeaderMap,
    permission: Permission,
) -> Result<Viewer, ApiError> {
    let account = auth.user.as_ref().map(|user| user.view());
    Caller::check(account, permission)?;
    viewer(headers, state, account).ok_or_else(ApiError::internal)
}

/// The form's file: its name and what is in it.
async fn file(headers: &HeaderMap, body: Body) -> Result<(String, Vec<u8>), ApiError> {
    let none = || ApiError::fields([("file".to_owned(), "Choose a file.".to_owned())].into());
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(|_| none())?;
    let whole = stream::once(ready(Ok::<_, std::convert::Infallible>(whole(body).await?)));
    let mut form = multer::Multipart::new(whole, boundary);
    let unreadable = |_| ApiError::new(ErrorCode::BadRequest, "The file did not arrive whole. Please try again.");
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        if field.name() == Some("file") {
            let name = field.file_name().unwrap_or_default().to_owned();
            let content = field.bytes().await.map_err(unreadable)?;
            return if content.is_empty() { Err(none()) } else { Ok((name, content.to_vec())) };
        }
    }
    Err(none())
}

async fn whole(body: Body) -> Result<Bytes, ApiError> {
    let (mut read, mut size, mut chunks) = (Vec::new(), 0, body.into_data_stream());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(ErrorCode::BadRequest, "The request ended too early."))?;
        size += chunk.len();
        if size > PATIENCE {
            break;
        }
        if size <= MAX_FILE + FORM {
            read.extend_from_slice(&chunk);
        }
    }
    if size > MAX_FILE + FORM { Err(files::too_large()) } else { Ok(read.into()) }
}

fn failed(error: &Error) -> Response {
    tracing::warn!(error = error as &dyn std::error::Error, "the books could not be exported");
    refuse(error.to_api())
}
