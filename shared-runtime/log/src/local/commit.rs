//! The commit thread: takes what piled up during the last fsync, commits it, tells everybody.
//!
//! Knows: the queue and the writer. Must not know: how either works. Start at [`run`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Shared;
use super::queue::{Next, Request};
use super::view::Refusal;
use super::writer::Outcome;
use crate::AppendDone;

/// Until the queue is closed and empty. A group waits for nothing but the fsync before it, so an idle log syncs at
/// once and a busy one shares fsyncs.
pub(crate) fn run(shared: &Shared) {
    let config = &shared.outside.config;
    loop {
        let refuses = shared.view.lock().refusal != Refusal::None;
        match shared.queue.next(config.group_bytes_max, refuses.then_some(config.probe_interval)) {
            Next::Group(group) => commit(shared, group),
            Next::Idle => shared.writer().probe(&shared.view),
            Next::Closed => return,
        }
    }
}

fn commit(shared: &Shared, group: Vec<Request>) {
    let (records, dones): (Vec<_>, Vec<_>) = group.into_iter().map(|r| (r.records, r.done)).unzip();
    let outcomes = shared.writer().commit(&shared.view, records);
    for (done, outcome) in dones.into_iter().zip(outcomes) {
        tell(done, outcome);
    }
}

/// A caller that panics must not take the log down with it.
fn tell(done: AppendDone, outcome: Outcome) {
    if catch_unwind(AssertUnwindSafe(|| done(outcome))).is_err() {
        tracing::error!("BUG: the caller of an append panicked when it was told the outcome");
    }
}
