//! Handlers of Jaeger's API v3 over HTTP.
//!
//! Knows: its routes and envelopes. Must not know: v1. Start at [`trace`].

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use shared_proto::trace_store::v1::TraceSummary;

use crate::backend::{Cover, Gathered, Partial, Positions};
use crate::trace::v1::kind_text;
use crate::trace_id::{self, TraceId};

use super::answer::{self, Form, Outgoing};
use super::call::{Call, Refused, V3};
use super::refusal::{Refusal, mark_partial};
use super::{Room, search};

const NOTHING: &str = "No traces found";
/// Kinds by Jaeger's words; an operation of none of them has no kind.
const KINDS: [&str; 5] = ["internal", "server", "client", "producer", "consumer"];

type Answered = Result<Response, Refused<V3>>;

/// `GET /api/v3/traces/{id}?startTime&endTime&rawTraces`: the times are hints that we do not need.
pub(super) async fn trace(State(room): State<Arc<Room>>, Path(id): Path<String>, call: Call<V3>) -> Answered {
    let params = &call.params;
    let id = trace_id::parse(&id).map_err(|e| search::malformed("trace_id", &e))?;
    for names in [["startTime", "start_time"], ["endTime", "end_time"]] {
        let (name, text) = params.first_of(&names);
        if !text.is_empty() {
            search::time((name, text))?;
        }
    }
    let raw = search::truth(params.first_of(&["rawTraces", "raw_traces"]))?;
    Ok(room.send_v3(&[id], raw, &call.at_least, Cover::default(), true).await?)
}

/// `GET /api/v3/traces?query.…`.
pub(super) async fn search(State(room): State<Arc<Room>>, call: Call<V3>) -> Answered {
    let search = search::v3(&call.params, room.limits.search_traces_max)?;
    if search.hopeless {
        return Err(Refusal::absent(NOTHING, Partial::default()).into());
    }
    let found = room.backend.find(&search.query, &call.at_least).await?;
    let ids: Vec<TraceId> = found.value.traces.iter().map(|found| found.id).collect();
    Ok(room.send_v3(&ids, search.raw, &call.at_least, found.cover, false).await?)
}

/// `GET /api/v3/trace-summaries?query.…`: what Jaeger UI lists.
pub(super) async fn summaries(State(room): State<Arc<Room>>, call: Call<V3>) -> Answered {
    let search = search::v3(&call.params, room.limits.search_traces_max)?;
    if search.hopeless {
        return Ok(object(&json!({ "summaries": [] }), &Partial::default()));
    }
    let found = room.backend.find(&search.query, &call.at_least).await?;
    let ids: Vec<TraceId> = found.value.traces.iter().map(|found| found.id).collect();
    let mut summaries = room.backend.summaries(&ids, &search.query, &call.at_least).await?;
    summaries.cover.merge(&found.cover);
    let list: Vec<_> = ids.iter().filter_map(|id| summaries.value.remove(id)).map(summary).collect();
    Ok(object(&json!({ "summaries": list }), &summaries.cover.partial))
}

/// A summary as protobuf's JSON has it: what is zero or empty is left out. A span that lasts nothing lasts 1 ns.
fn summary(summary: TraceSummary) -> serde_json::Value {
    let count = |n: u32| (n > 0).then_some(n);
    let services = summary.services.iter().map(|s| {
        let mut service = json!({ "name": s.service, "spanCount": s.spans });
        put(&mut service, "errorSpanCount", count(s.errors));
        service
    });
    let end = summary.end_unix_nano.max(summary.start_unix_nano.saturating_add(1));
    let mut object = json!({
        "traceId": hex(&summary.trace_id),
        "minStartTimeUnixNano": summary.start_unix_nano.to_string(),
        "maxEndTimeUnixNano": end.to_string(),
        "spanCount": summary.spans,
        "services": services.collect::<Vec<_>>(),
    });
    put(&mut object, "errorSpanCount", count(summary.errors));
    put(&mut object, "orphanSpanCount", count(summary.orphans));
    if let Some(root) = summary.root {
        put(&mut object, "rootServiceName", Some(root.service));
        put(&mut object, "rootOperationName", Some(root.operation));
    }
    object
}

fn put(object: &mut serde_json::Value, key: &str, value: Option<impl Into<serde_json::Value>>) {
    if let (Some(map), Some(value)) = (object.as_object_mut(), value) {
        map.insert(key.to_owned(), value.into());
    }
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // writing to a string cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `GET /api/v3/services`.
pub(super) async fn services(State(room): State<Arc<Room>>, call: Call<V3>) -> Answered {
    let answer = room.backend.services(&call.at_least).await?;
    Ok(object(&json!({ "services": answer.value }), &answer.cover.partial))
}

/// `GET /api/v3/operations?service&spanKind`: an unspecified kind is shown as `internal`.
pub(super) async fn operations(State(room): State<Arc<Room>>, call: Call<V3>) -> Answered {
    let kind = call.params.first_of(&["spanKind", "span_kind"]).1;
    let (found, cover) = room.operations(call.params.get("service"), kind, &call.at_least).await?;
    let list: Vec<_> = found
        .into_iter()
        .map(|(name, kind)| json!({ "name": name, "spanKind": kind_text(kind).unwrap_or("internal") }))
        .collect();
    Ok(object(&json!({ "operations": list }), &cover.partial))
}

fn object(value: &serde_json::Value, partial: &Partial) -> Response {
    let mut response = ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response();
    mark_partial(&mut response, partial);
    response
}

impl Room {
    async fn send_v3(
        &self,
        ids: &[TraceId],
        raw: bool,
        at_least: &Positions,
        mut cover: Cover,
        single: bool,
    ) -> Result<Response, Refusal> {
        let Gathered { mut chunks, taken } = self.gather(ids, at_least, &mut cover).await?;
        let partial = cover.partial;
        let traces: Vec<_> = ids.iter().filter_map(|id| Some((*id, chunks.remove(id)?))).collect();
        if traces.is_empty() {
            return Err(Refusal::absent(NOTHING, partial));
        }
        let style = self.style(Form::V3, raw, false);
        answer::send(Outgoing { traces, taken, partial, errors: Vec::new(), single, style }, &self.writers)
            .await
    }

    /// The bytes of `ids`, and what is missing of them; nothing is asked for nothing.
    pub(super) async fn gather(
        &self,
        ids: &[TraceId],
        at_least: &Positions,
        cover: &mut Cover,
    ) -> Result<Gathered, Refusal> {
        if ids.is_empty() {
            return Ok(Gathered { chunks: std::collections::HashMap::new(), taken: Vec::new() });
        }
        let answer = self.backend.traces(ids, at_least).await?;
        cover.merge(&answer.cover);
        Ok(answer.value)
    }

    /// Operations of `service`, of the kind with the given word unless it is empty.
    pub(crate) async fn operations(
        &self,
        service: &str,
        kind: &str,
        at_least: &Positions,
    ) -> Result<(Vec<(String, i32)>, Cover), Refusal> {
        let known = (1..).zip(KINDS).find(|(_, word)| *word == kind).map(|(number, _)| number);
        if service.is_empty() || (known.is_none() && !kind.is_empty()) {
            return Ok((Vec::new(), Cover::default()));
        }
        let answer = self.backend.operations(service, known, at_least).await?;
        Ok((answer.value, answer.cover))
    }
}
