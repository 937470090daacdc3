//! `batch`: merges what arrives while an export is under way (DESIGN §9).
//!
//! Knows: its keys, the merge rules, outcomes of merged requests. Must not know: what the exporter does. It never
//! delays: while nothing is under way a request is handed on at once, by its own caller, unmerged. Otherwise it waits
//! until the export under way ends, enough has gathered, or `timeout` (5 ms) is over, whichever is first. Start at
//! [`Merger`].

mod outcome;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use runtime_service::{Kind, Status, Tasks};
use serde::Deserialize;
use shared_proto::otlp;
use tokio::sync::oneshot;

use crate::component::{Component, Host, Processor, ProcessorConfig};
use crate::config::{ComponentId, GoDuration, PipelineId};
use crate::metrics::Number;
use crate::pipeline::{Batch, Consumer, Outcome};

/// Gathered items that are sent although an export is under way.
const ITEMS_DEFAULT: u64 = 8192;
const TIMEOUT_DEFAULT: Duration = Duration::from_millis(5);
/// A merged request stays well below what the next hop takes (16 MiB).
const MERGED_BYTES_MAX: usize = 8 << 20;

/// `processors::batch`.
#[derive(Debug, Deserialize)]
#[serde(default)]
// The cardinality limit is accepted; there are no metadata keys to limit.
pub(crate) struct BatchConfig {
    send_batch_size: u64,
    timeout: GoDuration,
    send_batch_max_size: u64,
    metadata_keys: Vec<String>,
    metadata_cardinality_limit: u64,
}

impl Default for BatchConfig {
    fn default() -> Self {
        BatchConfig {
            send_batch_size: ITEMS_DEFAULT,
            timeout: GoDuration(TIMEOUT_DEFAULT),
            send_batch_max_size: 0,
            metadata_keys: Vec::new(),
            metadata_cardinality_limit: 1000,
        }
    }
}

impl ProcessorConfig for BatchConfig {
    fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.send_batch_max_size > 0 && self.send_batch_max_size < self.send_batch_size {
            problems.push("send_batch_max_size must be greater or equal to send_batch_size".to_owned());
        }
        if !self.metadata_keys.is_empty() {
            problems.push("metadata_keys is not available: leave it out".to_owned());
        }
        problems
    }

    fn build(
        &self,
        id: &ComponentId,
        _pipeline: &PipelineId,
        next: Arc<dyn Consumer>,
        host: &Host,
    ) -> anyhow::Result<Processor> {
        let rules = Rules {
            items: self.send_batch_size,
            items_max: self.send_batch_max_size,
            timeout: self.timeout.0,
        };
        let merger = Arc::new(Merger::new(&format!("processor/{id}"), rules, next, host));
        Ok(Processor { consumer: merger.clone(), component: Some(merger), budget: None })
    }
}

/// When gathered requests are sent, and how large a merged one may become.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// Sent at once when so many items have gathered; 0 = never for that reason.
    pub(crate) items: u64,
    /// A merged request has at most so many items; 0 = any. A single larger request is passed on whole.
    pub(crate) items_max: u64,
    /// Nothing waits longer.
    pub(crate) timeout: Duration,
}

/// Merges requests in front of a consumer. Clones share the state.
#[derive(Clone)]
pub(crate) struct Merger(Arc<Shared>);

struct Shared {
    rules: Rules,
    next: Arc<dyn Consumer>,
    tasks: Tasks,
    incoming: Number,
    outgoing: Number,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Exports under way.
    exports: usize,
    waiting: Vec<Waiting>,
    items: u64,
    bytes: usize,
    /// Counts takings, so that a timer knows whether its requests are still there.
    taken: u64,
}

struct Waiting {
    batch: Batch,
    answer: oneshot::Sender<Outcome>,
}

/// One export under way; its end sends what gathered meanwhile.
struct Export(Arc<Shared>);

impl Drop for Export {
    fn drop(&mut self) {
        let gathered = {
            let mut state = self.0.lock();
            state.exports -= 1;
            state.take()
        };
        Shared::send(&self.0, gathered);
    }
}

