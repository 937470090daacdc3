//! Reads of sums: rates, errors, durations, calls, failures.
//!
//! Knows: how the engine's answers become messages. Must not know: how anything is summed. Start at [`Reader`]'s
//! methods; the protocol's comments say what is asked.

use runtime_engine::{Snapshot, Stop};
use runtime_service::{Kind, Status};
use shared_proto::durations::Durations;
use shared_proto::trace_store::v1 as proto;
use trace_segments::{Callee, Cost, RedQuery, Traces, Window};

use super::{Reader, trace_id};

/// A longer window has no steps of its own that anybody could look at.
const STEPS_MAX: u64 = 100_000;
/// Spans whose services are asked for at once.
const CALLERS_MAX: usize = 10_000;
const MINUTE_NANO: u64 = 60_000_000_000;

fn window(asked: Option<proto::TimeWindow>) -> Window {
    let proto::TimeWindow { start_unix_nano, end_unix_nano } = asked.unwrap_or_default();
    Window { start: start_unix_nano, end: end_unix_nano }
}

fn packed(durations: &Durations) -> bytes::Bytes {
    let mut out = Vec::new();
    durations.pack(&mut out);
    out.into()
}

impl Reader {
    pub(super) async fn red(
        &self,
        request: proto::GetRedRequest,
    ) -> Result<proto::GetRedResponse, tonic::Status> {
        let window = window(request.window);
        let step_nano = u64::from(request.step_minutes).saturating_mul(MINUTE_NANO);
        let steps = window.end.saturating_sub(window.start).checked_div(step_nano).unwrap_or(1);
        if steps > STEPS_MAX {
            let message = format!("{steps} steps asked for, at most {STEPS_MAX} are answered");
            return Err(Status::new(Kind::Invalid, message).into());
        }
        let query = RedQuery {
            window,
            step_minutes: request.step_minutes,
            services: request.services,
            kinds: request.span_kinds,
            by_operation: request.by_operation,
        };
        let question = move |snap: &Snapshot<Traces>, stop: &Stop, cost: &mut Cost| {
            trace_segments::red(snap, &query, stop, cost)
        };
        let answer = self.ask(request.scope, question).await?;
        let point = |point: trace_segments::RedPoint| proto::RedPoint {
            step: point.step,
            count: point.count,
            duration_sum_nano: point.duration_sum,
            durations: packed(&point.durations),
        };
        let series = |series: trace_segments::RedSeries| proto::RedSeries {
            service: series.service,
            operation: series.operation,
            span_kind: series.kind,
            status_code: series.status,
            points: series.points.into_iter().map(point).collect(),
        };
        Ok(proto::GetRedResponse {
            state: Some(answer.state),
            series: answer.value.series.into_iter().map(series).collect(),
            left_out: answer.value.left_out,
        })
    }

    pub(super) async fn edges(
        &self,
        request: proto::GetEdgesRequest,
    ) -> Result<proto::GetEdgesResponse, tonic::Status> {
        let window = window(request.window);
        let question = move |snap: &Snapshot<Traces>, stop: &Stop, cost: &mut Cost| {
            trace_segments::edges(snap, window, stop, cost)
        };
        let answer = self.ask(request.scope, question).await?;
        let edge = |edge: trace_segments::Edge| proto::Edge {
            caller: edge.caller,
            callee: edge.callee,
            callee_type: match edge.callee_type {
                Callee::Service => proto::Callee::Service,
                Callee::Database => proto::Callee::Database,
                Callee::Messaging => proto::Callee::Messaging,
                Callee::External => proto::Callee::External,
            }
            .into(),
            span_kind: edge.kind,
            calls: edge.calls,
            errors: edge.errors,
            duration_sum_nano: edge.duration_sum,
            durations: packed(&edge.durations),
        };
        let half = |half: trace_segments::HalfEdge| proto::HalfEdge {
            trace_id: half.trace_id.to_vec().into(),
            parent_span_id: half.parent_span_id.to_vec().into(),
            callee: half.callee,
            span_kind: half.kind,
            error: half.is_error,
            start_unix_nano: half.start,
            duration_nano: half.duration,
        };
        Ok(proto::GetEdgesResponse {
            state: Some(answer.state),
            edges: answer.value.edges.into_iter().map(edge).collect(),
            halves: answer.value.halves.into_iter().map(half).collect(),
            halves_left_out: answer.value.halves_left_out,
        })
    }

    pub(super) async fn failures(
        &self,
        request: proto::GetFailuresRequest,
    ) -> Result<proto::GetFailuresResponse, tonic::Status> {
        let window = window(request.window);
        let question = move |snap: &Snapshot<Traces>, stop: &Stop, cost: &mut Cost| {
            trace_segments::failures(snap, window, stop, cost)
        };
        let answer = self.ask(request.scope, question).await?;
        let failure = |failure: trace_segments::Failure| proto::Failure {
            service: failure.service,
            operation: failure.operation,
            r#type: failure.label,
            text: failure.text,
            count: failure.count,
        };
        let version = |version: trace_segments::Version| proto::Version {
            service: version.service,
            version: version.version,
            first_seen_unix_nano: version.first_seen,
            last_seen_unix_nano: version.last_seen,
        };
        Ok(proto::GetFailuresResponse {
            state: Some(answer.state),
            failures: answer.value.failures.into_iter().map(failure).collect(),
            versions: answer.value.versions.into_iter().map(version).collect(),
        })
    }

    pub(super) async fn callers(
        &self,
        request: proto::GetCallersRequest,
    ) -> Result<proto::GetCallersResponse, tonic::Status> {
        if request.spans.len() > CALLERS_MAX {
            let message =
                format!("{} spans asked for, at most {CALLERS_MAX} are answered", request.spans.len());
            return Err(Status::new(Kind::Invalid, message).into());
        }
        let mut spans = Vec::with_capacity(request.spans.len());
        for key in &request.spans {
            let span_id: [u8; 8] = key.span_id.as_ref().try_into().map_err(|_wrong_length| {
                let message = format!("spans: an id is {} bytes long, expected 8", key.span_id.len());
                Status::new(Kind::Invalid, message)
            })?;
            spans.push((trace_id(&key.trace_id)?, u64::from_be_bytes(span_id)));
        }
        let question = move |snap: &Snapshot<Traces>, _: &Stop, cost: &mut Cost| {
            trace_segments::callers(snap, &spans, cost)
        };
        let answer = self.ask(request.scope, question).await?;
        let services = answer.value.into_iter().map(Option::unwrap_or_default).collect();
        Ok(proto::GetCallersResponse { state: Some(answer.state), services })
    }
}
