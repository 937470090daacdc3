//! What a skeleton leaves out: whole spans by their rows, and all events of a trace in order.
//!
//! Knows: shapes, how a stored span becomes the one that its row shows. Must not know: how spans are read. Start at
//! [`spans`].

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use prost::Message;
use runtime_service::{Kind, Status};
use serde_json::{Value, json};

use crate::jaeger::Room;
use crate::jaeger::call::{Call, Yc};
use crate::jaeger::refusal::Refusal;
use crate::jaeger::v3::hex;
use crate::trace::skeleton::{ORPHAN, Row, Skeleton, flag};
use crate::trace::v1::kind_text;
use crate::trace::{Trace, adjust, attributes, sanitize, warnings};
use crate::trace_id;

use super::value;
use super::{Answered, answer};

/// Rows of one question.
const ROWS_MAX: usize = 500;
const EVENTS_DEFAULT: usize = 10_000;
const EVENTS_MAX: usize = 100_000;
/// Words of status codes.
const STATUSES: [&str; 3] = ["UNSET", "OK", "ERROR"];

/// `5,6,7-20` as numbers, ascending, each once.
fn rows_of(text: &str, rows: usize) -> Result<Vec<u32>, Refusal> {
    let wrong = || Refusal::invalid(format!("'rows' should be like 5,6,7-20, received: {text}"));
    let mut list = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let from: u32 = from.parse().map_err(|_no_number| wrong())?;
        let to: u32 = to.parse().map_err(|_no_number| wrong())?;
        list.extend((from..=to).take(ROWS_MAX + 1));
        if list.len() > ROWS_MAX {
            return Err(Refusal::invalid(format!("'rows' names more than {ROWS_MAX} rows")));
        }
    }
    list.sort_unstable();
    list.dedup();
    if let Some(last) = list.last().filter(|last| usize::try_from(**last).is_ok_and(|last| last >= rows)) {
        return Err(Refusal::invalid(format!("row {last} is beyond the trace, which has {rows}")));
    }
    Ok(list)
}

/// `GET traces/{id}/spans?rows&version&raw`.
pub(super) async fn spans(State(room): State<Arc<Room>>, Path(id): Path<String>, call: Call<Yc>) -> Answered {
    let id = trace_id::parse(&id).map_err(Refusal::invalid)?;
    let asked = room.asked_about(id, &call.params, &call.at_least).await?;
    let (skeleton, mut cover) = (asked.value, asked.cover);
    let rows = rows_of(call.params.get("rows"), skeleton.rows.len())?;
    let origins = rows.iter().filter_map(|row| Some(skeleton.row(*row)?.origin.id));
    let mut ids: Vec<u64> = origins.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut list = Vec::new();
    if !ids.is_empty() {
        let found = room.backend.spans(id, ids.into_iter(), &call.at_least).await?;
        cover.merge(&found.cover);
        let mut gathered = found.value;
        let chunks = gathered.chunks.remove(&id).unwrap_or_default();
        let skew_max = room.skew_max();
        let written = room.writers.run(move || {
            let trace = Trace::decode(id, &chunks, usize::MAX)?;
            Ok(write(trace, &rows, &skeleton, skew_max))
        });
        let written: Result<_, crate::trace::Damaged> = written.await?;
        list = written.map_err(|damaged| Refusal::internal(damaged.to_string()))?;
    }
    Ok(answer(&room, &json!({ "spans": list }), &cover, call.began))
}

/// What rows and stored spans have in common: id, start, operation, kind.
type Identity = (u64, u64, String, i32);

fn identity_of(span: &Span) -> Identity {
    let (id, start) = origin_of(span);
    (id, start, span.name.clone(), if (0..=5).contains(&span.kind) { span.kind } else { 0 })
}

