//! Searches: every partition in its order, merged; summaries of what was found, from every partition that has some.
//!
//! Knows: orders, places, how parts of a trace add up. Must not know: parameters, pages. Start at [`Backend::find`].

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use runtime_service::Status;
use shared_proto::trace_store::v1::{
    AttributeEquals, ErrorSpan, FindTracesRequest, GetSummariesRequest, RootSpan, ServiceCount, TraceKey,
    TraceSummary,
};

use crate::trace_id::{self, TraceId};

use super::ask::Asked;
use super::reads::part;
use super::{Answer, Backend, Positions};

pub(crate) use shared_proto::trace_store::v1::Order;

/// Matched spans that a summary names.
const MATCHED_BYTES_MAX: usize = 10 * 8;

/// What a search looks for; all conditions but the trace's duration hold on one span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// Empty means every service.
    pub(crate) service: String,
    /// Empty means every operation.
    pub(crate) operation: String,
    /// Attributes, compared as text.
    pub(crate) attributes: Vec<(String, String)>,
    /// Start of the span in Unix nanoseconds, from (inclusive) and to (exclusive); 0 is open.
    pub(crate) start: (u64, u64),
    /// Duration of the span in nanoseconds, both ends inclusive; 0 is open.
    pub(crate) duration: (u64, u64),
    /// Duration of the trace in nanoseconds, both ends inclusive; 0 is open.
    pub(crate) trace_duration: (u64, u64),
    /// At most this many traces.
    pub(crate) limit: u32,
    /// Which traces come first.
    pub(crate) order: Order,
    /// Only traces after this one.
    pub(crate) after: Option<Found>,
}

/// A trace that a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// What the order goes by.
    pub(crate) rank: u64,
    /// Which trace.
    pub(crate) id: TraceId,
}

/// Traces that a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hits {
    /// In the order asked for.
    pub(crate) traces: Vec<Found>,
    /// More traces match than could be ranked or measured: this many were; 0 = all.
    pub(crate) bounded_to: u64,
}

impl Query {
    fn request(&self) -> FindTracesRequest {
        let attribute =
            |(key, value): &(String, String)| AttributeEquals { key: key.clone(), value: value.clone() };
        FindTracesRequest {
            scope: None,
            service: self.service.clone(),
            operation: self.operation.clone(),
            attributes: self.attributes.iter().map(attribute).collect(),
            start_min_unix_nano: self.start.0,
            start_max_unix_nano: self.start.1,
            duration_min_nano: self.duration.0,
            duration_max_nano: self.duration.1,
            limit: self.limit,
            after: self.after.map(|f| TraceKey { rank: f.rank, trace_id: f.id.to_vec().into() }),
            order: self.order.into(),
            trace_duration_min_nano: self.trace_duration.0,
            trace_duration_max_nano: self.trace_duration.1,
        }
    }

    /// What sorts traces in the order asked for, the first one least.
    pub(crate) fn place(&self, found: &Found) -> (u64, TraceId) {
        (if self.order == Order::Oldest { found.rank } else { !found.rank }, found.id)
    }
}

