//! The reads themselves: every partition at once, answers merged.
//!
//! Knows: how answers of partitions become one. Must not know: how a partition is asked (see `ask`). Start at
//! [`Backend::find`] and [`Backend::traces`].

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use runtime_service::{Kind, Status};
use shared_proto::trace_store::v1::{
    AttributeEquals, FindTracesRequest, GetOperationsRequest, GetServicesRequest, GetTracesRequest,
    ReadState, TraceChunk,
};

use crate::trace_id::{self, TraceId};

use super::ask::Asked;
use super::budget::Total;
use super::partial::{CUT, LAGGING, SILENT};
use super::{Answer, Backend, Partial, Positions, Taken};

/// What a search looks for; all conditions hold on one span.
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
    /// At most this many traces.
    pub(crate) limit: u32,
}

/// A trace that a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Start of its newest matching span.
    pub(crate) start_unix_nano: u64,
    /// Which trace.
    pub(crate) id: TraceId,
}

/// OTLP bytes of whole traces.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// Chunks of each trace that was found.
    pub(crate) chunks: HashMap<TraceId, Vec<Bytes>>,
    /// Their share of the process' budget.
    pub(crate) taken: Vec<Taken>,
}

/// Part of an answer that came from one partition.
struct Part<T> {
    value: T,
    state: ReadState,
}

impl Backend {
    /// Names of all services, sorted.
    ///
    /// # Errors
    /// When no partition answers, or a position is not reached.
    pub(crate) async fn services(&self, at_least: &Positions) -> Result<Answer<Vec<String>>, Status> {
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            Box::pin(async move {
                let request = GetServicesRequest { scope: Some(asked.scope) };
                let answer = asked.client.get_services(request).await?.into_inner();
                part(answer.services, answer.state)
            })
        };
        let (parts, partial) = self.every_partition(at_least, &call).await?;
        let merged: BTreeSet<String> = parts.into_iter().flatten().collect();
        Ok(Answer { value: merged.into_iter().collect(), partial })
    }

    /// Operations of a service with their kinds, sorted; of one kind if `kind` is given.
    ///
    /// # Errors
    /// When no partition answers, or a position is not reached.
    pub(crate) async fn operations(
        &self,
        service: &str,
        kind: Option<i32>,
        at_least: &Positions,
    ) -> Result<Answer<Vec<(String, i32)>>, Status> {
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let service = service.to_owned();
            Box::pin(async move {
                let request = GetOperationsRequest { scope: Some(asked.scope), service, span_kind: kind };
                let answer = asked.client.get_operations(request).await?.into_inner();
                part(answer.operations, answer.state)
            })
        };
        let (parts, partial) = self.every_partition(at_least, &call).await?;
        let merged: BTreeSet<_> = parts.into_iter().flatten().map(|o| (o.name, o.span_kind)).collect();
        Ok(Answer { value: merged.into_iter().collect(), partial })
    }

    /// The newest `limit` traces that match, newest first, then by id.
    ///
    /// # Errors
    /// When no partition answers, or a position is not reached.
    pub(crate) async fn find(
        &self,
        query: &Query,
        at_least: &Positions,
    ) -> Result<Answer<Vec<Found>>, Status> {
        let request = FindTracesRequest {
            scope: None,
            service: query.service.clone(),
            operation: query.operation.clone(),
            attributes: query
                .attributes
                .iter()
                .map(|(key, value)| AttributeEquals { key: key.clone(), value: value.clone() })
                .collect(),
            start_min_unix_nano: query.start.0,
            start_max_unix_nano: query.start.1,
            duration_min_nano: query.duration.0,
            duration_max_nano: query.duration.1,
            limit: query.limit,
            after: None,
        };
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let request = FindTracesRequest { scope: Some(asked.scope), ..request.clone() };
            Box::pin(async move {
                let answer = asked.client.find_traces(request).await?.into_inner();
                part(answer.traces, answer.state)
            })
        };
        let (parts, partial) = self.every_partition(at_least, &call).await?;
        let mut newest: HashMap<TraceId, u64> = HashMap::new();
        for key in parts.into_iter().flatten() {
            let Some(id) = trace_id::from_bytes(&key.trace_id) else { continue };
            let start = newest.entry(id).or_default();
            *start = key.start_unix_nano.max(*start);
        }
        let mut found: Vec<Found> =
            newest.into_iter().map(|(id, start_unix_nano)| Found { start_unix_nano, id }).collect();
        found.sort_by(|a, b| b.start_unix_nano.cmp(&a.start_unix_nano).then_with(|| a.id.cmp(&b.id)));
        found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        Ok(Answer { value: found, partial })
    }

    /// The bytes of whole traces; ids that are nowhere are left out.
    ///
    /// # Errors
    /// When no partition answers, a position is not reached, or the process holds too many answers already.
    pub(crate) async fn traces(
        &self,
        ids: &[TraceId],
        at_least: &Positions,
    ) -> Result<Answer<Gathered>, Status> {
        let ids: Vec<Bytes> = ids.iter().map(|id| Bytes::copy_from_slice(id)).collect();
        let total = self.total.clone();
        let answer_bytes_max = self.limits.answer_bytes_max;
        let call = |asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            Box::pin(gather(asked, ids.clone(), total.clone(), answer_bytes_max))
        };
        let (parts, partial) = self.every_partition(at_least, &call).await?;
        let mut gathered = Gathered { chunks: HashMap::new(), taken: Vec::new() };
        for (chunks, taken) in parts {
            for chunk in chunks {
                if let Some(id) = trace_id::from_bytes(&chunk.trace_id) {
                    gathered.chunks.entry(id).or_default().push(chunk.traces_data);
                }
            }
            gathered.taken.push(taken);
        }
        Ok(Answer { value: gathered, partial })
    }

    /// Runs `call` against every partition at once.
    async fn every_partition<T, F>(&self, at_least: &Positions, call: &F) -> Result<(Vec<T>, Partial), Status>
    where
        F: Fn(Asked) -> BoxFuture<'static, Result<Part<T>, tonic::Status>>,
    {
        let directory = self.directory().await?;
        let partitions = directory.partitions();
        if let Some(last) = at_least.last_partition().filter(|last| !partitions.contains(last)) {
            let message = format!("position names partition {last}, the store has {}", partitions.end);
            return Err(Status::new(Kind::Invalid, message));
        }
        let asked = partitions.clone().map(|partition| self.ask(&directory, partition, at_least, call));
        let mut partial = Partial::default();
        let mut values = Vec::new();
        let mut last_failure = None;
        for (partition, outcome) in partitions.zip(join_all(asked).await) {
            match outcome {
                Ok(part) => {
                    partial.note(partition, &part.state.partial);
                    if part.state.partial.is_empty()
                        && directory.is_lagging(partition, part.state.position, Instant::now())
                    {
                        partial.note(partition, LAGGING);
                    }
                    values.push(part.value);
                }
                Err(status) if is_final(status.kind) => return Err(status),
                Err(status) => {
                    partial.note(partition, SILENT);
                    last_failure = Some(status);
                }
            }
        }
        match last_failure {
            Some(status) if values.is_empty() => Err(Status { kind: Kind::Unavailable, ..status }),
            _ => {
                if !partial.is_empty() {
                    tracing::debug!(%partial, "partial answer");
                    self.metrics.partial.inc();
                }
                Ok((values, partial))
            }
        }
    }
}

