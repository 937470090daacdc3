//! Handlers of Jaeger's API v3 over HTTP.
//!
//! Knows: its routes and envelopes. Must not know: v1. Start at [`trace`].

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::backend::{Gathered, Partial, Positions};
use crate::trace::v1::kind_text;
use crate::trace_id::{self, TraceId};

use super::answer::{self, Form, Outgoing};
use super::params::Params;
use super::refusal::{Refusal, mark_partial};
use super::{Room, positions, search};

const NOTHING: &str = "No traces found";
/// Kinds by Jaeger's words; an operation of none of them has no kind.
const KINDS: [&str; 5] = ["internal", "server", "client", "producer", "consumer"];

/// `GET /api/v3/traces/{id}?startTime&endTime&rawTraces`: the times are hints that we do not need.
pub(super) async fn trace(
    State(room): State<Arc<Room>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.as_deref());
    let answered = async {
        let id = trace_id::parse(&id).map_err(|e| search::malformed("trace_id", &e))?;
        for names in [["startTime", "start_time"], ["endTime", "end_time"]] {
            let (name, text) = params.first_of(&names);
            if !text.is_empty() {
                search::time((name, text))?;
            }
        }
        let raw = search::truth(params.first_of(&["rawTraces", "raw_traces"]))?;
        let at_least = positions(&headers, &params)?;
        room.send_v3(&[id], raw, &at_least, Partial::default(), true).await
    };
    answered.await.unwrap_or_else(Refusal::v3)
}

/// `GET /api/v3/traces?query.…`.
pub(super) async fn search(
    State(room): State<Arc<Room>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.as_deref());
    let answered = async {
        let search = search::v3(&params, room.limits.search_traces_max)?;
        let at_least = positions(&headers, &params)?;
        if search.hopeless {
            return Err(Refusal::absent(NOTHING, Partial::default()));
        }
        let found = room.backend.find(&search.query, &at_least).await?;
        let ids: Vec<TraceId> = found.value.iter().map(|found| found.id).collect();
        room.send_v3(&ids, search.raw, &at_least, found.partial, false).await
    };
    answered.await.unwrap_or_else(Refusal::v3)
}

/// `GET /api/v3/services`.
pub(super) async fn services(
    State(room): State<Arc<Room>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.as_deref());
    let answered = async {
        let answer = room.backend.services(&positions(&headers, &params)?).await?;
        Ok(object(&json!({ "services": answer.value }), &answer.partial))
    };
    answered.await.unwrap_or_else(Refusal::v3)
}

/// `GET /api/v3/operations?service&spanKind`: an unspecified kind is shown as `internal`.
pub(super) async fn operations(
    State(room): State<Arc<Room>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.as_deref());
    let answered = async {
        let kind = params.first_of(&["spanKind", "span_kind"]).1;
        let (found, partial) = room.operations(params.get("service"), kind, &headers, &params).await?;
        let list: Vec<_> = found
            .into_iter()
            .map(|(name, kind)| json!({ "name": name, "spanKind": kind_text(kind).unwrap_or("internal") }))
            .collect();
        Ok(object(&json!({ "operations": list }), &partial))
    };
    answered.await.unwrap_or_else(Refusal::v3)
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
        mut partial: Partial,
        single: bool,
    ) -> Result<Response, Refusal> {
        let Gathered { mut chunks, taken } = self.gather(ids, at_least, &mut partial).await?;
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
        partial: &mut Partial,
    ) -> Result<Gathered, Refusal> {
        if ids.is_empty() {
            return Ok(Gathered { chunks: std::collections::HashMap::new(), taken: Vec::new() });
        }
        let answer = self.backend.traces(ids, at_least).await?;
        partial.merge(&answer.partial);
        Ok(answer.value)
    }

    /// Operations of `service`, of the kind with the given word unless it is empty.
    pub(super) async fn operations(
        &self,
        service: &str,
        kind: &str,
        headers: &HeaderMap,
        params: &Params,
    ) -> Result<(Vec<(String, i32)>, Partial), Refusal> {
        let known = (1..).zip(KINDS).find(|(_, word)| *word == kind).map(|(number, _)| number);
        if service.is_empty() || (known.is_none() && !kind.is_empty()) {
            return Ok((Vec::new(), Partial::default()));
        }
        let answer = self.backend.operations(service, known, &positions(headers, params)?).await?;
        Ok((answer.value, answer.partial))
    }
}