impl Merger {
    pub(crate) fn new(owner: &str, rules: Rules, next: Arc<dyn Consumer>, host: &Host) -> Self {
        let labels = || vec![("processor", owner.trim_start_matches("processor/").to_owned())];
        Merger(Arc::new(Shared {
            rules,
            next,
            tasks: host.tasks.clone(),
            incoming: host.metrics.number("otelcol_processor_incoming_items", labels()),
            outgoing: host.metrics.number("otelcol_processor_outgoing_items", labels()),
            state: Mutex::default(),
        }))
    }
}

/// What a new request does.
enum Step {
    /// Nothing is under way: go.
    Go(Export),
    /// Wait for the outcome; the first of a gathering also starts its timer.
    Wait(oneshot::Receiver<Outcome>, Option<u64>),
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(self: &Arc<Self>, batch: &Batch) -> Step {
        let mut state = self.lock();
        if state.exports == 0 {
            state.exports = 1;
            return Step::Go(Export(self.clone()));
        }
        let (answer, outcome) = oneshot::channel();
        state.items += batch.items;
        state.bytes += batch.bytes.len();
        state.waiting.push(Waiting { batch: batch.clone(), answer });
        let full =
            (self.rules.items > 0 && state.items >= self.rules.items) || state.bytes >= MERGED_BYTES_MAX;
        if full {
            let gathered = state.take();
            drop(state);
            Self::send(self, gathered);
            return Step::Wait(outcome, None);
        }
        let timer = (state.waiting.len() == 1).then_some(state.taken);
        Step::Wait(outcome, timer)
    }

    /// Sends what gathered, in as few requests as the rules allow.
    fn send(self: &Arc<Self>, gathered: Vec<Waiting>) {
        for group in groups(gathered, &self.rules) {
            self.lock().exports += 1;
            let export = Export(self.clone());
            self.tasks.spawn("merged export", async move {
                outcome::export(&*export.0.next, group).await;
                drop(export);
            });
        }
    }

    fn start_timer(self: &Arc<Self>, taken: u64) {
        let shared = self.clone();
        self.tasks.spawn("batch timer", async move {
            tokio::time::sleep(shared.rules.timeout).await;
            let gathered = {
                let mut state = shared.lock();
                if state.taken == taken { state.take() } else { Vec::new() }
            };
            Shared::send(&shared, gathered);
        });
    }
}

impl State {
    fn take(&mut self) -> Vec<Waiting> {
        self.taken += 1;
        self.items = 0;
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }
}

/// Cuts what gathered into merged requests, in order.
fn groups(gathered: Vec<Waiting>, rules: &Rules) -> Vec<Vec<Waiting>> {
    let mut groups: Vec<Vec<Waiting>> = Vec::new();
    let (mut items, mut bytes) = (0u64, 0usize);
    for one in gathered {
        items += one.batch.items;
        bytes += one.batch.bytes.len();
        let over = (rules.items_max > 0 && items > rules.items_max) || bytes > MERGED_BYTES_MAX;
        match groups.last_mut() {
            Some(group) if !over => group.push(one),
            _ => {
                (items, bytes) = (one.batch.items, one.batch.bytes.len());
                groups.push(vec![one]);
            }
        }
    }
    groups
}

impl Consumer for Merger {
    fn consume(&self, batch: Batch) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let shared = &self.0;
            let items = batch.items;
            shared.incoming.add(items);
            let outcome = match shared.step(&batch) {
                Step::Go(export) => {
                    let outcome = shared.next.consume(batch).await;
                    drop(export);
                    outcome
                }
                Step::Wait(outcome, timer) => {
                    drop(batch);
                    if let Some(taken) = timer {
                        shared.start_timer(taken);
                    }
                    outcome.await.unwrap_or_else(|_cancelled| {
                        Err(Status::retryable(Kind::Unavailable, "the collector is shutting down"))
                    })
                }
            };
            if outcome.is_ok() {
                shared.outgoing.add(items);
            }
            outcome
        })
    }
}

impl Component for Merger {
    fn stop(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async {
            let gathered = self.0.lock().take();
            Shared::send(&self.0, gathered);
            Ok(())
        })
    }
}

/// One request out of a group.
fn merged(group: &[Waiting]) -> Option<Batch> {
    let first = group.first()?;
    let parts: Vec<bytes::Bytes> = group.iter().map(|one| one.batch.bytes.clone()).collect();
    let items = group.iter().map(|one| one.batch.items).sum();
    Some(Batch { signal: first.batch.signal, bytes: otlp::merge(&parts), items })
}
