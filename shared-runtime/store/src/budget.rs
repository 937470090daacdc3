//! One memory budget for the heads of all partitions of a store.
//!
//! Knows: how much each partition's generations weigh, and whose open one is the largest. Must not know: generations.
//! Start at [`Budget`].

use std::sync::atomic::{AtomicU64, Ordering};

use runtime_engine::Partition;

/// Weights of one partition's head.
#[derive(Debug, Default)]
struct Weight {
    /// Memory of the open generation.
    open: AtomicU64,
    /// Memory of sealed generations that are not committed yet.
    sealed: AtomicU64,
}

/// The budget of a store; partitions report their weights, anyone may ask.
#[derive(Debug)]
pub struct Budget {
    limit_bytes: u64,
    partitions: Vec<Weight>,
}

impl Budget {
    /// A budget of `limit_bytes` for `partitions` partitions.
    #[must_use]
    pub fn new(limit_bytes: u64, partitions: u32) -> Self {
        Self { limit_bytes, partitions: (0..partitions).map(|_| Weight::default()).collect() }
    }

    /// The limit.
    #[must_use]
    pub fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Memory of all generations.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.partitions
            .iter()
            .map(|w| w.open.load(Ordering::Relaxed).saturating_add(w.sealed.load(Ordering::Relaxed)))
            .fold(0, u64::saturating_add)
    }

    /// Whether all of it is used: appends are refused, and replay pauses.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.used_bytes() >= self.limit_bytes
    }

    /// Memory of one partition's generations.
    #[must_use]
    pub fn used_by(&self, p: Partition) -> u64 {
        self.weight(p)
            .map_or(0, |w| w.open.load(Ordering::Relaxed).saturating_add(w.sealed.load(Ordering::Relaxed)))
    }

    /// The partition whose open generation should be sealed now: the largest, once half of the budget is used. Small
    /// generations are spared, so that a slow flush does not shred the heads.
    #[must_use]
    pub fn to_seal(&self) -> Option<Partition> {
        if self.used_bytes() < self.limit_bytes / 2 {
            return None;
        }
        let count = u64::try_from(self.partitions.len()).unwrap_or(u64::MAX);
        let worth_bytes = self.limit_bytes / count.saturating_mul(8).max(1);
        let (index, open) = self
            .partitions
            .iter()
            .enumerate()
            .map(|(i, w)| (i, w.open.load(Ordering::Relaxed)))
            .max_by_key(|&(_, open)| open)?;
        let index = u32::try_from(index).ok()?;
        (open >= worth_bytes.max(1)).then_some(Partition(index))
    }

    pub(crate) fn report(&self, p: Partition, open: u64, sealed: u64) {
        if let Some(w) = self.weight(p) {
            w.open.store(open, Ordering::Relaxed);
            w.sealed.store(sealed, Ordering::Relaxed);
        }
    }

    fn weight(&self, p: Partition) -> Option<&Weight> {
        usize::try_from(p.0).ok().and_then(|i| self.partitions.get(i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_open_generation_is_sealed_at_half_of_the_budget() {
        let b = Budget::new(1000, 2);
        b.report(Partition(0), 200, 0);
        b.report(Partition(1), 299, 0);
        assert_eq!(b.to_seal(), None);
        b.report(Partition(0), 201, 0);
        assert_eq!(b.to_seal(), Some(Partition(1)));
    }

    #[test]
    fn small_generations_are_spared_while_sealed_ones_wait() {
        let b = Budget::new(1600, 2);
        b.report(Partition(0), 0, 900);
        b.report(Partition(1), 99, 0);
        assert_eq!(b.to_seal(), None);
        b.report(Partition(1), 100, 0);
        assert_eq!(b.to_seal(), Some(Partition(1)));
        assert!(!b.is_full());
        b.report(Partition(1), 700, 0);
        assert!(b.is_full());
    }
}
