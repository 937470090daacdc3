//! The two data sources: fixed, read-only, both query-api's.
//!
//! Knows: the shapes of `/api/datasources…`. Must not know: how they are reached. Start at [`list`].

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::proxy::Source;
use crate::room::Room;

use super::own::ORG_ID;

fn shown(room: &Room, source: Source) -> Value {
    let prefix = &room.server.url_prefix;
    json!({
        "id": source.id(),
        "uid": source.uid(),
        "orgId": ORG_ID,
        "name": source.name(),
        "type": source.kind(),
        "access": "proxy",
        "url": format!("{prefix}api/datasources/proxy/uid/{}", source.uid()),
        "isDefault": source == Source::Metrics,
        "readOnly": true,
        "basicAuth": false,
        "jsonData": {},
        "secureJsonFields": {},
    })
}

fn find(uid: &str) -> Result<Source, Failure> {
    Source::find(uid).ok_or_else(|| Failure::not_found("Data source not found"))
}

/// `GET /api/datasources`
pub(super) async fn list(State(room): State<Arc<Room>>) -> Json<Value> {
    Json(Source::ALL.iter().map(|source| shown(&room, *source)).collect())
}

/// `GET /api/datasources/uid/{uid}`
pub(super) async fn get(
    State(room): State<Arc<Room>>,
    Path(uid): Path<String>,
) -> Result<Json<Value>, Failure> {
    Ok(Json(shown(&room, find(&uid)?)))
}

/// `GET /api/datasources/uid/{uid}/health`
pub(super) async fn health(
    State(room): State<Arc<Room>>,
    Path(uid): Path<String>,
) -> Result<Response, Failure> {
    let source = find(&uid)?;
    Ok(match room.proxy.probe(source).await {
        Ok(()) => Json(json!({ "status": "OK", "message": "Data source is working" })).into_response(),
        Err(why) => {
            let body = json!({ "status": "ERROR", "message": why.message() });
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    })
}
