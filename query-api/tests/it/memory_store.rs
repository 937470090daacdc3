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
use shared_proto::durations::Durations;
use shared_proto::trace_store::v1::trace_store_server::{TraceStore, TraceStoreServer};
use shared_proto::trace_store::v1::{
    AttributeKey, AttributeValue, AwaitPositionRequest, AwaitPositionResponse, Edge, Failure,
    FindTracesRequest, FindTracesResponse, GetAttributeKeysRequest, GetAttributeKeysResponse,
    GetAttributeValuesRequest, GetAttributeValuesResponse, GetCallersRequest, GetCallersResponse,
    GetEdgesRequest, GetEdgesResponse, GetFailuresRequest, GetFailuresResponse, GetOperationsRequest,
    GetOperationsResponse, GetRedRequest, GetRedResponse, GetServicesRequest, GetServicesResponse,
    GetSkeletonRequest, GetSummariesRequest, GetSummariesResponse, GetTracesRequest, HalfEdge, Holder,
    HoldersRequest, HoldersResponse, Operation, Order, ReadScope, ReadState, RedPoint, RedSeries,
    SkeletonChunk, SpanKey, TimeWindow, TraceChunk, TraceKey,
};
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

#[path = "memory_summaries.rs"]
mod summaries;

use summaries::{by_trace, failed, skeleton_row, summary, times};

