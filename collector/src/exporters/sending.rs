//! Queue and retry of a network exporter: bounded in requests, items and bytes, answering only after the next hop.
//!
//! Knows: the keys `timeout`, `retry_on_failure`, `sending_queue`; bounds, back-off. Must not know: protocols. A "queue"
//! here is callers that wait: nothing is acknowledged before it is sent, so there is nothing to lose at a stop. Start at
//! [`Sending`].

mod retry;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use runtime_service::{Kind, Status};
use serde::Deserialize;
use shared_proto::otlp::Signal;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use crate::config::GoDuration;
use crate::metrics::ExporterMetrics;
use crate::pipeline::{Batch, Consumer, Outcome};

pub(super) use retry::RetryConfig;

/// Bytes that wait or are under way, whatever the sizer says.
const QUEUE_BYTES_MAX: u64 = 64 << 20;

/// Failures are logged at most this often.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(1);

/// `sending_queue`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(super) struct QueueConfig {
    enabled: bool,
    num_consumers: usize,
    queue_size: u64,
    sizer: Sizer,
    block_on_overflow: bool,
    wait_for_result: bool,
    pub(super) batch: Option<QueueBatch>,
}

impl Default for QueueConfig {
    fn default() -> Self {
        QueueConfig {
            enabled: true,
            num_consumers: 10,
            queue_size: 1000,
            sizer: Sizer::Requests,
            block_on_overflow: false,
            wait_for_result: true,
            batch: None,
        }
    }
}

/// What `queue_size` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Sizer {
    Requests,
    Items,
    Bytes,
}

/// `sending_queue::batch`: merging as the `batch` processor does it.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(super) struct QueueBatch {
    pub(super) flush_timeout: GoDuration,
    pub(super) min_size: u64,
    pub(super) max_size: u64,
    sizer: Sizer,
}

impl Default for QueueBatch {
    fn default() -> Self {
        QueueBatch {
            flush_timeout: GoDuration(Duration::from_millis(5)),
            min_size: 8192,
            max_size: 0,
            sizer: Sizer::Items,
        }
    }
}

impl QueueConfig {
    pub(super) fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut say = |text: &str| problems.push(format!("sending_queue: {text}"));
        if !self.wait_for_result {
            say(
                "wait_for_result: false is not available: it would acknowledge data that a crash loses; leave it out or \
                 set it to true",
            );
        }
        if self.enabled && self.queue_size == 0 {
            say("`queue_size` must be positive");
        }
        if self.enabled && self.num_consumers == 0 {
            say("`num_consumers` must be positive");
        }
        if self.batch.as_ref().is_some_and(|batch| batch.sizer != Sizer::Items) {
            say("batch: only sizer items is available");
        }
        problems
    }
}

/// One attempt to hand a batch to the next hop.
pub(super) trait Attempt: Send + Sync + 'static {
    fn attempt(&self, batch: Batch) -> BoxFuture<'_, Outcome>;
}

/// What waits or is under way.
#[derive(Debug, Default, Clone, Copy)]
struct Used {
    requests: u64,
    items: u64,
    bytes: u64,
}

impl Used {
    fn by(self, sizer: Sizer) -> u64 {
        match sizer {
            Sizer::Requests => self.requests,
            Sizer::Items => self.items,
            Sizer::Bytes => self.bytes,
        }
    }
}

/// Queue and retry around an [`Attempt`].
pub(super) struct Sending<A> {
    name: String,
    attempt: A,
    queue: QueueConfig,
    retry: RetryConfig,
    timeout: Duration,
    slots: Arc<Semaphore>,
    used: Mutex<Used>,
    room: Notify,
    quiet: Mutex<Quiet>,
    metrics: ExporterMetrics,
}

/// When failures were last logged, and how many were not since.
#[derive(Debug, Default)]
struct Quiet {
    since: Option<Instant>,
    swallowed: u64,
}

impl<A: Attempt> Sending<A> {
    pub(super) fn new(
        name: String,
        attempt: A,
        queue: QueueConfig,
        retry: RetryConfig,
        timeout: Duration,
        metrics: ExporterMetrics,
    ) -> Self {
        let slots = if queue.enabled { queue.num_consumers } else { Semaphore::MAX_PERMITS };
        metrics.queue_capacity.set(if queue.enabled { queue.queue_size } else { 0 });
        Sending {
            name,
            attempt,
            queue,
            retry,
            timeout,
            slots: Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            used: Mutex::default(),
            room: Notify::new(),
            quiet: Mutex::default(),
            metrics,
        }
    }