fn write(trace: Trace, rows: &[u32], skeleton: &Skeleton, skew_max: Duration) -> Vec<Value> {
    let mut stored: HashMap<Identity, VecDeque<Trace>> = HashMap::new();
    for alone in each_alone(trace) {
        let Some(identity) = alone.spans().next().map(identity_of) else { continue };
        stored.entry(identity).or_default().push_back(alone);
    }
    let mut list = Vec::new();
    for &number in rows {
        let Some(row) = skeleton.row(number) else { continue };
        let operation = usize::try_from(row.operation).ok().and_then(|at| skeleton.operations.get(at));
        let kind = i32::from(row.flags & flag::KIND);
        let identity = (row.origin.id, row.origin.start, operation.cloned().unwrap_or_default(), kind);
        let Some(candidates) = stored.get_mut(&identity) else { continue };
        // spans that are equal in all of that are told apart by their order
        let Some(mut alone) = candidates.pop_front() else { continue };
        if !skeleton.raw {
            adjust::adjust_alone(&mut alone);
        }
        list.extend(detail(&alone, number, row, skeleton, skew_max));
    }
    list
}

/// Each span with its surroundings, repaired.
fn each_alone(trace: Trace) -> Vec<Trace> {
    let id = trace.id;
    let mut list = Vec::new();
    for mut resource in trace.resources {
        for mut scope in std::mem::take(&mut resource.scope_spans) {
            for span in std::mem::take(&mut scope.spans) {
                let scope_spans = vec![ScopeSpans { spans: vec![span], ..scope.clone() }];
                let resources = vec![ResourceSpans { scope_spans, ..resource.clone() }];
                let mut alone = Trace { id, resources, warnings: Vec::new() };
                sanitize::sanitize(&mut alone);
                list.push(alone);
            }
        }
    }
    list
}

fn detail(alone: &Trace, number: u32, row: &Row, skeleton: &Skeleton, skew_max: Duration) -> Option<Value> {
    let resource = alone.resources.first()?;
    let scope = resource.scope_spans.first()?;
    let span = scope.spans.first()?;
    let resource_list = resource.resource.as_ref().map(|r| r.attributes.as_slice()).unwrap_or_default();
    let moved = row.start.cast_signed().wrapping_sub(row.origin.start.cast_signed());
    let own = span.attributes.iter().flat_map(warnings::texts).map(str::to_owned);
    let warnings: Vec<String> = own.chain(skeleton.warnings_of(number, skew_max)).collect();
    let (name, version, scope_list) = scope
        .scope
        .as_ref()
        .map_or(("", "", [].as_slice()), |s| (s.name.as_str(), s.version.as_str(), s.attributes.as_slice()));
    let status = span.status.as_ref();
    let code = status.and_then(|s| usize::try_from(s.code).ok()).and_then(|code| STATUSES.get(code));
    Some(json!({
        "row": number,
        "spanId": format!("{:016x}", row.id),
        "parentSpanId": if row.parent_id == 0 { String::new() } else { format!("{:016x}", row.parent_id) },
        "orphan": row.parent == ORPHAN,
        "name": span.name,
        "service": attributes::text(resource_list, sanitize::SERVICE_NAME).unwrap_or_default(),
        "kind": kind_text(span.kind).unwrap_or("unspecified"),
        "start": row.start.to_string(),
        "durationNano": row.duration,
        "status": {
            "code": code.copied().unwrap_or("UNSET"),
            "message": status.map(|s| s.message.as_str()).unwrap_or_default(),
        },
        "traceState": span.trace_state,
        "flags": span.flags,
        "attributes": value::attributes(&span.attributes),
        "resource": value::attributes(resource_list),
        "scope": { "name": name, "version": version, "attributes": value::attributes(scope_list) },
        "events": span.events.iter().map(|event| json!({
            "time": event.time_unix_nano.saturating_add_signed(moved).to_string(),
            "name": event.name,
            "attributes": value::attributes(&event.attributes),
        })).collect::<Vec<_>>(),
        "links": span.links.iter().map(|link| json!({
            "traceId": hex(&link.trace_id),
            "spanId": hex(&link.span_id),
            "traceState": link.trace_state,
            "attributes": value::attributes(&link.attributes),
        })).collect::<Vec<_>>(),
        "dropped": {
            "attributes": span.dropped_attributes_count,
            "events": span.dropped_events_count,
            "links": span.dropped_links_count,
        },
        "warnings": warnings,
    }))
}

/// Rows by what a stored span is known by.
pub(super) fn rows_by_origin(skeleton: &Skeleton) -> HashMap<(u64, u64), Vec<u32>> {
    let mut rows: HashMap<(u64, u64), Vec<u32>> = HashMap::new();
    for (number, row) in (0..).zip(&skeleton.rows) {
        rows.entry((row.origin.id, row.origin.start)).or_default().push(number);
    }
    rows
}

