//! Sums of spans, calls and failures: of every partition, merged.
//!
//! Knows: how sums of partitions add up, and that a call's ends may lie in different ones. Must not know: what is shown of
//! them. Start at [`Backend::red`].

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use runtime_service::Status;
use shared_proto::durations::Durations;
use shared_proto::trace_store::v1::{
    Callee, Edge, GetCallersRequest, GetEdgesRequest, GetFailuresRequest, GetRedRequest, HalfEdge, SpanKey,
    TimeWindow,
};

use super::ask::Asked;
use super::reads::part;
use super::{Answer, Backend, Positions};

/// Spans of one service or operation, kind and status, by step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    pub(crate) steps: BTreeMap<u32, Tally>,
}

/// How many spans, and how long they lasted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) errors: u64,
    pub(crate) nanos: u64,
    pub(crate) durations: Durations,
}

impl Tally {
    /// Adds spans.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.errors += other.errors;
        self.nanos = self.nanos.saturating_add(other.nanos);
        self.durations.merge(&other.durations);
    }
}

/// Whose spans: service, operation (empty by service), kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Of {
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) kind: i32,
}

/// Who calls whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub(crate) caller: String,
    pub(crate) callee: String,
    /// [`Callee`] as a number.
    pub(crate) callee_type: i32,
    pub(crate) kind: i32,
}

/// Why spans of an operation failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reason {
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) kind: String,
    pub(crate) text: String,
}

/// What failed, and versions with when they were first and last seen (Unix ns).
#[derive(Debug, Clone, Default)]
pub(crate) struct Failures {
    pub(crate) reasons: BTreeMap<Reason, u64>,
    pub(crate) versions: BTreeMap<(String, String), (u64, u64)>,
}

/// Which spans are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct RedAsk {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// 0 makes one step.
    pub(crate) step_minutes: u32,
    pub(crate) services: Vec<String>,
    pub(crate) kinds: Vec<i32>,
    pub(crate) by_operation: bool,
}

const STATUS_ERROR: i32 = 2;

/// Parts of partitions as one.
fn folded<P, T: Default>(
    answer: Answer<Vec<P>>,
    mut add: impl FnMut(&mut T, P) -> Result<(), Status>,
) -> Result<Answer<T>, Status> {
    let Answer { value: parts, cover } = answer;
    let mut value = T::default();
    parts.into_iter().try_for_each(|part| add(&mut value, part))?;
    Ok(Answer { value, cover })
}

fn unpacked(packed: &[u8]) -> Result<Durations, Status> {
    Durations::unpack(packed).map_err(|e| Status::new(runtime_service::Kind::Internal, e.to_string()))
}

