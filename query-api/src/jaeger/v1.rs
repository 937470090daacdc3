//! Handlers of Jaeger's v1 API.
//!
//! Knows: its routes and envelopes. Must not know: v3. Start at [`trace`].

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::backend::{Gathered, Partial};
use crate::trace::v1::kind_text;
use crate::trace_id::{self, TraceId};

use super::answer::{self, Form, Outgoing, Style};
use super::params::{Params, unescape};
use super::pretty::Pretty;
use super::refusal::{Envelope, ErrorEntry, Refusal, mark_partial};
use super::{Room, now, positions, search};

/// `GET /api/traces/{id}?raw&prettyPrint&start&end`: the times are hints that we do not need.
pub(super) async fn trace(
    State(room): State<Arc<Room>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.as_deref());
    let answered = async {
        let id = trace_id::parse(&id).map_err(Refusal::invalid)?;
        params.int("start")?;
        params.int("end")?;
        let raw = params.bool("raw")?;
        let answer = room.backend.traces(&[id], &positions(&headers, &params)?).await?;
        let Gathered { mut chunks, taken } = answer.value;
        let Some(chunks) = chunks.remove(&id) else {
            return Err(Refusal::absent("trace not found", answer.partial));
        };
        let style = room.style(Form::V1, raw, params.pretty());
        let traces = vec![(id, chunks)];
        let outgoing =
            Outgoing { traces, taken, partial: answer.partial, errors: Vec::new(), single: true, style };
        answer::send(outgoing, &room.writers).await
    };
    answered.await.unwrap_or_else(Refusal::v1)
}

/// `GET /api/traces?…`: a search, or several traces by `traceID`.
pub(super) async fn search(
    State(room): State<Arc<Room>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.as_deref());
    let answered = async {
        let search = search::v1(&params, room.limits.search_traces_max, now())?;
        let at_least = positions(&headers, &params)?;
        let by_id = !search.ids.is_empty();
        let (ids, mut partial) = match search {
            search::Search { ids, .. } if !ids.is_empty() => (ids, Partial::default()),
            search::Search { hopeless: true, .. } => (Vec::new(), Partial::default()),
            search::Search { query, .. } => {
                let found = room.backend.find(&query, &at_least).await?;
                (found.value.iter().map(|found| found.id).collect(), found.partial)
            }
        };
        let gathered = room.gather(&ids, &at_least, &mut partial).await?;
        let missing = ids
            .iter()
            .filter(|id| by_id && !gathered.chunks.contains_key(*id))
            .map(|id| not_found(*id, &partial));
        let errors = missing.collect();
        let style = room.style(Form::V1, params.bool("raw")?, params.pretty());
        let Gathered { chunks, taken } = gathered;
        let traces = ids.iter().filter_map(|id| Some((*id, chunks.get(id)?.clone()))).collect();
        answer::send(Outgoing { traces, taken, partial, errors, single: false, style }, &room.writers).await
    };
    answered.await.unwrap_or_else(Refusal::v1)
}

fn not_found(id: TraceId, partial: &Partial) -> ErrorEntry {
    let msg = if partial.may_heal() { "trace not found in a partial answer" } else { "trace not found" };
    ErrorEntry { code: None, msg: msg.to_owned(), trace_id: Some(trace_id::v1_text(id)) }
}

/// `GET /api/services`.
pub(super) async fn services(
    State(room): State<Arc<Room>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.as_deref());
    let answered = async {
        let answer = room.backend.services(&positions(&headers, &params)?).await?;
        Ok(list(&answer.value, &answer.partial, params.pretty()))
    };
    answered.await.unwrap_or_else(Refusal::v1)
}

/// An operation as v1 shows it; an unspecified kind is empty.
#[derive(Debug, Serialize)]
struct Operation {
    name: String,
    #[serde(rename = "spanKind")]
    span_kind: &'static str,
}

/// `GET /api/operations?service&spanKind`.
pub(super) async fn operations(
    State(room): State<Arc<Room>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.as_deref());
    let answered = async {
        let service = params.get("service");
        if service.is_empty() {
            return Err(Refusal::invalid("parameter 'service' is required"));
        }
        let (found, partial) = room.operations(service, params.get("spanKind"), &headers, &params).await?;
        let data: Vec<Operation> = found
            .into_iter()
            .map(|(name, kind)| Operation { name, span_kind: kind_text(kind).unwrap_or_default() })
            .collect();
        Ok(list(&data, &partial, params.pretty()))
    };
    answered.await.unwrap_or_else(Refusal::v1)
}

/// `GET /api/services/{service}/operations`: names alone. Jaeger unescapes the service twice, and so do its clients
/// escape it.
pub(super) async fn operations_of(
    State(room): State<Arc<Room>>,
    Path(service): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.as_deref());
    let answered = async {
        let service = unescape(&service).unwrap_or(service);
        let (found, partial) = room.operations(&service, "", &headers, &params).await?;
        let names: BTreeSet<String> = found.into_iter().map(|(name, _kind)| name).collect();
        Ok(list(&names.into_iter().collect::<Vec<_>>(), &partial, params.pretty()))
    };
    answered.await.unwrap_or_else(Refusal::v1)
}

/// A list in v1's envelope.
fn list<T: Serialize>(data: &[T], partial: &Partial, pretty: bool) -> Response {
    let errors = ErrorEntry::of_partial(partial).map(|entry| vec![entry]);
    let envelope = Envelope { data, total: data.len(), limit: 0, offset: 0, errors };
    let mut json = serde_json::to_vec(&envelope).unwrap_or_default();
    if pretty {
        let mut indented = Vec::with_capacity(json.len() * 2);
        Pretty::default().push(&json, &mut indented);
        json = indented;
    }
    let mut response = ([(header::CONTENT_TYPE, "application/json")], json).into_response();
    mark_partial(&mut response, partial);
    response
}

impl Room {
    /// How this process writes traces.
    pub(super) fn style(&self, form: Form, raw: bool, pretty: bool) -> Style {
        let (spans_max, clock_skew_max) = (self.limits.trace_spans_max, self.clock_skew_max);
        Style { form, raw, pretty, spans_max, clock_skew_max }
    }
}