/// Failures that concern the request, not the partition.
fn is_final(kind: Kind) -> bool {
    matches!(kind, Kind::Invalid | Kind::FailedPrecondition | Kind::Exhausted | Kind::TooLarge)
}

fn part<T>(value: T, state: Option<ReadState>) -> Result<Part<T>, tonic::Status> {
    let state = state.ok_or_else(|| tonic::Status::internal("trace-store answered without a state"))?;
    Ok(Part { value, state })
}

/// Reads one partition's stream to its end. Over `bytes_max` the rest is left out and the state says so.
async fn gather(
    mut asked: Asked,
    trace_ids: Vec<Bytes>,
    total: Total,
    bytes_max: usize,
) -> Result<Part<(Vec<TraceChunk>, Taken)>, tonic::Status> {
    let request = GetTracesRequest { scope: Some(asked.scope), trace_ids };
    let mut stream = asked.client.get_traces(request).await?.into_inner();
    let (mut chunks, mut bytes, mut taken) = (Vec::new(), 0, total.start());
    while let Some(chunk) = stream.message().await? {
        if let Some(state) = chunk.state {
            return Ok(Part { value: (chunks, taken), state });
        }
        bytes += chunk.traces_data.len();
        if bytes > bytes_max {
            let state = ReadState { partial: CUT.to_owned(), ..ReadState::default() };
            return Ok(Part { value: (chunks, taken), state });
        }
        taken.take(chunk.traces_data.len())?;
        chunks.push(chunk);
    }
    Err(tonic::Status::unavailable("the stream of traces broke off"))
}
