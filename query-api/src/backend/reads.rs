//! The reads themselves: every partition at once, answers merged.
//!
//! Knows: how answers of partitions become one. Must not know: how a partition is asked (see `ask`). Start at
//! [`Backend::every_partition`] and [`Backend::traces`]; searches are in `search`.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use runtime_service::{Kind, Status};
use shared_proto::trace_store::v1::{
    GetOperationsRequest, GetServicesRequest, GetTracesRequest, ReadState, TraceChunk,
};

use crate::trace_id::{self, TraceId};

use super::ask::Asked;
use super::budget::Total;
use super::partial::{CUT, LAGGING, SILENT};
use super::{Answer, Backend, Cover, Positions, Taken};

/// OTLP bytes of whole traces.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// Chunks of each trace that was found.
    pub(crate) chunks: HashMap<TraceId, Vec<Bytes>>,
    /// Their share of the process' budget.
    pub(crate) taken: Vec<Taken>,
}

/// Part of an answer that came from one partition.
pub(super) struct Part<T> {
    pub(super) value: T,
    pub(super) state: ReadState,
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
        let answer = self.every_partition(at_least, &call).await?;
        Ok(answer.map(|parts| {
            let merged: BTreeSet<String> = parts.into_iter().flatten().collect();
            merged.into_iter().collect()
        }))
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
        let answer = self.every_partition(at_least, &call).await?;
        Ok(answer.map(|parts| {
            let merged: BTreeSet<_> = parts.into_iter().flatten().map(|o| (o.name, o.span_kind)).collect();
            merged.into_iter().collect()
        }))
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
        let trace_ids = ids.iter().map(|id| Bytes::copy_from_slice(id)).collect();
        self.gather(GetTracesRequest { trace_ids, ..GetTracesRequest::default() }, at_least).await
    }

    /// The bytes of some spans of a trace, with others that share their ids.
    ///
    /// # Errors
    /// Those of [`Backend::traces`].
    pub(crate) async fn spans(
        &self,
        id: TraceId,
        span_ids: impl Iterator<Item = u64>,
        at_least: &Positions,
    ) -> Result<Answer<Gathered>, Status> {
        let span_ids = span_ids.map(|id| Bytes::copy_from_slice(&id.to_be_bytes())).collect();
        let trace_ids = vec![Bytes::copy_from_slice(&id)];
        self.gather(GetTracesRequest { scope: None, trace_ids, span_ids }, at_least).await
    }

    async fn gather(
        &self,
        request: GetTracesRequest,
        at_least: &Positions,
    ) -> Result<Answer<Gathered>, Status> {
        let total = self.total.clone();
        let answer_bytes_max = self.limits.answer_bytes_max;
        let call = |asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let request = GetTracesRequest { scope: Some(asked.scope), ..request.clone() };
            Box::pin(gather(asked, request, total.clone(), answer_bytes_max))
        };
        let answer = self.every_partition(at_least, &call).await?;
        Ok(answer.map(|parts| {
            let mut gathered = Gathered { chunks: HashMap::new(), taken: Vec::new() };
            for (chunks, taken) in parts {
                for chunk in chunks {
                    if let Some(id) = trace_id::from_bytes(&chunk.trace_id) {
                        gathered.chunks.entry(id).or_default().push(chunk.traces_data);
                    }
                }
                gathered.taken.push(taken);
            }
            gathered
        }))
    }

    /// Goes over the bytes of a whole trace, chunk by chunk, without holding them. `look` folds the chunks of one
    /// partition; what it made of each partition is the answer.
    ///
    /// # Errors
    /// When no partition answers, a position is not reached, or `look` fails.
    pub(crate) async fn walk<S, L>(
        &self,
        id: TraceId,
        at_least: &Positions,
        look: L,
    ) -> Result<Answer<Vec<S>>, Status>
    where
        S: Default + Send + 'static,
        L: Fn(&mut S, &[u8]) -> Result<(), Status> + Clone + Send + 'static,
    {
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let look = look.clone();
            Box::pin(async move {
                let trace_ids = vec![Bytes::copy_from_slice(&id)];
                let request =
                    GetTracesRequest { scope: Some(asked.scope), trace_ids, ..GetTracesRequest::default() };
                let mut stream = asked.client.get_traces(request).await?.into_inner();
                let mut seen = S::default();
                while let Some(chunk) = stream.message().await? {
                    if chunk.state.is_some() {
                        return part(seen, chunk.state);
                    }
                    look(&mut seen, &chunk.traces_data)?;
                }
                Err(tonic::Status::unavailable("the stream of traces broke off"))
            })
        };
        self.every_partition(at_least, &call).await
    }

    /// Runs `call` against every partition at once.
    pub(super) async fn every_partition<T, F>(
        &self,
        at_least: &Positions,
        call: &F,
    ) -> Result<Answer<Vec<T>>, Status>
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
        let mut cover = Cover::default();
        let mut values = Vec::new();
        let mut last_failure = None;
        for (partition, outcome) in partitions.zip(join_all(asked).await) {
            match outcome {
                Ok(part) => {
                    cover.add(partition, &part.state);
                    if part.state.partial.is_empty()
                        && directory.is_lagging(partition, part.state.position, Instant::now())
                    {
                        cover.partial.note(partition, LAGGING);
                    }
                    values.push(part.value);
                }
                Err(status) if is_final(status.kind) => return Err(status),
                Err(status) => {
                    cover.partial.note(partition, SILENT);
                    last_failure = Some(status);
                }
            }
        }
        match last_failure {
            Some(status) if values.is_empty() => Err(Status { kind: Kind::Unavailable, ..status }),
            _ => {
                if !cover.partial.is_empty() {
                    tracing::debug!(partial = %cover.partial, "partial answer");
                    self.metrics.partial.inc();
                }
                Ok(Answer { value: values, cover })
            }
        }
    }
}

/// Failures that concern the request, not the partition.
fn is_final(kind: Kind) -> bool {
    matches!(kind, Kind::Invalid | Kind::FailedPrecondition | Kind::Exhausted | Kind::TooLarge)
}

pub(super) fn part<T>(value: T, state: Option<ReadState>) -> Result<Part<T>, tonic::Status> {
    let state = state.ok_or_else(|| tonic::Status::internal("trace-store answered without a state"))?;
    Ok(Part { value, state })
}

/// Reads one partition's stream to its end. Over `bytes_max` the rest is left out and the state says so.
async fn gather(
    mut asked: Asked,
    request: GetTracesRequest,
    total: Total,
    bytes_max: usize,
) -> Result<Part<(Vec<TraceChunk>, Taken)>, tonic::Status> {
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
