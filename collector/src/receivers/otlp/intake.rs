//! From a request's protobuf bytes to an outcome: validation, hand-over, counting.
//!
//! Knows: outputs, limits, metrics. Must not know: HTTP or gRPC. Start at [`Intake::answer`], then
//! [`Intake::prepare`] and [`Intake::take`].

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONTENT_TYPE, ORIGIN};
use runtime_service::status::Encoding;
use runtime_service::{Kind, Pool, Status};
use shared_proto::otlp::{self, Admitted, Rejected, Signal, json};

use super::config::OtlpConfig;
use super::cors::Cors;
use super::inflate::{Coding, inflate};
use super::{grpc, http as plain};
use crate::admission::Lease;
use crate::component::{Host, Output, Outputs};
use crate::config::ComponentId;
use crate::metrics::{Number, ReceiverMetrics};
use crate::pipeline::Batch;

/// Requests up to this size are prepared where they were read; an eighth of it when they are compressed or JSON.
const INLINE_BYTES_MAX: usize = 1 << 20;
/// Large requests that wait for a thread; beyond that they are refused with a retry hint.
const WAITING_MAX: usize = 256;

/// A request's body as it was read, and what is known about it.
pub(super) struct Raw {
    pub(super) signal: Signal,
    pub(super) body: Bytes,
    pub(super) coding: Coding,
    pub(super) encoding: Encoding,
    /// The largest size after decompression.
    pub(super) bytes_max: usize,
    /// Holds the bytes until the request is answered.
    pub(super) lease: Lease,
}

/// A validated request that still holds its bytes.
pub(super) struct Prepared {
    admitted: Admitted,
    lease: Lease,
}

impl Raw {
    fn prepare(mut self, limits: &otlp::Limits) -> Result<Prepared, Status> {
        let mut body = inflate(self.coding, self.body, self.bytes_max, &mut self.lease)?;
        if self.encoding == Encoding::Json {
            body = json::decode(self.signal, &body)
                .map_err(|error| Status::new(Kind::Invalid, error.to_string()))?;
        }
        let admitted = otlp::admit(self.signal, body, limits)
            .map_err(|malformed| Status::new(Kind::Invalid, malformed.to_string()))?;
        Ok(Prepared { admitted, lease: self.lease })
    }
}

/// What both protocols share.
pub(super) struct Intake {
    id: ComponentId,
    outputs: Outputs,
    limits: otlp::Limits,
    pool: Pool,
    pub(super) grpc_bytes_max: usize,
    pub(super) http_bytes_max: usize,
    /// URL path of each signal over HTTP.
    pub(super) paths: Vec<(String, Signal)>,
    pub(super) compressions: Option<Vec<String>>,
    pub(super) cors: Cors,
    pub(super) grpc_metrics: ReceiverMetrics,
    pub(super) http_metrics: ReceiverMetrics,
    repaired_texts: Number,
}

/// A request that was taken, whole or in part.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) rejected: Option<Rejected>,
    pub(super) positions: Option<Arc<str>>,
}

impl Intake {
    pub(super) fn new(config: &OtlpConfig, id: &ComponentId, outputs: Outputs, host: &Host) -> Self {
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        let http = config.protocols.http.0.as_ref();
        let defaults = super::config::Http::default();
        let paths = http.unwrap_or(&defaults);
        Intake {
            id: id.clone(),
            outputs,
            limits: otlp::Limits::default(),
            pool: Pool::new("request decoding", workers, WAITING_MAX),
            grpc_bytes_max: config.grpc_bytes_max(),
            http_bytes_max: config.http_bytes_max(),
            paths: vec![
                (paths.traces_url_path.clone(), Signal::Traces),
                (paths.metrics_url_path.clone(), Signal::Metrics),
                (paths.logs_url_path.clone(), Signal::Logs),
            ],
            compressions: config.compressions().map(<[String]>::to_vec),
            cors: http.and_then(|http| http.cors.as_ref()).map(Cors::new).unwrap_or_default(),
            grpc_metrics: host.metrics.receiver(id, "grpc"),
            http_metrics: host.metrics.receiver(id, "http"),
            repaired_texts: host
                .metrics
                .number("otelcol_receiver_repaired_texts", vec![("receiver", id.to_string())]),
        }
    }