impl Backend {
    /// The first traces that match, in the order asked for.
    ///
    /// # Errors
    /// When no partition answers, or a position is not reached.
    pub(crate) async fn find(&self, query: &Query, at_least: &Positions) -> Result<Answer<Hits>, Status> {
        let request = query.request();
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let request = FindTracesRequest { scope: Some(asked.scope), ..request.clone() };
            Box::pin(async move {
                let answer = asked.client.find_traces(request).await?.into_inner();
                part((answer.traces, u64::from(answer.bounded_to)), answer.state)
            })
        };
        let answer = self.every_partition(at_least, &call).await?;
        Ok(answer.map(|parts| {
            let bounded_to = parts.iter().map(|(_, bounded_to)| bounded_to).sum();
            let mut best: HashMap<TraceId, Found> = HashMap::new();
            for key in parts.into_iter().flat_map(|(traces, _)| traces) {
                let Some(id) = trace_id::from_bytes(&key.trace_id) else { continue };
                let found = Found { rank: key.rank, id };
                let known = best.entry(id).or_insert(found);
                if query.place(&found) < query.place(known) {
                    *known = found;
                }
            }
            let mut traces: Vec<Found> = best.into_values().collect();
            traces.sort_unstable_by_key(|found| query.place(found));
            traces.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
            Hits { traces, bounded_to }
        }))
    }

    /// Summaries of traces, by id; spans that match `query` count as matched.
    ///
    /// # Errors
    /// When no partition answers, or a position is not reached.
    pub(crate) async fn summaries(
        &self,
        ids: &[TraceId],
        query: &Query,
        at_least: &Positions,
    ) -> Result<Answer<HashMap<TraceId, TraceSummary>>, Status> {
        let trace_ids: Vec<Bytes> = ids.iter().map(|id| Bytes::copy_from_slice(id)).collect();
        let matching = query.request();
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let request = GetSummariesRequest {
                scope: Some(asked.scope),
                trace_ids: trace_ids.clone(),
                matching: Some(matching.clone()),
            };
            Box::pin(async move {
                let answer = asked.client.get_summaries(request).await?.into_inner();
                part(answer.summaries, answer.state)
            })
        };
        let answer = self.every_partition(at_least, &call).await?;
        Ok(answer.map(|parts| {
            let mut merged: HashMap<TraceId, TraceSummary> = HashMap::new();
            for summary in parts.into_iter().flatten() {
                let Some(id) = trace_id::from_bytes(&summary.trace_id) else { continue };
                match merged.get_mut(&id) {
                    Some(known) => merge(known, summary),
                    None => {
                        merged.insert(id, summary);
                    }
                }
            }
            merged
        }))
    }
}

/// Adds what another partition has of the same trace. A parent may lie in the one and its child in the other, so that
/// the sum of orphans is an upper bound: it happens only to traces whose producer did not partition them by id.
fn merge(known: &mut TraceSummary, other: TraceSummary) {
    known.start_unix_nano = known.start_unix_nano.min(other.start_unix_nano);
    known.end_unix_nano = known.end_unix_nano.max(other.end_unix_nano);
    known.root = earliest(known.root.take(), other.root, |r: &RootSpan| r.start_unix_nano);
    known.orphan = earliest(known.orphan.take(), other.orphan, |r: &RootSpan| r.start_unix_nano);
    known.error = earliest(known.error.take(), other.error, |e: &ErrorSpan| e.start_unix_nano);
    known.spans = known.spans.saturating_add(other.spans);
    known.errors = known.errors.saturating_add(other.errors);
    known.orphans = known.orphans.saturating_add(other.orphans);
    let mut services: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for count in std::mem::take(&mut known.services).into_iter().chain(other.services) {
        let sums = services.entry(count.service).or_default();
        *sums = (sums.0.saturating_add(count.spans), sums.1.saturating_add(count.errors));
    }
    known.services = services
        .into_iter()
        .map(|(service, (spans, errors))| ServiceCount { service, spans, errors })
        .collect();
    let matched = [known.matched.as_ref(), other.matched.as_ref()].concat();
    known.matched = matched.get(..MATCHED_BYTES_MAX).unwrap_or(&matched).to_vec().into();
    known.matched_newest_unix_nano = known.matched_newest_unix_nano.max(other.matched_newest_unix_nano);
    known.matched_oldest_unix_nano = match (known.matched_oldest_unix_nano, other.matched_oldest_unix_nano) {
        (0, one) | (one, 0) => one,
        (one, two) => one.min(two),
    };
}

fn earliest<T>(one: Option<T>, two: Option<T>, start: impl Fn(&T) -> u64) -> Option<T> {
    match (one, two) {
        (Some(one), Some(two)) => Some(if start(&two) < start(&one) { two } else { one }),
        (one, two) => one.or(two),
    }
}
