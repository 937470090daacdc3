//! Bringing everything into objects: on request, and at the end.
//!
//! Knows: the order of a drain. Must not know: steps. Start at [`flush_all`].

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use runtime_engine::{Engine, Offset, Position};

use super::DrainReport;
use super::shared::Shared;
use crate::{Holder, StepError};

/// How long one wait for the flusher lasts at most, before the deadline is looked at again.
const LOOK: Duration = Duration::from_millis(100);

/// Everything that is durable now goes into committed objects. Says whether it did in time.
pub(crate) fn flush_all<E: Engine>(s: &Shared<E>, deadline: Instant) -> bool {
    let target = s.media.reader.durable_end();
    let mut all = true;
    for h in &s.holders {
        let left = deadline.saturating_duration_since(Instant::now());
        let asked = Position { partition: h.partition(), offset: target };
        all &= h.wait_for(asked, left).is_ok();
        if let Err(error) = h.seal() {
            tracing::warn!(partition = %h.partition(), %error, "cannot seal a head");
        }
    }
    s.flush_due.ring();
    for h in &s.holders {
        all &= wait_flushed(s, h, target, deadline);
    }
    all
}

fn wait_flushed<E: Engine>(s: &Shared<E>, h: &Holder<E>, target: Offset, deadline: Instant) -> bool {
    loop {
        let heard = s.freed.rung();
        if h.is_flushed(target) {
            return true;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || s.is_stopped() {
            return false;
        }
        s.freed.wait(heard, left.min(LOOK));
    }
}

/// The end of a store; its threads are still running.
pub(crate) fn drain<E: Engine>(s: &Shared<E>, deadline: Instant) -> DrainReport {
    s.gate.close();
    if !s.gate.wait_empty(deadline) {
        tracing::warn!("appends are still under way at the end of the drain");
    }
    flush_all(s, deadline);
    s.draining.store(true, Ordering::Release);
    let mut report = DrainReport::default();
    for h in &s.holders {
        match give_up(h) {
            Ok(true) => report.released += 1,
            Ok(false) => report.unfinished += 1,
            Err(error) => {
                report.unfinished += 1;
                tracing::warn!(partition = %h.partition(), %error, "cannot give the root up");
            }
        }
    }
    s.release_log();
    report
}

/// Moves the root to the end of what is in objects, and leaves it to whoever comes next.
fn give_up<E: Engine>(h: &Holder<E>) -> Result<bool, StepError> {
    let whole = h.is_head_empty();
    if whole {
        h.empty_commit()?;
    }
    h.release()?;
    Ok(whole)
}
