//! Whole traces as a stream, with back-pressure: the engine waits while the reader is slow.
//!
//! Knows: chunks, a bounded channel, the stall limit. Must not know: how spans are found. Start at
//! [`Streaming::start`].

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use runtime_engine::{Error, Snapshot};
use runtime_service::{Kind, Pool, Status};
use shared_proto::trace_store::v1::TraceChunk;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use trace_segments::{Cost, Traces};

use super::failure;
use super::scope::Scope;
use crate::metrics::Metrics;

/// Chunks of about 1 MiB each that may wait for the network.
const CHUNKS_WAITING_MAX: usize = 4;

type Item = Result<TraceChunk, tonic::Status>;

/// One call of `GetTraces`.
pub(super) struct Streaming {
    pub(super) scope: Scope,
    pub(super) ids: Vec<[u8; 16]>,
    pub(super) stall_max: Duration,
    pub(super) metrics: Arc<Metrics>,
}

/// The answer; drives its own engine work, so that it ends with the call.
pub(crate) struct ChunkStream {
    chunks: mpsc::Receiver<Item>,
    work: Option<BoxFuture<'static, ()>>,
}

impl Stream for ChunkStream {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        if let Some(work) = self.work.as_mut()
            && work.as_mut().poll(cx).is_ready()
        {
            self.work = None;
        }
        self.chunks.poll_recv(cx)
    }
}

/// Sends from an engine thread; waits while the reader is slow, but not for ever.
struct Sender {
    chunks: mpsc::Sender<Item>,
    runtime: Handle,
    stall_max: Duration,
}

impl Sender {
    fn send(&self, item: Item) -> runtime_engine::Result<()> {
        let item = match self.chunks.try_send(item) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(Error::Stopped),
            Err(mpsc::error::TrySendError::Full(item)) => item,
        };
        let sent = self
            .runtime
            .block_on(async { tokio::time::timeout(self.stall_max, self.chunks.send(item)).await });
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Error::Stopped),
        }
    }
}

impl Streaming {
    /// Begins; `pool` bounds how many run.
    pub(super) fn start(self, pool: &Pool) -> ChunkStream {
        let (sender, chunks) = mpsc::channel(CHUNKS_WAITING_MAX);
        let out = Sender { chunks: sender.clone(), runtime: Handle::current(), stall_max: self.stall_max };
        let metrics = Arc::clone(&self.metrics);
        let work = pool.run(move || {
            let outcome = self.run(&out);
            self.metrics.read_done(outcome.as_ref().err().map(|s| s.kind));
            outcome
        });
        let work = Box::pin(async move {
            let outcome = work.await.unwrap_or_else(|refused| {
                metrics.read_done(Some(refused.kind));
                Err(refused)
            });
            if let Err(status) = outcome {
                let _reader_left = sender.send(Err(status.into())).await;
            }
        });
        ChunkStream { chunks, work: Some(work) }
    }

    fn run(&self, out: &Sender) -> Result<(), Status> {
        let mut cost = Cost::default();
        let mut snapshot = self.scope.snapshot();
        for id in &self.ids {
            let mut outcome = emit(&snapshot, *id, out, &mut cost);
            if matches!(outcome, Err(Error::Corrupt { .. }))
                && self.scope.store.verify(self.scope.partition) > 0
            {
                snapshot = self.scope.snapshot();
                outcome = emit(&snapshot, *id, out, &mut cost);
            }
            match outcome {
                Ok(_found) => {}
                Err(Error::Stopped) => {
                    let message = format!("the reader took nothing for {:?}", self.stall_max);
                    return Err(Status::new(Kind::DeadlineExceeded, message));
                }
                Err(e) => return Err(failure(&e)),
            }
        }
        let state = Some(self.scope.state(&snapshot, cost));
        let last = TraceChunk { state, trace_id: Bytes::new(), traces_data: Bytes::new() };
        let _reader_left = out.send(Ok(last));
        Ok(())
    }
}

fn emit(
    snapshot: &Snapshot<Traces>,
    id: [u8; 16],
    out: &Sender,
    cost: &mut Cost,
) -> runtime_engine::Result<bool> {
    let trace_id = Bytes::copy_from_slice(&id);
    let mut send = |traces_data: Bytes| {
        out.send(Ok(TraceChunk { state: None, trace_id: trace_id.clone(), traces_data }))
    };
    trace_segments::get_trace(snapshot, id, &mut send, cost)
}
