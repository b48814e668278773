//! The routes: what each request does, and what each error is called.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::service::App;
use crate::stats::Report;
use crate::store::{WriteError, Written};
use crate::stream;

/// The longest key, in bytes.
pub const KEY_LEN_MAX: usize = 1024;
/// Keys in one answer to `GET /kv`.
pub const LIST_LEN_MAX: usize = 1000;

pub(crate) fn router(app: App, body_max: usize) -> Router {
    Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/kv", get(list))
        .route("/kv/{key}", get(read).put(write).delete(delete))
        .route("/watch", get(stream::watch))
        .route("/ws", get(stream::websocket))
        .route("/stats", get(stats))
        .fallback(async || Refusal::new(StatusCode::NOT_FOUND, "there is nothing here"))
        .method_not_allowed_fallback(async || {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here")
        })
        .layer(DefaultBodyLimit::max(body_max))
        .layer(middleware::from_fn_with_state(app.clone(), count))
        .with_state(app)
}

async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    app.stats.requests.add_one();
    if answer.status().is_server_error() {
        app.stats.failed.add_one();
    }
    answer
}

/// A request that is not granted: a status and a sentence, as JSON.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        (self.status, headers, Json(json!({ "error": self.message }))).into_response()
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        let status = match error {
            WriteError::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            WriteError::Failed(_) | WriteError::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

type KeyPath = Result<Path<String>, PathRejection>;

fn checked_key(path: KeyPath) -> Result<String, Refusal> {
    let Path(key) = path?;
    if key.is_empty() || key.len() > KEY_LEN_MAX {
        let message = format!(
            "a key has 1 to {KEY_LEN_MAX} bytes, this one has {}",
            key.len()
        );
        return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
    }
    Ok(key)
}

async fn read(State(app): State<App>, key: KeyPath) -> Result<Response, Refusal> {
    let key = checked_key(key)?;
    let Some(value) = app.store.get(&key) else {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "no such key"));
    };
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], value).into_response())
}

async fn write(
    State(app): State<App>,
    key: KeyPath,
    value: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let Written { sequence, existed } = app.store.put(checked_key(key)?, value?).await?;
    let status = if existed {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(json!({ "sequence": sequence }))).into_response())
}

async fn delete(State(app): State<App>, key: KeyPath) -> Result<Response, Refusal> {
    let Written { sequence, existed } = app.store.delete(checked_key(key)?).await?;
    if !existed {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "no such key"));
    }
    Ok(Json(json!({ "sequence": sequence })).into_response())
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    prefix: String,
    /// Continues a list that was cut: the last key of it.
    #[serde(default)]
    after: String,
}

async fn list(
    State(app): State<App>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(ListQuery { prefix, after }) = query?;
    let (keys, more) = app.store.list(&prefix, &after, LIST_LEN_MAX);
    let keys: Vec<_> = keys
        .iter()
        .map(|(key, bytes)| json!({ "key": key, "bytes": bytes }))
        .collect();
    Ok(Json(json!({ "keys": keys, "more": more })).into_response())
}

async fn stats(State(app): State<App>) -> Json<Report> {
    let sizes = app.store.sizes();
    Json(Report {
        listeners: app.feed.listeners() as u64,
        keys: sizes.keys,
        live_bytes: sizes.live_bytes,
        log_bytes: sizes.log_bytes,
        sequence: sizes.sequence,
        in_doubt: sizes.in_doubt,
        ..app.stats.report()
    })
}