impl Backend {
    /// Rates, errors and durations.
    ///
    /// # Errors
    /// When no partition answers, or a position is not reached.
    pub(crate) async fn red(
        &self,
        asked: &RedAsk,
        at_least: &Positions,
    ) -> Result<Answer<BTreeMap<Of, Series>>, Status> {
        let window = TimeWindow { start_unix_nano: asked.start, end_unix_nano: asked.end };
        let request = GetRedRequest {
            scope: None,
            window: Some(window),
            step_minutes: asked.step_minutes,
            services: asked.services.clone(),
            span_kinds: asked.kinds.clone(),
            by_operation: asked.by_operation,
        };
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let request = GetRedRequest { scope: Some(asked.scope), ..request.clone() };
            Box::pin(async move {
                let answer = asked.client.get_red(request).await?.into_inner();
                part(answer.series, answer.state)
            })
        };
        let answer = self.every_partition(at_least, &call).await?;
        folded(answer, |all: &mut BTreeMap<Of, Series>, part| {
            for series in part {
                let of = Of { service: series.service, operation: series.operation, kind: series.span_kind };
                let is_error = series.status_code == STATUS_ERROR;
                let known = all.entry(of).or_default();
                for point in series.points {
                    known.steps.entry(point.step).or_default().merge(&Tally {
                        count: point.count,
                        errors: if is_error { point.count } else { 0 },
                        nanos: point.duration_sum_nano,
                        durations: unpacked(&point.durations)?,
                    });
                }
            }
            Ok(())
        })
    }

    /// Calls between services, those included whose ends lie in different partitions.
    ///
    /// # Errors
    /// When no partition answers, or a position is not reached.
    pub(crate) async fn edges(
        &self,
        start: u64,
        end: u64,
        at_least: &Positions,
    ) -> Result<Answer<BTreeMap<Call, Tally>>, Status> {
        let window = TimeWindow { start_unix_nano: start, end_unix_nano: end };
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let request = GetEdgesRequest { scope: Some(asked.scope), window: Some(window) };
            Box::pin(async move {
                let answer = asked.client.get_edges(request).await?.into_inner();
                part((answer.edges, answer.halves), answer.state)
            })
        };
        let answer = self.every_partition(at_least, &call).await?;
        let mut halves: Vec<HalfEdge> = Vec::new();
        let mut edges = folded(answer, |all: &mut BTreeMap<Call, Tally>, part: (Vec<Edge>, _)| {
            for edge in part.0 {
                let (caller, callee) = (edge.caller, edge.callee);
                let of = Call { caller, callee, callee_type: edge.callee_type, kind: edge.span_kind };
                all.entry(of).or_default().merge(&Tally {
                    count: edge.calls,
                    errors: edge.errors,
                    nanos: edge.duration_sum_nano,
                    durations: unpacked(&edge.durations)?,
                });
            }
            halves.extend(part.1);
            Ok(())
        })?;
        if !halves.is_empty() {
            let callers = self.callers(&halves, at_least).await?;
            edges.cover.merge(&callers.cover);
            for (half, caller) in halves.into_iter().zip(callers.value) {
                let Some(caller) = caller else { continue };
                let callee_type = Callee::Service.into();
                let of = Call { caller, callee: half.callee, callee_type, kind: half.span_kind };
                let tally = edges.value.entry(of).or_default();
                tally.count += 1;
                tally.errors += u64::from(half.error);
                tally.nanos = tally.nanos.saturating_add(half.duration_nano);
                tally.durations.add(half.duration_nano);
            }
        }
        Ok(edges)
    }

    /// Services of the parents of halves, in their order, from whatever partition has them.
    async fn callers(
        &self,
        halves: &[HalfEdge],
        at_least: &Positions,
    ) -> Result<Answer<Vec<Option<String>>>, Status> {
        let key = |half: &HalfEdge| SpanKey {
            trace_id: Bytes::clone(&half.trace_id),
            span_id: Bytes::clone(&half.parent_span_id),
        };
        let spans: Vec<SpanKey> = halves.iter().map(key).collect();
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let request = GetCallersRequest { scope: Some(asked.scope), spans: spans.clone() };
            Box::pin(async move {
                let answer = asked.client.get_callers(request).await?.into_inner();
                part(answer.services, answer.state)
            })
        };
        let answer = self.every_partition(at_least, &call).await?;
        folded(answer, |all: &mut Vec<Option<String>>, part: Vec<String>| {
            all.resize(halves.len(), None);
            for (known, found) in all.iter_mut().zip(part) {
                if known.is_none() && !found.is_empty() {
                    *known = Some(found);
                }
            }
            Ok(())
        })
    }

    /// What failed, and versions.
    ///
    /// # Errors
    /// When no partition answers, or a position is not reached.
    pub(crate) async fn failures(
        &self,
        start: u64,
        end: u64,
        at_least: &Positions,
    ) -> Result<Answer<Failures>, Status> {
        let window = TimeWindow { start_unix_nano: start, end_unix_nano: end };
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let request = GetFailuresRequest { scope: Some(asked.scope), window: Some(window) };
            Box::pin(async move {
                let answer = asked.client.get_failures(request).await?.into_inner();
                part((answer.failures, answer.versions), answer.state)
            })
        };
        let answer = self.every_partition(at_least, &call).await?;
        folded(answer, |all: &mut Failures, (failures, versions)| {
            for failure in failures {
                let (service, operation) = (failure.service, failure.operation);
                let reason = Reason { service, operation, kind: failure.r#type, text: failure.text };
                *all.reasons.entry(reason).or_default() += failure.count;
            }
            for version in versions {
                let (first, last) = (version.first_seen_unix_nano, version.last_seen_unix_nano);
                let seen = all.versions.entry((version.service, version.version)).or_insert((first, last));
                *seen = (seen.0.min(first), seen.1.max(last));
            }
            Ok(())
        })
    }
}
