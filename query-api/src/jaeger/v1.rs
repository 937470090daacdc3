//! Handlers of Jaeger's v1 API.
//!
//! Knows: its routes and envelopes. Must not know: v3. Start at [`trace`].

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::backend::{Cover, Gathered, Partial};
use crate::trace::v1::kind_text;
use crate::trace_id::{self, TraceId};

use super::answer::{self, Form, Outgoing, Style};
use super::call::{Call, Refused, V1};
use super::params::unescape;
use super::pretty::Pretty;
use super::refusal::{Envelope, ErrorEntry, Refusal, mark_partial};
use super::{Room, now, search};

type Answered = Result<Response, Refused<V1>>;

/// `GET /api/traces/{id}?raw&prettyPrint&start&end`: the times are hints that we do not need.
pub(super) async fn trace(State(room): State<Arc<Room>>, Path(id): Path<String>, call: Call<V1>) -> Answered {
    let params = &call.params;
    let id = trace_id::parse(&id).map_err(Refusal::invalid)?;
    params.int("start")?;
    params.int("end")?;
    let raw = params.bool("raw")?;
    let answer = room.backend.traces(&[id], &call.at_least).await?;
    let partial = answer.cover.partial;
    let Gathered { mut chunks, taken } = answer.value;
    let Some(chunks) = chunks.remove(&id) else {
        return Err(Refusal::absent("trace not found", partial).into());
    };
    let style = room.style(Form::V1, raw, params.pretty());
    let outgoing =
        Outgoing { traces: vec![(id, chunks)], taken, partial, errors: Vec::new(), single: true, style };
    Ok(answer::send(outgoing, &room.writers).await?)
}

/// `GET /api/traces?…`: a search, or several traces by `traceID`.
pub(super) async fn search(State(room): State<Arc<Room>>, call: Call<V1>) -> Answered {
    let params = &call.params;
    let search = search::v1(params, room.limits.search_traces_max, now())?;
    let raw = params.bool("raw")?;
    let by_id = !search.ids.is_empty();
    let mut cover = Cover::default();
    let ids = match search {
        search::Search { ids, .. } if !ids.is_empty() => ids,
        search::Search { hopeless: true, .. } => Vec::new(),
        search::Search { query, .. } => {
            let found = room.backend.find(&query, &call.at_least).await?;
            cover = found.cover;
            found.value.traces.iter().map(|found| found.id).collect()
        }
    };
    let gathered = room.gather(&ids, &call.at_least, &mut cover).await?;
    let partial = cover.partial;
    let missing = ids
        .iter()
        .filter(|id| by_id && !gathered.chunks.contains_key(*id))
        .map(|id| not_found(*id, &partial));
    let errors = missing.collect();
    let style = room.style(Form::V1, raw, params.pretty());
    let Gathered { chunks, taken } = gathered;
    let traces = ids.iter().filter_map(|id| Some((*id, chunks.get(id)?.clone()))).collect();
    let outgoing = Outgoing { traces, taken, partial, errors, single: false, style };
    Ok(answer::send(outgoing, &room.writers).await?)
}

fn not_found(id: TraceId, partial: &Partial) -> ErrorEntry {
    let msg = if partial.may_heal() { "trace not found in a partial answer" } else { "trace not found" };
    ErrorEntry { code: None, msg: msg.to_owned(), trace_id: Some(trace_id::v1_text(id)) }
}

/// `POST /api/archive/{id}`. Jaeger copies the trace into a second storage that lives longer; here a trace lives as long
/// as the data it was written with, so this is refused, in Jaeger's words for a storage that is not configured.
pub(super) async fn archive(Path(id): Path<String>) -> Answered {
    trace_id::parse(&id).map_err(Refusal::invalid)?;
    Err(Refusal::not_offered("archive span storage was not configured").into())
}

/// `GET /api/services`.
pub(super) async fn services(State(room): State<Arc<Room>>, call: Call<V1>) -> Answered {
    let answer = room.backend.services(&call.at_least).await?;
    Ok(list(&answer.value, &answer.cover.partial, call.params.pretty()))
}

/// An operation as v1 shows it; an unspecified kind is empty.
#[derive(Debug, Serialize)]
struct Operation {
    name: String,
    #[serde(rename = "spanKind")]
    span_kind: &'static str,
}

/// `GET /api/operations?service&spanKind`.
pub(super) async fn operations(State(room): State<Arc<Room>>, call: Call<V1>) -> Answered {
    let service = call.params.get("service");
    if service.is_empty() {
        return Err(Refusal::invalid("parameter 'service' is required").into());
    }
    let (found, cover) = room.operations(service, call.params.get("spanKind"), &call.at_least).await?;
    let data: Vec<Operation> = found
        .into_iter()
        .map(|(name, kind)| Operation { name, span_kind: kind_text(kind).unwrap_or_default() })
        .collect();
    Ok(list(&data, &cover.partial, call.params.pretty()))
}

/// `GET /api/services/{service}/operations`: names alone. Jaeger unescapes the service twice, and so do its clients
/// escape it.
pub(super) async fn operations_of(
    State(room): State<Arc<Room>>,
    Path(service): Path<String>,
    call: Call<V1>,
) -> Answered {
    let service = unescape(&service).unwrap_or(service);
    let (found, cover) = room.operations(&service, "", &call.at_least).await?;
    let names: BTreeSet<String> = found.into_iter().map(|(name, _kind)| name).collect();
    Ok(list(&names.into_iter().collect::<Vec<_>>(), &cover.partial, call.params.pretty()))
}

/// A list in v1's envelope.
fn list<T: Serialize>(data: &[T], partial: &Partial, pretty: bool) -> Response {
    envelope(data, data.len(), partial, pretty)
}

/// A list in v1's envelope, of which Jaeger says that it has `total` elements.
pub(super) fn envelope<T: Serialize>(data: &[T], total: usize, partial: &Partial, pretty: bool) -> Response {
    let errors = ErrorEntry::of_partial(partial).map(|entry| vec![entry]);
    let envelope = Envelope { data, total, limit: 0, offset: 0, errors };
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
