//! `GET search`: traces in any order, page by page, each summed up; and what is new.
//!
//! Knows: parameters, pages, when a trace may still grow. Must not know: how traces are found. Start at [`search`].

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use shared_proto::trace_store::v1::TraceSummary;

use crate::backend::{Cover, Found, Order, Positions, Query};
use crate::jaeger::Room;
use crate::jaeger::call::{Call, Yc};
use crate::jaeger::now;
use crate::jaeger::params::Params;
use crate::jaeger::refusal::Refusal;
use crate::jaeger::search::{nanos, tags};
use crate::jaeger::v3::hex;

use super::page::{Token, order_of};
use super::{Answered, answer};

const LIMIT_DEFAULT: u32 = 20;
/// A trace that ended later than this before now may still get spans.
const GROWING_NANOS: u64 = 30_000_000_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    traces: Vec<Trace>,
    next: Option<String>,
    position: String,
    searched: Searched,
    /// Only so many matching traces, the newest, were ranked or measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    bounded_to: Option<u64>,
}

#[derive(Serialize)]
struct Searched {
    from: String,
    to: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    trace_id: String,
    start: String,
    duration_nano: u64,
    root_service: String,
    root_operation: String,
    root_seen: bool,
    spans: u32,
    errors: u32,
    orphans: u32,
    growing: bool,
    first_error: Option<FirstError>,
    services: Vec<Service>,
    matched: Vec<String>,
}

#[derive(Serialize)]
struct FirstError {
    text: String,
    service: String,
    operation: String,
}

#[derive(Serialize)]
struct Service {
    name: String,
    spans: u32,
    errors: u32,
}

/// A search as asked for.
struct Asked {
    query: Query,
    /// No span can meet the conditions.
    hopeless: bool,
    /// The last answer's `position`: wait until there is more.
    wait: Option<Positions>,
    at_least: Positions,
}

/// Finds a page of traces.
pub(super) async fn search(State(room): State<Arc<Room>>, call: Call<Yc>) -> Answered {
    let Asked { query, hopeless, wait, at_least } = asked(&call, room.limits.search_traces_max)?;
    if let Some(known) = &wait {
        room.backend.news(known).await?;
    }
    let (mut found, mut traces, mut cover) = (Vec::new(), Vec::new(), Cover::default());
    let mut bounded_to = 0;
    if !hopeless {
        let hits = room.backend.find(&query, &at_least).await?;
        cover = hits.cover;
        (found, bounded_to) = (hits.value.traces, hits.value.bounded_to);
    }
    if !found.is_empty() {
        let ids: Vec<_> = found.iter().map(|found| found.id).collect();
        let mut summaries = room.backend.summaries(&ids, &query, &at_least).await?;
        let (positions, now) = (cover.positions.clone(), now());
        cover.merge(&summaries.cover);
        // summaries may see a little more: what is promised is what the search has seen
        cover.positions = positions;
        let shown = found.iter().filter_map(|found| Some((found, summaries.value.remove(&found.id)?)));
        let shown = shown.filter(|(found, summary)| !was_shown(&query, found, summary));
        traces = shown.map(|(_, summary)| trace(summary, now)).collect();
    }
    let is_full = u32::try_from(found.len()).is_ok_and(|n| n >= query.limit);
    let next = found
        .last()
        .filter(|_| is_full)
        .map(|last| Token { order: query.order, last: *last, positions: cover.positions.clone() }.text());
    let page = Page {
        traces,
        next,
        position: cover.positions.to_string(),
        searched: Searched { from: query.start.0.to_string(), to: query.start.1.to_string() },
        bounded_to: (bounded_to > 0).then_some(bounded_to),
    };
    Ok(answer(&room, &page, &cover, call.began))
}

