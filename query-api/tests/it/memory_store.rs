//! A naive trace store: everything in memory, every read a walk over all spans. What the tests ask, and what the
//! example serves.
//!
//! Knows: `trace_store.v1` and its comments. Must not know: how a real store does it. Start at [`MemoryStore`].

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use prost::Message;
use shared_proto::trace_store::v1::trace_store_server::{TraceStore, TraceStoreServer};
use shared_proto::trace_store::v1::{
    FindTracesRequest, FindTracesResponse, GetOperationsRequest, GetOperationsResponse, GetServicesRequest,
    GetServicesResponse, GetTracesRequest, Holder, HoldersRequest, HoldersResponse, Operation, ReadScope,
    ReadState, TraceChunk, TraceKey,
};
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

/// Partitions of the store.
pub(crate) const PARTITIONS: u32 = 4;

/// One span with its surroundings: a `ResourceSpans` that holds nothing else.
#[derive(Debug, Clone)]
struct Stored(ResourceSpans);

/// How a partition behaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Behaviour {
    /// It never answers.
    pub(crate) silent: bool,
    /// It refuses every read with this.
    pub(crate) refuses: Option<Status>,
    /// Its answers say that they lack something.
    pub(crate) partial: &'static str,
}

#[derive(Debug, Default)]
struct Partition {
    spans: Vec<Stored>,
    /// Offset of the next record.
    end: u64,
    behaviour: Behaviour,
}

/// The store; clones share the data.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryStore {
    partitions: Arc<Mutex<BTreeMap<u32, Partition>>>,
    written: Arc<Notify>,
    waiting: Arc<Notify>,
}

impl MemoryStore {
    /// The gRPC service.
    pub(crate) fn service(&self) -> TraceStoreServer<Self> {
        TraceStoreServer::new(self.clone())
    }

    /// Takes spans, each into the partition of its trace id; returns the position of each partition's record.
    pub(crate) fn write(&self, data: TracesData) -> Vec<(u32, u64)> {
        let mut positions = BTreeMap::new();
        let mut partitions = self.partitions.lock().unwrap();
        for mut resource in data.resource_spans {
            for mut scope in std::mem::take(&mut resource.scope_spans) {
                for span in std::mem::take(&mut scope.spans) {
                    let number = shared_proto::hash::partition_of(&span.trace_id, PARTITIONS);
                    let partition = partitions.entry(number).or_default();
                    let alone = ScopeSpans { spans: vec![span], ..scope.clone() };
                    partition
                        .spans
                        .push(Stored(ResourceSpans { scope_spans: vec![alone], ..resource.clone() }));
                    positions.insert(number, partition.end);
                }
            }
        }
        for number in positions.keys() {
            partitions.entry(*number).or_default().end += 1;
        }
        drop(partitions);
        self.written.notify_waiters();
        positions.into_iter().collect()
    }

    /// Changes how a partition behaves.
    pub(crate) fn behave(&self, partition: u32, behaviour: Behaviour) {
        self.partitions.lock().unwrap().entry(partition).or_default().behaviour = behaviour;
    }

    /// Ends when a read waits for a position.
    pub(crate) async fn has_a_waiting_read(&self) {
        self.waiting.notified().await;
    }

    /// The spans of a partition, once it is where the scope wants it.
    async fn read(&self, scope: Option<ReadScope>) -> Result<(Vec<Stored>, ReadState), Status> {
        let scope = scope.ok_or_else(|| Status::invalid_argument("no scope"))?;
        let wait_max = Duration::from_millis(u64::from(scope.wait_ms_max));
        let reached = tokio::time::timeout(wait_max, async {
            loop {
                let written = self.written.notified();
                if self.end(scope.partition) >= scope.position_min {
                    return;
                }
                self.waiting.notify_one();
                written.await;
            }
        });
        if reached.await.is_err() {
            let end = self.end(scope.partition);
            let message = format!("position {} not reached, partition is at {end}", scope.position_min);
            return Err(Status::failed_precondition(message));
        }
        let (spans, position, behaviour) = {
            let mut partitions = self.partitions.lock().unwrap();
            let partition = partitions.entry(scope.partition).or_default();
            (partition.spans.clone(), partition.end, partition.behaviour.clone())
        };
        if behaviour.silent {
            std::future::pending::<()>().await;
        }
        if let Some(status) = behaviour.refuses {
            return Err(status);
        }
        let partial = behaviour.partial.to_owned();
        Ok((spans, ReadState { partition: scope.partition, position, partial, cost: None }))
    }

    fn end(&self, partition: u32) -> u64 {
        self.partitions.lock().unwrap().entry(partition).or_default().end
    }
}

impl Stored {
    fn span(&self) -> &Span {
        &self.0.scope_spans[0].spans[0]
    }

    fn service(&self) -> &str {
        let list = self.0.resource.as_ref().map(|r| r.attributes.as_slice()).unwrap_or_default();
        match list
            .iter()
            .find(|a| a.key == "service.name")
            .map(|a| a.value.as_ref().and_then(|v| v.value.as_ref()))
        {
            None => "missing-service-name",
            Some(Some(Value::StringValue(name))) if name.is_empty() => "empty-service-name",
            Some(Some(Value::StringValue(name))) => name,
            Some(_) => "service-name-wrong-type",
        }
    }

    fn operation(&self) -> &str {
        if self.span().name.is_empty() { "empty-span-name" } else { &self.span().name }
    }

