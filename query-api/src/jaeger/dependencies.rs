//! `GET /api/dependencies`: who calls whom, as Jaeger's system architecture page asks for it.
//!
//! Knows: its parameters and its shape. Must not know: how calls are counted. Start at [`dependencies`].

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use shared_proto::trace_store::v1::Callee;

use super::call::{Call, Refused, V1};
use super::{Room, millis, now, v1};

const LOOKBACK_MS: i64 = 24 * 3600 * 1000;

/// Calls of one service by another; of a service by itself too, as Jaeger counts every parent and child.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    parent: String,
    child: String,
    call_count: u64,
}

/// `GET /api/dependencies?endTs&lookback&service`: times in milliseconds.
pub(super) async fn dependencies(
    State(room): State<Arc<Room>>,
    call: Call<V1>,
) -> Result<Response, Refused<V1>> {
    let params = &call.params;
    let end = params.int("endTs")?.map_or_else(now, millis);
    let lookback = millis(params.int("lookback")?.unwrap_or(LOOKBACK_MS));
    let service = params.get("service");
    let edges = room.backend.edges(end.saturating_sub(lookback), end, &call.at_least).await?;
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (of, tally) in edges.value {
        let concerns = service.is_empty() || of.caller == service || of.callee == service;
        if of.callee_type == i32::from(Callee::Service) && concerns {
            *counts.entry((of.caller, of.callee)).or_default() += tally.count;
        }
    }
    let dependency = |((parent, child), call_count)| Dependency { parent, child, call_count };
    let data: Vec<Dependency> = counts.into_iter().map(dependency).collect();
    Ok(v1::envelope(&data, 0, &edges.cover.partial, params.pretty()))
}
