//! Writes: OTLP `TraceService/Export` over bytes, answered when durable.
//!
//! Knows: admission, the split by trace id, what each refusal of the store means to a client. Must not know: how the
//! store keeps records. Start at [`Exporter::export`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use prost::Message;
use runtime_engine::{Partition, Position};
use runtime_log::{AppendError as LogError, NewRecord};
use runtime_service::{Kind, Pool, Status};
use runtime_store::{AppendError, Store};
use shared_proto::encoding::OTLP_TRACES;
use shared_proto::otlp::{Limits, Rejected, Signal, admit, split_traces};
use tokio::sync::oneshot;
use tonic::metadata::MetadataValue;
use trace_segments::Traces;

use crate::config::STORE;
use crate::metrics::Metrics;

/// Path of the method.
pub(crate) const PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// Header that says which log positions a write got.
pub(crate) const POSITION_HEADER: &str = "x-yc-position";
/// Whose data it is, until tenants are a feature.
const TENANT: &str = "default";
/// Smaller requests are checked and split on the thread that received them.
const INLINE_BYTES_MAX: usize = 512 << 10;

/// The write path of one process.
pub(crate) struct Exporter {
    pub(crate) store: Store<Traces>,
    pub(crate) metrics: Arc<Metrics>,
    /// Where large requests are checked and split.
    pub(crate) pool: Pool,
    pub(crate) record_bytes_max: usize,
    pub(crate) limits: Limits,
}

/// A request that was checked and split.
struct Prepared {
    records: Vec<NewRecord>,
    spans: u64,
    rejected: Option<Rejected>,
    repaired_texts: u64,
}

impl Exporter {
    /// Takes one request.
    pub(crate) async fn export(
        self: Arc<Self>,
        body: Bytes,
    ) -> Result<tonic::Response<Bytes>, tonic::Status> {
        let started = Instant::now();
        let outcome = self.take(body).await;
        self.metrics.export_done(outcome.as_ref().err().map(|s| s.kind), started.elapsed());
        Ok(outcome?)
    }

    async fn take(self: &Arc<Self>, body: Bytes) -> Result<tonic::Response<Bytes>, Status> {
        let prepared = if body.len() <= INLINE_BYTES_MAX {
            self.prepare(body)?
        } else {
            let this = Arc::clone(self);
            self.pool.run(move || this.prepare(body)).await??
        };
        let Prepared { records, spans, rejected, repaired_texts } = prepared;
        let positions = if records.is_empty() { Vec::new() } else { self.append(records).await? };
        self.metrics.accepted(spans, rejected.as_ref().map_or(0, |r| r.items), repaired_texts);
        Ok(answer(&positions, rejected))
    }

    fn prepare(&self, body: Bytes) -> Result<Prepared, Status> {
        let malformed = |e: shared_proto::otlp::Malformed| Status::new(Kind::Invalid, e.to_string());
        let admitted = admit(Signal::Traces, body, &self.limits).map_err(malformed)?;
        let split = split_traces(&admitted.bytes, self.store.config().partitions, self.record_bytes_max)
            .map_err(malformed)?;
        let spans = split.parts.iter().map(|p| p.spans).sum();
        let tenant: Arc<str> = TENANT.into();
        let records = split.parts.into_iter().map(|part| NewRecord {
            partition: Partition(part.partition),
            tenant: Arc::clone(&tenant),
            encoding: OTLP_TRACES,
            payload: part.payload,
        });
        Ok(Prepared {
            records: records.collect(),
            spans,
            rejected: Rejected::join(admitted.rejected, split.rejected),
            repaired_texts: admitted.repaired_texts,
        })
    }

    async fn append(&self, records: Vec<NewRecord>) -> Result<Vec<Position>, Status> {
        let (done, outcome) = oneshot::channel();
        self.store.append(
            records,
            Box::new(move |positions| {
                let _caller_left = done.send(positions);
            }),
        );
        match outcome.await {
            Ok(positions) => positions.map_err(|e| refusal(&e)),
            Err(_dropped) => {
                Err(Status::retryable(Kind::Unavailable, "the store stopped before it answered"))
            }
        }
    }
}

