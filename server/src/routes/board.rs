//! `GET /api/admin/orders.csv`: the board as a file, with the filters of its page. It is written in pieces while it is read,
//! so a large shop's file costs no more memory than a small one's.

use crate::guard::refuse;
use app::{
    api::board::{BoardArgs, wanted},
    ssr::{AppState, AuthSession, Caller},
};
use axum::{
    body::Body,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::Permission;
use futures::{StreamExt, future::ready, stream};
use http::header;
use store::{admin::board::export::Export, error::Error};

const HEAD: [(header::HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
    (header::CONTENT_DISPOSITION, "attachment; filename=\"orders.csv\""),
];

pub async fn csv(State(state): State<AppState>, auth: AuthSession, Query(query): Query<BoardArgs>) -> Response {
    let account = auth.user.as_ref().map(|user| user.view());
    if let Err(error) = Caller::check(account, Permission::ReadOrders) {
        return refuse(error);
    }
    let wanted = match wanted(&query) {
        Ok(wanted) => wanted,
        Err(error) => return refuse(error.0),
    };
    // Begun before the answer is, because only then can it still be refused.
    let begun = async {
        let mut export = Export::of(&state.store, wanted).await?;
        let first = export.piece(&state.store).await?.unwrap_or_default();
        Ok::<_, Error>((export, first))
    };
    let (export, first) = match begun.await {
        Ok(begun) => begun,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the orders could not be exported");
            return refuse(error.to_api());
        }
    };
    let store = state.store.clone();
    let rest = stream::try_unfold(export, move |mut export| {
        let store = store.clone();
        async move { Ok::<_, Error>(export.piece(&store).await?.map(|piece| (Bytes::from(piece), export))) }
    });
    let whole = stream::once(ready(Ok(Bytes::from(first)))).chain(rest);
    (HEAD, Body::from_stream(whole)).into_response()
}