    /// Answers any request on any of the ports; the content type says which protocol it speaks.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let is_grpc = grpc::is_grpc(request.headers());
        // Kept for the answer; the borrow must end before the request moves.
        let (origin, content_type) = {
            let headers = request.headers();
            (headers.get(ORIGIN).cloned(), headers.get(CONTENT_TYPE).cloned())
        };
        let answered = AssertUnwindSafe(async {
            if is_grpc { grpc::answer(self, request).await } else { plain::answer(self, request).await }
        });
        let mut response = answered.catch_unwind().await.unwrap_or_else(|_reported_by_the_panic_hook| {
            let status = Status::new(Kind::Internal, "internal error, see the log of the collector");
            if is_grpc {
                grpc::refuse(status)
            } else {
                plain::refuse(&status, plain::error_encoding(content_type.as_ref()), None)
            }
        });
        if !is_grpc {
            self.cors.decorate(origin.as_ref(), &mut response);
        }
        response
    }

    /// Where `signal` goes.
    pub(super) fn output(&self, signal: Signal) -> Result<&Output, Status> {
        self.outputs.get(&signal).ok_or_else(|| {
            Status::new(
                Kind::Unimplemented,
                format!(
                    "no pipeline takes {signal} from receiver {}: configure one, or stop sending {signal}",
                    self.id
                ),
            )
        })
    }

    /// Decompresses, decodes and validates a request; a large one on a blocking thread, so that it does not hold up its
    /// neighbours.
    pub(super) async fn prepare(&self, raw: Raw) -> Result<Prepared, Status> {
        let cheap = raw.coding == Coding::Identity && raw.encoding == Encoding::Protobuf;
        let inline_max = if cheap { INLINE_BYTES_MAX } else { INLINE_BYTES_MAX / 8 };
        let limits = self.limits.clone();
        if raw.body.len() <= inline_max {
            return raw.prepare(&limits);
        }
        self.pool.run(move || raw.prepare(&limits)).await?
    }

    /// Hands a prepared request to its pipelines.
    pub(super) async fn take(
        &self,
        output: &Output,
        signal: Signal,
        prepared: Prepared,
        metrics: &ReceiverMetrics,
    ) -> Result<Taken, Status> {
        let Prepared { admitted, lease } = prepared;
        self.repaired_texts.add(admitted.repaired_texts);
        let rejected_here = admitted.rejected.as_ref().map_or(0, |rejected| rejected.items);
        metrics.refused.of(signal).add(rejected_here);
        let items = admitted.items;
        if items == 0 {
            return Ok(Taken { rejected: admitted.rejected, positions: None });
        }
        let batch = Batch { signal, bytes: admitted.bytes, items };
        let outcome = output.consumer.consume(batch).await;
        drop(lease);
        match outcome {
            Ok(ack) => {
                let refused = ack.rejected.as_ref().map_or(0, |rejected| rejected.items.min(items));
                metrics.accepted.of(signal).add(items - refused);
                metrics.refused.of(signal).add(refused);
                let rejected = join(admitted.rejected, ack.rejected);
                Ok(Taken { rejected, positions: ack.positions })
            }
            Err(status) => {
                metrics.refused.of(signal).add(items);
                Err(status)
            }
        }
    }
}

/// Items rejected here and behind.
fn join(here: Option<Rejected>, behind: Option<Rejected>) -> Option<Rejected> {
    match (here, behind) {
        (Some(here), Some(behind)) => Some(Rejected { items: here.items + behind.items, first: here.first }),
        (here, behind) => here.or(behind),
    }
}