/// Goes over the spans of a piece of a trace.
///
/// # Errors
/// When the piece is damaged.
pub(super) fn each_span(
    chunk: &[u8],
    mut look: impl FnMut(&ResourceSpans, &ScopeSpans, &Span),
) -> Result<(), Status> {
    let data = TracesData::decode(chunk)
        .map_err(|e| Status::new(Kind::Internal, format!("a stored trace is damaged: {e}")))?;
    for resource in &data.resource_spans {
        for scope in &resource.scope_spans {
            scope.spans.iter().for_each(|span| look(resource, scope, span));
        }
    }
    Ok(())
}

/// The origin of a stored span.
pub(super) fn origin_of(span: &Span) -> (u64, u64) {
    let id = <[u8; 8]>::try_from(span.span_id.as_slice()).map_or(0, u64::from_be_bytes);
    (id, span.start_time_unix_nano)
}

/// An event on its way out.
struct Event {
    time: u64,
    row: u32,
    name: String,
    attributes: Vec<KeyValue>,
}

/// `GET traces/{id}/events?limit&version&raw`: the first ones in the order of time.
pub(super) async fn events(
    State(room): State<Arc<Room>>,
    Path(id): Path<String>,
    call: Call<Yc>,
) -> Answered {
    let id = trace_id::parse(&id).map_err(Refusal::invalid)?;
    let limit = match call.params.int("limit")? {
        None => EVENTS_DEFAULT,
        Some(limit) => {
            usize::try_from(limit).ok().filter(|n| (1..=EVENTS_MAX).contains(n)).ok_or_else(|| {
                Refusal::invalid(format!("'limit' should be between 1 and {EVENTS_MAX}, received: {limit}"))
            })?
        }
    };
    let asked = room.asked_about(id, &call.params, &call.at_least).await?;
    let (skeleton, mut cover) = (asked.value, asked.cover);
    let rows = Arc::new(rows_by_origin(&skeleton));
    let look = move |events: &mut Vec<Event>, chunk: &[u8]| {
        each_span(chunk, |_, _, span| {
            let origin = origin_of(span);
            let Some(&number) = rows.get(&origin).and_then(|rows| rows.first()) else { return };
            let start = skeleton.row(number).map_or(origin.1, |row| row.start);
            let moved = start.cast_signed().wrapping_sub(origin.1.cast_signed());
            events.extend(span.events.iter().map(|event| Event {
                time: event.time_unix_nano.saturating_add_signed(moved),
                row: number,
                name: event.name.clone(),
                attributes: event.attributes.clone(),
            }));
        })?;
        keep_first(events, limit.saturating_mul(2), limit);
        Ok(())
    };
    let walked = room.backend.walk(id, &call.at_least, look).await?;
    cover.merge(&walked.cover);
    let mut events: Vec<Event> = walked.value.into_iter().flatten().collect();
    let found = events.len();
    keep_first(&mut events, limit, limit);
    let list: Vec<Value> = events
        .iter()
        .map(|event| {
            json!({
                "row": event.row,
                "time": event.time.to_string(),
                "name": event.name,
                "attributes": value::attributes(&event.attributes),
            })
        })
        .collect();
    Ok(answer(&room, &json!({ "events": list, "cut": found > limit }), &cover, call.began))
}

/// Once there are more than `most`, keeps the first `kept` by time.
fn keep_first(events: &mut Vec<Event>, most: usize, kept: usize) {
    if events.len() > most || most == kept {
        events.sort_by_key(|event| (event.time, event.row));
        events.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbers_and_ranges_within_the_trace() {
        let read = |text: &str| rows_of(text, 1_000).map_err(|r| r.message().to_owned());
        assert_eq!(read("5,6,7-9, 6"), Ok(vec![5, 6, 7, 8, 9]));
        assert_eq!(read(""), Ok(vec![]));
        assert_eq!(read("9-8"), Ok(vec![]));
        assert!(read("x").unwrap_err().starts_with("'rows' should be like"));
        assert_eq!(read("1000"), Err("row 1000 is beyond the trace, which has 1000".to_owned()));
        assert_eq!(read("0-4294967295"), Err("'rows' names more than 500 rows".to_owned()));
    }
}
