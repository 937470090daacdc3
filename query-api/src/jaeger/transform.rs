//! `POST /api/transform`: OTLP/JSON that a user has in a file, as v1 would show it. Nothing is stored.
//!
//! Knows: bodies, the limit on them. Must not know: stores. Start at [`transform`].

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, TracesData};
use prost::Message;
use shared_proto::otlp::{self, Signal};

use crate::backend::Partial;
use crate::trace_id::{self, TraceId};

use super::Room;
use super::answer::{self, Form, Outgoing};
use super::call::{Call, Refused, V1};
use super::refusal::Refusal;

/// Bytes of a body: what the receivers take by default.
pub(super) const BODY_BYTES_MAX: usize = 16 << 20;

/// Answers the traces of an OTLP/JSON body, each adjusted like one that was stored.
pub(super) async fn transform(
    State(room): State<Arc<Room>>,
    call: Call<V1>,
    body: Bytes,
) -> Result<Response, Refused<V1>> {
    let style = room.style(Form::V1, false, call.params.pretty());
    let traces = room.writers.run(move || split(&body)).await??;
    let partial = Partial::default();
    let outgoing = Outgoing { traces, taken: Vec::new(), partial, errors: Vec::new(), single: false, style };
    Ok(answer::send(outgoing, &room.writers).await?)
}

/// The traces of a body in the order of their first spans, as chunks of OTLP.
fn split(json: &Bytes) -> Result<Vec<(TraceId, Vec<Bytes>)>, Refusal> {
    let refused = |e: &dyn std::fmt::Display| Refusal::invalid(format!("cannot unmarshal OTLP : {e}"));
    let bytes = otlp::json::decode(Signal::Traces, json).map_err(|e| refused(&e))?;
    let data = TracesData::decode(bytes).map_err(|e| refused(&e))?;
    let mut order: Vec<TraceId> = Vec::new();
    let mut traces: HashMap<TraceId, Vec<ResourceSpans>> = HashMap::new();
    for mut resource in data.resource_spans {
        for mut scope in std::mem::take(&mut resource.scope_spans) {
            for span in std::mem::take(&mut scope.spans) {
                let id = trace_id::from_bytes(&span.trace_id).unwrap_or_default();
                let trace = traces.entry(id).or_insert_with(|| {
                    order.push(id);
                    Vec::new()
                });
                let alone = ScopeSpans { spans: vec![span], ..scope.clone() };
                trace.push(ResourceSpans { scope_spans: vec![alone], ..resource.clone() });
            }
        }
    }
    let chunk = |id: TraceId| {
        let resource_spans = traces.remove(&id).unwrap_or_default();
        (id, vec![Bytes::from(TracesData { resource_spans }.encode_to_vec())])
    };
    Ok(order.into_iter().map(chunk).collect())
}