    /// Attributes of every level of the span.
    fn attributes(&self) -> impl Iterator<Item = &KeyValue> {
        let (span, scope) = (self.span(), &self.0.scope_spans[0].scope);
        let resource = self.0.resource.iter().flat_map(|r| &r.attributes);
        let scope = scope.iter().flat_map(|s| &s.attributes);
        let events = span.events.iter().flat_map(|e| &e.attributes);
        let links = span.links.iter().flat_map(|l| &l.attributes);
        span.attributes.iter().chain(resource).chain(scope).chain(events).chain(links)
    }

    fn has(&self, key: &str, value: &str) -> bool {
        let failed = self.span().status.as_ref().is_some_and(|s| s.code == 2);
        match key {
            "error" => failed == (value == "true"),
            "span.kind" => {
                let kind = SpanKind::try_from(self.span().kind).unwrap_or_default();
                kind.as_str_name() == format!("SPAN_KIND_{}", value.to_uppercase())
            }
            _ => self.attributes().any(|a| a.key == key && text(a).as_deref() == Some(value)),
        }
    }

    fn matches(&self, request: &FindTracesRequest) -> bool {
        let span = self.span();
        let lasts = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano);
        let within = |value: u64, min: u64, max: u64| value >= min && (max == 0 || value <= max);
        let started_in_time = span.start_time_unix_nano >= request.start_min_unix_nano
            && (request.start_max_unix_nano == 0 || span.start_time_unix_nano < request.start_max_unix_nano);
        started_in_time
            && within(lasts, request.duration_min_nano, request.duration_max_nano)
            && (request.service.is_empty() || self.service() == request.service)
            && (request.operation.is_empty() || self.operation() == request.operation)
            && request.attributes.iter().all(|a| self.has(&a.key, &a.value))
    }
}

/// A scalar as text.
fn text(attribute: &KeyValue) -> Option<String> {
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::BoolValue(flag) => Some(flag.to_string()),
        Value::IntValue(number) => Some(number.to_string()),
        Value::DoubleValue(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Spans that follow one another under the same resource stand under it together again.
fn regrouped<'a>(spans: impl Iterator<Item = &'a Stored>) -> Vec<ResourceSpans> {
    let mut groups: Vec<ResourceSpans> = Vec::new();
    for Stored(next) in spans {
        match groups.last_mut() {
            Some(last) if last.resource == next.resource && last.schema_url == next.schema_url => {
                last.scope_spans.extend(next.scope_spans.iter().cloned());
            }
            _ => groups.push(next.clone()),
        }
    }
    groups
}

type Chunks = Pin<Box<dyn Stream<Item = Result<TraceChunk, Status>> + Send>>;

#[tonic::async_trait]
impl TraceStore for MemoryStore {
    async fn holders(&self, _request: Request<HoldersRequest>) -> Result<Response<HoldersResponse>, Status> {
        let held = (0..PARTITIONS).map(|partition| {
            let position = self.end(partition);
            Holder { partition, position, log_end: position, ..Holder::default() }
        });
        Ok(Response::new(HoldersResponse { partitions: PARTITIONS, held: held.collect() }))
    }

    type GetTracesStream = Chunks;

    async fn get_traces(&self, request: Request<GetTracesRequest>) -> Result<Response<Chunks>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let mut chunks = Vec::new();
        for id in &request.trace_ids {
            let of_trace = spans.iter().filter(|s| s.span().trace_id == **id);
            let data = TracesData { resource_spans: regrouped(of_trace) };
            if !data.resource_spans.is_empty() {
                let traces_data = Bytes::from(data.encode_to_vec());
                chunks.push(Ok(TraceChunk { state: None, trace_id: id.clone(), traces_data }));
            }
        }
        chunks.push(Ok(TraceChunk { state: Some(state), ..TraceChunk::default() }));
        Ok(Response::new(Box::pin(futures_util::stream::iter(chunks))))
    }

    async fn get_services(
        &self,
        request: Request<GetServicesRequest>,
    ) -> Result<Response<GetServicesResponse>, Status> {
        let (spans, state) = self.read(request.into_inner().scope).await?;
        let services: BTreeSet<_> = spans.iter().map(|s| s.service().to_owned()).collect();
        Ok(Response::new(GetServicesResponse {
            state: Some(state),
            services: services.into_iter().collect(),
        }))
    }

    async fn get_operations(
        &self,
        request: Request<GetOperationsRequest>,
    ) -> Result<Response<GetOperationsResponse>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let of_service = spans.iter().filter(|s| s.service() == request.service);
        let distinct: BTreeSet<_> = of_service.map(|s| (s.operation().to_owned(), s.span().kind)).collect();
        let wanted = distinct.into_iter().filter(|(_, kind)| request.span_kind.is_none_or(|k| k == *kind));
        let operations = wanted.map(|(name, span_kind)| Operation { name, span_kind }).collect();
        Ok(Response::new(GetOperationsResponse { state: Some(state), operations }))
    }

    async fn find_traces(
        &self,
        request: Request<FindTracesRequest>,
    ) -> Result<Response<FindTracesResponse>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let mut newest: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for span in spans.iter().filter(|s| s.matches(&request)).map(Stored::span) {
            let start = newest.entry(span.trace_id.clone()).or_default();
            *start = span.start_time_unix_nano.max(*start);
        }
        let mut traces: Vec<TraceKey> = newest
            .into_iter()
            .map(|(id, start_unix_nano)| TraceKey { start_unix_nano, trace_id: id.into() })
            .collect();
        traces.sort_by_key(|key| (std::cmp::Reverse(key.start_unix_nano), key.trace_id.clone()));
        traces.truncate(usize::try_from(request.limit).unwrap());
        Ok(Response::new(FindTracesResponse { state: Some(state), traces }))
    }
}