const MINUTE: u64 = 60_000_000_000;

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

    fn lasts(&self) -> u64 {
        self.span().end_time_unix_nano.saturating_sub(self.span().start_time_unix_nano)
    }

    fn starts_in(&self, window: TimeWindow) -> bool {
        let minutes = window.start_unix_nano / MINUTE..window.end_unix_nano.div_ceil(MINUTE);
        minutes.contains(&(self.span().start_time_unix_nano / MINUTE))
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

/// A packed histogram with one more duration.
fn with(packed: &[u8], nanos: u64) -> Bytes {
    let mut durations = Durations::unpack(packed).unwrap();
    durations.add(nanos);
    let mut out = Vec::new();
    durations.pack(&mut out);
    out.into()
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

type Chunks<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl TraceStore for MemoryStore {
    async fn holders(&self, _request: Request<HoldersRequest>) -> Result<Response<HoldersResponse>, Status> {
        let held = (0..PARTITIONS).map(|partition| {
            let position = self.end(partition);
            let partitions = self.partitions.lock().unwrap();
            let spans = partitions.get(&partition).map(|p| p.spans.as_slice()).unwrap_or_default();
            let starts = spans.iter().map(|s| s.span().start_time_unix_nano);
            Holder {
                partition,
                position,
                log_end: position,
                spans: spans.len() as u64,
                oldest_unix_nano: starts.clone().min().unwrap_or(0),
                newest_unix_nano: starts.max().unwrap_or(0),
                ..Holder::default()
            }
        });
        Ok(Response::new(HoldersResponse { partitions: PARTITIONS, held: held.collect() }))
    }

    type GetTracesStream = Chunks<TraceChunk>;
    type GetSkeletonStream = Chunks<SkeletonChunk>;

    async fn get_traces(
        &self,
        request: Request<GetTracesRequest>,
    ) -> Result<Response<Chunks<TraceChunk>>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let mut chunks = Vec::new();
        for id in &request.trace_ids {
            let wanted = |s: &&Stored| {
                request.span_ids.is_empty() || request.span_ids.iter().any(|id| s.span().span_id == **id)
            };
            let of_trace = spans.iter().filter(|s| s.span().trace_id == **id).filter(wanted);
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

    async fn get_red(&self, request: Request<GetRedRequest>) -> Result<Response<GetRedResponse>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let window = request.window.unwrap();
        let mut series: BTreeMap<_, BTreeMap<u32, RedPoint>> = BTreeMap::new();
        for stored in spans.iter().filter(|s| s.starts_in(window)) {
            let span = stored.span();
            let service = stored.service().to_owned();
            let is_wanted = (request.services.is_empty() || request.services.contains(&service))
                && (request.span_kinds.is_empty() || request.span_kinds.contains(&span.kind));
            if !is_wanted {
                continue;
            }
            let operation = if request.by_operation { stored.operation().to_owned() } else { String::new() };
            let minute = span.start_time_unix_nano / MINUTE - window.start_unix_nano / MINUTE;
            let step = minute.checked_div(u64::from(request.step_minutes)).unwrap_or(0);
            let status = span.status.as_ref().map_or(0, |s| s.code);
            let points = series.entry((service, operation, span.kind, status)).or_default();
            let point = points.entry(u32::try_from(step).unwrap()).or_default();
            point.count += 1;
            point.duration_sum_nano += stored.lasts();
            point.durations = with(&point.durations, stored.lasts());
        }
        let series = series.into_iter().map(|((service, operation, span_kind, status_code), points)| {
            let numbered = points.into_iter().map(|(step, point)| RedPoint { step, ..point });
            RedSeries { service, operation, span_kind, status_code, points: numbered.collect() }
        });
        Ok(Response::new(GetRedResponse { state: Some(state), series: series.collect(), left_out: 0 }))
    }

    async fn get_edges(
        &self,
        request: Request<GetEdgesRequest>,
    ) -> Result<Response<GetEdgesResponse>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let mut edges: BTreeMap<_, Edge> = BTreeMap::new();
        let mut halves = Vec::new();
        for stored in spans.iter().filter(|s| s.starts_in(request.window.unwrap())) {
            let span = stored.span();
            if span.parent_span_id.is_empty() {
                continue;
            }
            let is_parent =
                |s: &&Stored| s.span().trace_id == span.trace_id && s.span().span_id == span.parent_span_id;
            let failed = span.status.as_ref().is_some_and(|s| s.code == 2);
            let Some(caller) = spans.iter().find(is_parent) else {
                halves.push(HalfEdge {
                    trace_id: span.trace_id.clone().into(),
                    parent_span_id: span.parent_span_id.clone().into(),
                    callee: stored.service().to_owned(),
                    span_kind: span.kind,
                    error: failed,
                    start_unix_nano: span.start_time_unix_nano,
                    duration_nano: stored.lasts(),
                });
                continue;
            };
            let (caller, callee) = (caller.service().to_owned(), stored.service().to_owned());
            let edge = edges.entry((caller.clone(), callee.clone(), span.kind)).or_default();
            edge.calls += 1;
            edge.errors += u64::from(failed);
            edge.duration_sum_nano += stored.lasts();
            edge.durations = with(&edge.durations, stored.lasts());
            (edge.caller, edge.callee, edge.span_kind) = (caller, callee, span.kind);
        }
        let edges = edges.into_values().collect();
        Ok(Response::new(GetEdgesResponse { state: Some(state), edges, halves, halves_left_out: 0 }))
    }

    async fn get_failures(
        &self,
        request: Request<GetFailuresRequest>,
    ) -> Result<Response<GetFailuresResponse>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let mut counts: BTreeMap<_, u64> = BTreeMap::new();
        for stored in spans.iter().filter(|s| s.starts_in(request.window.unwrap())) {
            if let Some(status) = stored.span().status.as_ref().filter(|s| s.code == 2) {
                let key =
                    (stored.service().to_owned(), stored.operation().to_owned(), status.message.clone());
                *counts.entry(key).or_default() += 1;
            }
        }
        let failure = |((service, operation, text), count)| Failure {
            service,
            operation,
            text,
            count,
            ..Failure::default()
        };
        let failures = counts.into_iter().map(failure).collect();
        Ok(Response::new(GetFailuresResponse { state: Some(state), failures, versions: Vec::new() }))
    }

    async fn get_callers(
        &self,
        request: Request<GetCallersRequest>,
    ) -> Result<Response<GetCallersResponse>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let service = |key: &SpanKey| {
            let found =
                spans.iter().find(|s| s.span().trace_id == key.trace_id && s.span().span_id == key.span_id);
            found.map(|s| s.service().to_owned()).unwrap_or_default()
        };
        let services = request.spans.iter().map(service).collect();
        Ok(Response::new(GetCallersResponse { state: Some(state), services }))
    }

    async fn find_traces(
        &self,
        request: Request<FindTracesRequest>,
    ) -> Result<Response<FindTracesResponse>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let place = |key: &TraceKey| {
            let rank = if request.order() == Order::Oldest { key.rank } else { !key.rank };
            (rank, key.trace_id.clone())
        };
        let mut traces: Vec<TraceKey> = Vec::new();
        for (id, spans) in by_trace(&spans) {
            let starts = spans.iter().filter(|s| s.matches(&request)).map(|s| s.span().start_time_unix_nano);
            let (start, end) = times(&spans);
            let (least, most) = (request.trace_duration_min_nano, request.trace_duration_max_nano);
            let lasts = end - start >= least && (most == 0 || end - start <= most);
            if starts.clone().next().is_none() || !lasts {
                continue;
            }
            let rank = match request.order() {
                Order::Newest => starts.max().unwrap(),
                Order::Oldest => starts.min().unwrap(),
                Order::Longest => end - start,
                Order::Spans => spans.len() as u64,
                Order::Errors => spans.iter().filter(|s| failed(s.span())).count() as u64,
            };
            traces.push(TraceKey { rank, trace_id: id.into() });
        }
        if let Some(after) = &request.after {
            traces.retain(|key| place(key) > place(after));
        }
        traces.sort_by_key(place);
        traces.truncate(usize::try_from(request.limit).unwrap());
        Ok(Response::new(FindTracesResponse { state: Some(state), traces, bounded_to: 0 }))
    }

    async fn get_summaries(
        &self,
        request: Request<GetSummariesRequest>,
    ) -> Result<Response<GetSummariesResponse>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let traces = by_trace(&spans);
        let matching = request.matching.unwrap_or_default();
        let found = request.trace_ids.iter().filter_map(|id| traces.get_key_value(id.as_ref()));
        let summaries = found.map(|(id, spans)| summary(id, spans, &matching)).collect();
        Ok(Response::new(GetSummariesResponse { state: Some(state), summaries }))
    }

    async fn get_skeleton(
        &self,
        request: Request<GetSkeletonRequest>,
    ) -> Result<Response<Chunks<SkeletonChunk>>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let of_trace = spans.iter().filter(|s| s.span().trace_id == *request.trace_id);
        let mut chunks: Vec<_> = (0..).zip(of_trace).map(|(at, s)| Ok(skeleton_row(s, at))).collect();
        chunks.push(Ok(SkeletonChunk { state: Some(state), ..SkeletonChunk::default() }));
        Ok(Response::new(Box::pin(futures_util::stream::iter(chunks))))
    }

    async fn get_attribute_keys(
        &self,
        request: Request<GetAttributeKeysRequest>,
    ) -> Result<Response<GetAttributeKeysResponse>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let of_service =
            spans.iter().filter(|s| request.service.is_empty() || s.service() == request.service);
        let mut keys: BTreeMap<&str, u32> = BTreeMap::new();
        for span in of_service {
            span.span().attributes.iter().for_each(|a| *keys.entry(&a.key).or_default() |= 1);
            let resource = span.0.resource.iter().flat_map(|r| &r.attributes);
            resource.for_each(|a| *keys.entry(&a.key).or_default() |= 2);
        }
        let keys = keys.into_iter().filter(|(key, _)| key.starts_with(&request.prefix));
        let keys = keys.take(usize::try_from(request.limit).unwrap());
        let keys = keys.map(|(key, levels)| AttributeKey { key: key.to_owned(), levels }).collect();
        Ok(Response::new(GetAttributeKeysResponse { state: Some(state), keys }))
    }

    async fn get_attribute_values(
        &self,
        request: Request<GetAttributeValuesRequest>,
    ) -> Result<Response<GetAttributeValuesResponse>, Status> {
        let request = request.into_inner();
        let (spans, state) = self.read(request.scope).await?;
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for span in &spans {
            let own = span.attributes().filter(|a| a.key == request.key).filter_map(text);
            own.for_each(|value| *counts.entry(value).or_default() += 1);
        }
        let values = counts.into_iter().filter(|(value, _)| value.starts_with(&request.prefix));
        let values = values.map(|(value, spans)| AttributeValue { value, spans }).collect();
        Ok(Response::new(GetAttributeValuesResponse { state: Some(state), values }))
    }

    async fn await_position(
        &self,
        request: Request<AwaitPositionRequest>,
    ) -> Result<Response<AwaitPositionResponse>, Status> {
        let (_, state) = self.read(request.into_inner().scope).await?;
        Ok(Response::new(AwaitPositionResponse { state: Some(state) }))
    }
}
