//! What the threads of a store and its callers share.
//!
//! Knows: the holders and the bells between threads. Must not know: what runs on which thread. Start at [`Shared`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use runtime_engine::{Engine, Offset, Partition, Stop, Time};

use super::bell::Bell;
use super::gate::{Bound, Gate};
use crate::{AppendError, Budget, Holder, Media, StoreConfig};

pub(crate) struct Shared<E: Engine> {
    pub(crate) config: Arc<StoreConfig>,
    pub(crate) media: Media,
    pub(crate) budget: Arc<Budget>,
    pub(crate) holders: Vec<Holder<E>>,
    pub(crate) gate: Arc<Gate>,
    /// Something is sealed.
    pub(crate) flush_due: Bell,
    /// Something was flushed.
    pub(crate) compact_due: Bell,
    /// A pass of the flusher is over: memory may be free, roots may have moved.
    pub(crate) freed: Bell,
    pub(crate) stop: Stop,
    /// Rings once, at the stop.
    pub(crate) halt: Bell,
    /// No partition is claimed any more.
    pub(crate) draining: AtomicBool,
    /// A thread died.
    pub(crate) broken: AtomicBool,
}

impl<E: Engine> Shared<E> {
    pub(crate) fn now(&self) -> Time {
        Time(self.media.clock.now())
    }

    pub(crate) fn holder(&self, p: Partition) -> Option<&Holder<E>> {
        usize::try_from(p.0).ok().and_then(|i| self.holders.get(i))
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_stopped()
    }

    pub(crate) fn stop(&self) {
        self.stop.stop();
        self.flush_due.ring();
        self.compact_due.ring();
        self.freed.ring();
        self.halt.ring();
    }

    /// Blocks for `time`, or until the stop.
    pub(crate) fn pause(&self, time: Duration) {
        self.halt.wait(0, time);
    }

    /// Seals the largest open generation once half of the budget is used.
    pub(crate) fn seal_by_budget(&self) {
        let Some(h) = self.budget.to_seal().and_then(|p| self.holder(p)) else { return };
        match h.seal() {
            Ok(_) => self.flush_due.ring(),
            Err(error) => tracing::warn!(partition = %h.partition(), %error, "cannot seal a head"),
        }
    }

    /// Tells the log what no partition needs any more.
    pub(crate) fn release_log(&self) {
        let offsets: Vec<Offset> = self.holders.iter().map(Holder::confirmed).collect();
        self.media.keeper.release(&offsets);
    }

    /// Whether compaction cannot keep up with the flushes of a partition.
    pub(crate) fn is_behind(&self, h: &Holder<E>) -> bool {
        h.fresh_objects() >= self.config.objects_behind
    }

    /// The bound that refuses appends now.
    pub(crate) fn bound(&self) -> Option<Bound> {
        let (used, limit) = (self.budget.used_bytes(), self.budget.limit_bytes());
        if used >= limit {
            return Some(Bound { what: "head bytes", used, limit });
        }
        let objects = self.holders.iter().map(Holder::fresh_objects).max().unwrap_or(0);
        let limit = self.config.objects_behind.saturating_mul(2);
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        (objects >= limit).then(|| Bound {
            what: "objects that wait for compaction",
            used: count(objects),
            limit: count(limit),
        })
    }

    /// Why appends are refused now.
    pub(crate) fn refusing(&self) -> Option<&'static str> {
        if self.broken.load(Ordering::Acquire) {
            return Some("a thread of the store died");
        }
        if self.gate.is_closed() {
            return Some("the store is closing");
        }
        self.bound().map(|b| b.what)
    }

    pub(crate) fn ready_to_write(&self) -> Result<(), AppendError> {
        let store = &*self.config.name;
        if self.gate.is_closed() || self.broken.load(Ordering::Acquire) {
            return Err(AppendError::Closed { store: store.to_owned() });
        }
        self.bound().map_or(Ok(()), |b| Err(b.error(store)))
    }
}
