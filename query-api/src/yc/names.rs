//! Services, operations, and how much there is.
//!
//! Knows: shapes. Must not know: where names come from.

use std::sync::Arc;

use axum::extract::State;
use serde_json::json;

use crate::backend::Cover;
use crate::jaeger::Room;
use crate::jaeger::call::{Call, Yc};
use crate::jaeger::refusal::Refusal;
use crate::trace::v1::kind_text;

use super::{Answered, answer};

/// `GET services`.
pub(super) async fn services(State(room): State<Arc<Room>>, call: Call<Yc>) -> Answered {
    let found = room.backend.services(&call.at_least).await?;
    let services: Vec<_> = found.value.into_iter().map(|name| json!({ "name": name })).collect();
    Ok(answer(&room, &json!({ "services": services }), &found.cover, call.began))
}

/// `GET operations?service`.
pub(super) async fn operations(State(room): State<Arc<Room>>, call: Call<Yc>) -> Answered {
    let service = call.params.get("service");
    if service.is_empty() {
        return Err(Refusal::invalid("parameter 'service' is required").into());
    }
    let (found, cover) = room.operations(service, "", &call.at_least).await?;
    let operations: Vec<_> = found
        .into_iter()
        .map(|(name, kind)| json!({ "name": name, "kind": kind_text(kind).unwrap_or("unspecified") }))
        .collect();
    Ok(answer(&room, &json!({ "operations": operations }), &cover, call.began))
}

/// `GET status`: asked of every store now.
pub(super) async fn status(State(room): State<Arc<Room>>, call: Call<Yc>) -> Answered {
    room.backend.refresh().await;
    let held = room.backend.held();
    let status = json!({
        "spans": held.spans,
        "partitions": held.partitions,
        "replaying": held.replaying,
        "newest": held.newest.to_string(),
    });
    Ok(answer(&room, &status, &Cover::default(), call.began))
}
