//! Bounds of the queue, and what a full one answers.

use super::*;
use crate::metrics::Metrics;
use crate::pipeline::Ack;
use crate::testing::{Gate, batch};

struct ToGate(Arc<Gate>);

impl Attempt for ToGate {
    fn attempt(&self, batch: Batch) -> BoxFuture<'_, Outcome> {
        self.0.consume(batch)
    }
}

fn sending(gate: &Arc<Gate>, queue: QueueConfig, timeout: Duration) -> Arc<Sending<ToGate>> {
    let metrics = Metrics::default().exporter(&"otlp_grpc/x".parse().unwrap());
    let name = "otlp_grpc/x".to_owned();
    Arc::new(Sending::new(name, ToGate(gate.clone()), queue, RetryConfig::default(), timeout, metrics))
}

fn never(_: &Batch) -> Outcome {
    Ok(Ack::default())
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_with_a_retry_hint_and_frees_itself() {
    let gate = Gate::new(never);
    let queue = QueueConfig { queue_size: 2, num_consumers: 1, ..QueueConfig::default() };
    let sending = sending(&gate, queue, Duration::ZERO);
    let mut first = Box::pin(sending.consume(batch("a", 5)));
    let mut second = Box::pin(sending.consume(batch("b", 5)));
    assert!(futures_util::poll!(&mut first).is_pending());
    assert!(futures_util::poll!(&mut second).is_pending());
    let refused = sending.consume(batch("c", 5)).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Exhausted);
    assert_eq!(refused.message, "sending queue of exporter otlp_grpc/x is full: 2 requests wait");
    assert!(refused.retry_after.is_some());
    let metrics = &sending.metrics;
    assert_eq!((metrics.queue_size.get(), metrics.queue_capacity.get(), metrics.in_flight.get()), (2, 2, 1));
    assert_eq!(metrics.enqueue_failed.of(shared_proto::otlp::Signal::Traces).get(), 5);
    assert_eq!(gate.texts(), ["a"], "one consumer sends one request at a time");
    drop(second);
    gate.permits.add_permits(1);
    first.await.unwrap();
    assert_eq!((metrics.queue_size.get(), metrics.in_flight.get()), (0, 0));
    assert_eq!(metrics.sent.of(shared_proto::otlp::Signal::Traces).get(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_byte_sized_queue_counts_bytes_and_lets_one_large_request_pass() {
    let gate = Gate::new(never);
    let queue = QueueConfig { queue_size: 10, sizer: Sizer::Bytes, ..QueueConfig::default() };
    let sending = sending(&gate, queue, Duration::ZERO);
    let mut large = Box::pin(sending.consume(batch("0123456789abcdef", 1)));
    assert!(futures_util::poll!(&mut large).is_pending());
    assert!(sending.consume(batch("x", 1)).await.is_err());
    gate.permits.add_permits(1);
    large.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_retryable() {
    let gate = Gate::new(never);
    let sending = sending(&gate, QueueConfig::default(), Duration::from_secs(5));
    let refused = sending.consume(batch("a", 1)).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Unavailable);
    assert!(refused.message.contains("got no answer within 5s"), "{}", refused.message);
}
