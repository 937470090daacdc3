//! The web app's own API, `/api/yc/v1`: what Jaeger's has no words for.
//!
//! Knows: shapes of answers, pages, what each answer says about itself. Must not know: partitions, how Jaeger says it.
//! Start at [`routes`]; `search` finds traces, `skeleton` and `details` show one, `names` and `attributes` complete
//! what is typed.

mod attributes;
mod details;
mod find;
mod names;
mod page;
mod search;
mod skeleton;
mod value;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use serde_json::{Value, json};

use crate::backend::Cover;
use crate::jaeger::Room;
use crate::jaeger::call::{Refused, Yc};
use crate::jaeger::refusal::mark_partial;

type Answered = Result<Response, Refused<Yc>>;

/// All routes of the API that are about traces.
pub(crate) fn routes() -> Router<Arc<Room>> {
    Router::new()
        .route("/api/yc/v1/search", get(search::search))
        .route("/api/yc/v1/services", get(names::services))
        .route("/api/yc/v1/operations", get(names::operations))
        .route("/api/yc/v1/status", get(names::status))
        .route("/api/yc/v1/attributes", get(attributes::keys))
        .route("/api/yc/v1/attributes/values", get(attributes::values))
        .route("/api/yc/v1/traces/{id}/skeleton", get(skeleton::skeleton))
        .route("/api/yc/v1/traces/{id}/spans", get(details::spans))
        .route("/api/yc/v1/traces/{id}/events", get(details::events))
        .route("/api/yc/v1/traces/{id}/find", get(find::find))
}

/// What every answer says about itself: `cost`, `partial`, `dataFrom`.
pub(crate) fn meta(room: &Room, cover: &Cover, began: Instant) -> Value {
    let partial: Vec<Value> = cover
        .partial
        .reasons()
        .map(|(partition, reason)| json!({ "partition": partition, "reason": reason }))
        .collect();
    json!({
        "cost": {
            "objects": cover.cost.objects,
            "bytes": cover.cost.bytes,
            "spans": cover.cost.spans,
            "ms": began.elapsed().as_secs_f64() * 1e3,
        },
        "partial": partial,
        "dataFrom": room.backend.held().oldest.to_string(),
    })
}

/// An object of our own fields and those of [`meta`].
pub(crate) fn answer(room: &Room, value: &impl Serialize, cover: &Cover, began: Instant) -> Response {
    #[derive(Serialize)]
    struct Whole<'a, T> {
        #[serde(flatten)]
        value: &'a T,
        #[serde(flatten)]
        meta: Value,
    }
    let json = serde_json::to_vec(&Whole { value, meta: meta(room, cover, began) }).unwrap_or_default();
    let mut response = ([(header::CONTENT_TYPE, "application/json")], json).into_response();
    mark_partial(&mut response, &cover.partial);
    response
}
