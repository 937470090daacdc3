//! What flows through a pipeline, and what flows back.
//!
//! Knows: a batch of OTLP bytes and the outcome of handing it on. Must not know: any component. Start at [`Consumer`].

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use runtime_service::Status;
use shared_proto::otlp::{Rejected, Signal};

/// A validated OTLP request. Cloning it clones a reference, never the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Which request message the bytes are.
    pub(crate) signal: Signal,
    /// The protobuf request.
    pub(crate) bytes: Bytes,
    /// Spans, data points or log records in it.
    pub(crate) items: u64,
}

/// The batch is where the pipeline's exporters were told to put it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ack {
    /// Log positions that an exporter's next hop gave, comma-joined, as `x-yc-position` carries them.
    pub(crate) positions: Option<Arc<str>>,
    /// Items that the next hop refused for good.
    pub(crate) rejected: Option<Rejected>,
}

impl Ack {
    /// The ack of one batch that went to two places.
    #[must_use]
    pub(crate) fn and(self, other: Ack) -> Ack {
        let positions = match (self.positions, other.positions) {
            (Some(a), Some(b)) if a != b => Some(Arc::from(format!("{a},{b}"))),
            (a, b) => a.or(b),
        };
        let rejected = match (self.rejected, other.rejected) {
            (Some(a), Some(b)) => Some(if b.items > a.items { b } else { a }),
            (a, b) => a.or(b),
        };
        Ack { positions, rejected }
    }
}

/// Success means durable, by the weakest exporter that the user named (DESIGN §9).
pub(crate) type Outcome = Result<Ack, Status>;

/// Takes batches; the future ends when the batch is acknowledged or refused. Dropping the future gives the batch up:
/// it may or may not arrive.
pub(crate) trait Consumer: Send + Sync + 'static {
    /// Hands one batch on.
    fn consume(&self, batch: Batch) -> BoxFuture<'_, Outcome>;
}

/// Hands each batch to several consumers at once; it succeeds when all did.
pub(crate) struct FanOut(pub(crate) Vec<Arc<dyn Consumer>>);

impl Consumer for FanOut {
    fn consume(&self, batch: Batch) -> BoxFuture<'_, Outcome> {
        let all: Vec<_> = self.0.iter().map(|next| next.consume(batch.clone())).collect();
        Box::pin(async move {
            let mut ack = Ack::default();
            let mut refused: Option<Status> = None;
            for outcome in futures_util::future::join_all(all).await {
                match outcome {
                    Ok(one) => ack = ack.and(one),
                    Err(status) => refused = Some(worse(refused, status)),
                }
            }
            refused.map_or(Ok(ack), Err)
        })
    }
}

/// Of two refusals the retryable one is answered, so that the client sends again what one branch still lacks.
fn worse(known: Option<Status>, new: Status) -> Status {
    match known {
        Some(known) if known.kind.is_retryable() || !new.kind.is_retryable() => known,
        _ => new,
    }
}

/// One consumer out of several.
pub(crate) fn fan_out(mut consumers: Vec<Arc<dyn Consumer>>) -> Arc<dyn Consumer> {
    match (consumers.len(), consumers.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            consumers.extend(last);
            Arc::new(FanOut(consumers))
        }
    }
}