/// What a refusal means to the client.
fn refusal(error: &AppendError) -> Status {
    let message = error.to_string();
    match error {
        AppendError::Exhausted { retry_after, .. } => {
            Status { kind: Kind::Exhausted, message, retry_after: Some(*retry_after) }
        }
        AppendError::Log(LogError::TooLarge { .. }) => Status::new(Kind::TooLarge, message),
        AppendError::Log(LogError::LogFull { .. } | LogError::Busy { .. }) => {
            Status::retryable(Kind::Exhausted, message)
        }
        AppendError::Log(LogError::DiskFull { .. } | LogError::Poisoned { .. } | LogError::Closed)
        | AppendError::Closed { .. } => Status::retryable(Kind::Unavailable, message),
    }
}

/// `ExportTraceServiceResponse`
#[derive(Clone, PartialEq, Message)]
struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

/// `ExportTracePartialSuccess`
#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_spans: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

fn answer(positions: &[Position], rejected: Option<Rejected>) -> tonic::Response<Bytes> {
    let partial_success = rejected.map(|r| PartialSuccess {
        rejected_spans: i64::try_from(r.items).unwrap_or(i64::MAX),
        error_message: r.to_string(),
    });
    let mut response = tonic::Response::new(ExportResponse { partial_success }.encode_to_vec().into());
    if !positions.is_empty()
        && let Ok(value) = MetadataValue::try_from(position_text(positions))
    {
        response.metadata_mut().insert(POSITION_HEADER, value);
    }
    response
}

/// `traces/0@17,traces/3@18`: the last record of each partition. A store's position is the one after it.
fn position_text(positions: &[Position]) -> String {
    let mut last: BTreeMap<Partition, u64> = BTreeMap::new();
    for position in positions {
        let offset = position.offset.0.saturating_sub(1);
        let slot = last.entry(position.partition).or_default();
        *slot = offset.max(*slot);
    }
    let texts: Vec<_> =
        last.iter().map(|(partition, offset)| format!("{STORE}/{partition}@{offset}")).collect();
    texts.join(",")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use runtime_engine::Offset;

    use super::*;

    #[test]
    fn a_refusal_is_final_only_when_a_retry_cannot_help() {
        let check = |error: AppendError, kind: Kind, hinted: bool| {
            let status = refusal(&error);
            assert_eq!((status.kind, status.retry_hint().is_some()), (kind, hinted), "{error}");
        };
        let exhausted = AppendError::Exhausted {
            store: "traces".into(),
            what: "head bytes",
            used: 2,
            limit: 1,
            retry_after: Duration::from_secs(2),
        };
        check(exhausted, Kind::Exhausted, true);
        check(LogError::TooLarge { what: "payload", bytes: 2, limit_bytes: 1 }.into(), Kind::TooLarge, false);
        check(LogError::LogFull { log_bytes: 1, limit_bytes: 1 }.into(), Kind::Exhausted, true);
        check(LogError::Busy { queued_bytes: 1, limit_bytes: 1 }.into(), Kind::Exhausted, true);
        let full = LogError::DiskFull { dir: "d".into(), available_bytes: 0, reserve_bytes: 1 };
        check(full.into(), Kind::Unavailable, true);
        let source = Arc::new(std::io::Error::other("EIO"));
        check(LogError::Poisoned { source }.into(), Kind::Unavailable, true);
        check(LogError::Closed.into(), Kind::Unavailable, true);
        check(AppendError::Closed { store: "traces".into() }, Kind::Unavailable, true);
    }

    #[test]
    fn the_position_header_has_the_last_record_of_each_partition() {
        let at = |partition, offset| Position { partition: Partition(partition), offset: Offset(offset) };
        assert_eq!(position_text(&[at(3, 19), at(0, 18), at(3, 20)]), "traces/0@17,traces/3@19");
        assert_eq!(position_text(&[]), "");
    }

    #[test]
    fn a_partial_success_names_the_number_and_the_first_culprit() {
        let rejected = Some(Rejected { items: 2, first: "span x".to_owned() });
        let bytes = answer(&[], rejected).into_inner();
        assert_eq!(&bytes[..6], b"\x0a\x24\x08\x02\x12\x20");
        assert!(bytes.ends_with(b"span x; 1 more span was rejected"));
        assert!(answer(&[], None).into_inner().is_empty());
    }
}