    fn take(&self, batch: &Batch) -> Result<Place<'_, A>, Status> {
        let bytes = u64::try_from(batch.bytes.len()).unwrap_or(u64::MAX);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let after = Used {
            requests: used.requests + 1,
            items: used.items + batch.items,
            bytes: used.bytes.saturating_add(bytes),
        };
        let size = after.by(self.queue.sizer);
        let alone = used.requests == 0;
        let full = self.queue.enabled && size > self.queue.queue_size;
        if !alone && (full || after.bytes > QUEUE_BYTES_MAX) {
            return Err(Status::retryable(
                Kind::Exhausted,
                format!("sending queue of exporter {} is full: {} requests wait", self.name, used.requests),
            ));
        }
        *used = after;
        self.metrics.queue_size.set(size);
        Ok(Place { sending: self, items: batch.items, bytes })
    }

    async fn enqueue(&self, batch: &Batch) -> Result<Place<'_, A>, Status> {
        loop {
            let room = self.room.notified();
            match self.take(batch) {
                Err(_full) if self.queue.block_on_overflow => room.await,
                outcome => return outcome,
            }
        }
    }

    async fn send(&self, batch: Batch) -> Outcome {
        let signal = batch.signal;
        let place = match self.enqueue(&batch).await {
            Ok(place) => place,
            Err(status) => {
                self.metrics.enqueue_failed.of(signal).add(batch.items);
                return Err(status);
            }
        };
        let Ok(slot) = self.slots.acquire().await else {
            return Err(Status::retryable(Kind::Unavailable, "the collector is shutting down"));
        };
        let items = batch.items;
        let under_way = UnderWay::new(&self.metrics);
        let outcome = self.retry.run(|| self.once(batch.clone())).await;
        drop(under_way);
        drop(slot);
        drop(place);
        match &outcome {
            Ok(ack) => {
                let rejected = ack.rejected.as_ref().map_or(0, |rejected| rejected.items.min(items));
                self.metrics.sent.of(signal).add(items - rejected);
                self.metrics.send_failed.of(signal).add(rejected);
            }
            Err(status) => {
                self.metrics.send_failed.of(signal).add(items);
                self.complain(signal, items, status);
            }
        }
        outcome
    }

    /// At most one line a second, so that an outage does not fill the log.
    fn complain(&self, signal: Signal, items: u64, status: &Status) {
        let mut quiet = self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        if quiet.since.is_some_and(|since| since.elapsed() < COMPLAINT_INTERVAL) {
            quiet.swallowed += 1;
            return;
        }
        quiet.since = Some(Instant::now());
        let swallowed = std::mem::take(&mut quiet.swallowed);
        let kind = status.kind;
        tracing::warn!(exporter = self.name, %signal, items, ?kind, swallowed, error = %status, "export failed");
    }

    async fn once(&self, batch: Batch) -> Outcome {
        if self.timeout.is_zero() {
            return self.attempt.attempt(batch).await;
        }
        tokio::time::timeout(self.timeout, self.attempt.attempt(batch)).await.unwrap_or_else(|_elapsed| {
            let text = format!("exporter {} got no answer within {:?}", self.name, self.timeout);
            Err(Status::retryable(Kind::Unavailable, text))
        })
    }
}

impl<A: Attempt> Consumer for Sending<A> {
    fn consume(&self, batch: Batch) -> BoxFuture<'_, Outcome> {
        Box::pin(self.send(batch))
    }
}

/// A request's share of the bounds.
struct Place<'a, A> {
    sending: &'a Sending<A>,
    items: u64,
    bytes: u64,
}

impl<A> Drop for Place<'_, A> {
    fn drop(&mut self) {
        let mut used = self.sending.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.requests -= 1;
        used.items -= self.items;
        used.bytes -= self.bytes;
        self.sending.metrics.queue_size.set(used.by(self.sending.queue.sizer));
        self.sending.room.notify_waiters();
    }
}

struct UnderWay<'a>(&'a ExporterMetrics);

impl<'a> UnderWay<'a> {
    fn new(metrics: &'a ExporterMetrics) -> Self {
        metrics.in_flight.add(1);
        UnderWay(metrics)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.in_flight.sub(1);
    }
}
