//! Streaming an answer: engine work on the pool, chunks to the network, with back-pressure between them.
//!
//! Knows: channels, time-outs. Must not know: what a chunk holds. Start at [`Streaming::start`].

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::BoxFuture;
use runtime_engine::Error;
use runtime_service::{Kind, Pool, Status};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::metrics::Metrics;

/// Chunks of about 1 MiB each that may wait for the network.
const CHUNKS_WAITING_MAX: usize = 4;

/// How an answer is streamed.
pub(super) struct Streaming {
    pub(super) stall_max: Duration,
    pub(super) metrics: Arc<Metrics>,
}

/// The answer; drives its own engine work, so that it ends with the call.
pub(crate) struct ChunkStream<T> {
    chunks: mpsc::Receiver<Result<T, tonic::Status>>,
    work: Option<BoxFuture<'static, ()>>,
}

impl<T> Stream for ChunkStream<T> {
    type Item = Result<T, tonic::Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(work) = self.work.as_mut()
            && work.as_mut().poll(cx).is_ready()
        {
            self.work = None;
        }
        self.chunks.poll_recv(cx)
    }
}

/// Sends from an engine thread; waits while the reader is slow, but not for ever.
pub(super) struct Sender<T> {
    chunks: mpsc::Sender<Result<T, tonic::Status>>,
    runtime: Handle,
    stall_max: Duration,
}

impl<T> Sender<T> {
    /// Sends a chunk.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the reader has left or takes nothing.
    pub(super) fn send(&self, chunk: T) -> runtime_engine::Result<()> {
        let item = match self.chunks.try_send(Ok(chunk)) {
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

    /// What a failure means to the caller; `other` says it of failures that are not about sending.
    pub(super) fn failed(&self, error: Error, other: impl FnOnce(&Error) -> Status) -> Status {
        match error {
            Error::Stopped => Status::new(
                Kind::DeadlineExceeded,
                format!("the reader took nothing for {:?}", self.stall_max),
            ),
            error => other(&error),
        }
    }
}

impl Streaming {
    /// Begins `run`, which sends what it finds; `pool` bounds how many run.
    pub(super) fn start<T, F>(self, pool: &Pool, run: F) -> ChunkStream<T>
    where
        T: Send + 'static,
        F: FnOnce(&Sender<T>) -> Result<(), Status> + Send + 'static,
    {
        let (sender, chunks) = mpsc::channel(CHUNKS_WAITING_MAX);
        let out = Sender { chunks: sender.clone(), runtime: Handle::current(), stall_max: self.stall_max };
        let metrics = Arc::clone(&self.metrics);
        let work = pool.run(move || {
            let outcome = run(&out);
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
}