/// A trace that lies in several partitions is found in each; its true place may be on a page before.
fn was_shown(query: &Query, found: &Found, summary: &TraceSummary) -> bool {
    let rank = match query.order {
        Order::Newest => summary.matched_newest_unix_nano,
        Order::Oldest => summary.matched_oldest_unix_nano,
        Order::Longest | Order::Spans | Order::Errors => return false,
    };
    let place = query.place(&Found { rank, ..*found });
    rank > 0 && query.after.is_some_and(|after| place <= query.place(&after))
}

fn asked(call: &Call<Yc>, limit_max: u32) -> Result<Asked, Refusal> {
    let params = &call.params;
    let limit = match params.int("limit")? {
        None => LIMIT_DEFAULT,
        Some(limit) => {
            u32::try_from(limit).ok().filter(|n| (1..=limit_max).contains(n)).ok_or_else(|| {
                Refusal::invalid(format!("'limit' should be between 1 and {limit_max}, received: {limit}"))
            })?
        }
    };
    let order = order_of(params.get("order"))?;
    let window = (time(params, "start")?.unwrap_or(0), time(params, "end")?.unwrap_or_else(now));
    let (duration, no_span) = durations(params, "minDuration", "maxDuration")?;
    let (trace_duration, no_trace) = durations(params, "minTraceDuration", "maxTraceDuration")?;
    let mut query = Query {
        service: params.get("service").to_owned(),
        operation: params.get("operation").to_owned(),
        attributes: tags(params)?,
        start: (window.0, window.1.saturating_add(1)),
        duration,
        trace_duration,
        limit,
        order,
        after: None,
    };
    let mut at_least = call.at_least.clone();
    if !params.get("page").is_empty() {
        let token = Token::parse(params.get("page"))?;
        if token.order != order {
            return Err(Refusal::invalid("'page' continues a search in another order"));
        }
        query.after = Some(token.last);
        at_least.merge(&token.positions);
    }
    let wait = match params.all("waitPosition").next() {
        None => None,
        Some(text) => {
            let mut known = Positions::default();
            known.parse(text).map_err(|e| Refusal::invalid(e.to_string()))?;
            at_least.merge(&known);
            Some(known)
        }
    };
    Ok(Asked { query, hopeless: window.0 > window.1 || no_span || no_trace, wait, at_least })
}

/// A time in Unix nanoseconds.
fn time(params: &Params, key: &str) -> Result<Option<u64>, Refusal> {
    match params.get(key) {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_no_number| {
            Refusal::invalid(format!(
                "unable to parse param '{key}': `{text}` is no time in Unix nanoseconds"
            ))
        }),
    }
}

/// Bounds of durations, both inclusive, and whether nothing can lie between them.
fn durations(params: &Params, min: &str, max: &str) -> Result<((u64, u64), bool), Refusal> {
    let (least, most) = (params.duration(min)?, params.duration(max)?);
    let is_empty = most < 0 || (least > most && most != 0);
    Ok(((nanos(i128::from(least)), nanos(i128::from(most))), is_empty))
}

fn trace(summary: TraceSummary, now: u64) -> Trace {
    let (start, end) = (summary.start_unix_nano, summary.end_unix_nano);
    let root_seen = summary.root.is_some();
    let root = summary.root.or(summary.orphan).unwrap_or_default();
    let services =
        summary.services.into_iter().map(|s| Service { name: s.service, spans: s.spans, errors: s.errors });
    let first_error = summary.error.map(|error| FirstError {
        text: error.text,
        service: error.service,
        operation: error.operation,
    });
    Trace {
        trace_id: hex(&summary.trace_id),
        start: start.to_string(),
        duration_nano: end.saturating_sub(start),
        root_service: root.service,
        root_operation: root.operation,
        root_seen,
        spans: summary.spans,
        errors: summary.errors,
        orphans: summary.orphans,
        growing: end.saturating_add(GROWING_NANOS) > now,
        first_error,
        services: services.collect(),
        matched: summary.matched.chunks(8).map(hex).collect(),
    }
}
