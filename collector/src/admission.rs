//! Byte budgets: what is admitted before a body is read.
//!
//! Knows: counters of bytes in flight. Must not know: bodies, protocols, why bytes are held. Start at [`Admission`].

use std::sync::Arc;
use std::time::Duration;

use runtime_service::{Kind, Status};

use crate::metrics::Number;

/// What over-budget callers are told to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A bound on bytes in flight, shared by every pipeline that names the same `memory_limiter`.
#[derive(Debug)]
pub(crate) struct Budget {
    limit_bytes: u64,
    used_bytes: Number,
}

impl Budget {
    /// A bound that shows its use as `used_bytes`.
    pub(crate) fn new(limit_bytes: u64, used_bytes: Number) -> Self {
        Budget { limit_bytes, used_bytes }
    }

    fn take(&self, bytes: u64) -> Result<(), Status> {
        self.used_bytes.add_within(bytes, self.limit_bytes).map_err(|used| Status {
            kind: Kind::Unavailable,
            message: format!(
                "data refused due to high memory usage: {used} of {} bytes are in flight, {bytes} more do not fit",
                self.limit_bytes
            ),
            retry_after: Some(RETRY_AFTER),
        })
    }

    fn give(&self, bytes: u64) {
        self.used_bytes.sub(bytes);
    }
}

/// All budgets that guard one entry; none = everything is admitted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admission(Vec<Arc<Budget>>);

impl Admission {
    pub(crate) fn add(&mut self, budget: Arc<Budget>) {
        if !self.0.iter().any(|known| Arc::ptr_eq(known, &budget)) {
            self.0.push(budget);
        }
    }

    pub(crate) fn join(&mut self, other: &Admission) {
        other.0.iter().for_each(|budget| self.add(budget.clone()));
    }

    /// A lease of nothing yet; it grows while a request is read and ends with its answer.
    pub(crate) fn lease(&self) -> Lease {
        Lease { budgets: self.0.clone(), bytes: 0 }
    }
}

/// Bytes that one request holds in every budget of its entry.
#[derive(Debug)]
pub(crate) struct Lease {
    budgets: Vec<Arc<Budget>>,
    bytes: u64,
}

impl Lease {
    /// Takes `bytes` more, from all budgets or from none.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Status> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        for (at, budget) in self.budgets.iter().enumerate() {
            if let Err(status) = budget.take(bytes) {
                self.budgets.iter().take(at).for_each(|taken| taken.give(bytes));
                return Err(status);
            }
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Takes or gives back until `bytes` are held.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), Status> {
        let wanted = u64::try_from(bytes).unwrap_or(u64::MAX);
        if let Some(more) = wanted.checked_sub(self.bytes) {
            return if more == 0 { Ok(()) } else { self.grow(usize::try_from(more).unwrap_or(usize::MAX)) };
        }
        let less = self.bytes - wanted;
        self.budgets.iter().for_each(|budget| budget.give(less));
        self.bytes = wanted;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.budgets.iter().for_each(|budget| budget.give(self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_takes_from_all_budgets_or_from_none() {
        let (in_small, in_large) = (Number::default(), Number::default());
        let small = Arc::new(Budget::new(100, in_small.clone()));
        let large = Arc::new(Budget::new(1000, in_large.clone()));
        let mut admission = Admission::default();
        admission.add(large.clone());
        admission.add(small.clone());
        admission.add(small.clone());
        let mut lease = admission.lease();
        lease.grow(60).unwrap();
        assert_eq!((in_small.get(), in_large.get()), (60, 60));
        let refused = lease.grow(50).unwrap_err();
        assert_eq!(refused.kind, Kind::Unavailable);
        assert!(refused.message.contains("60 of 100 bytes"), "{}", refused.message);
        assert_eq!((in_small.get(), in_large.get()), (60, 60));
        lease.resize(100).unwrap();
        lease.resize(10).unwrap();
        assert_eq!((in_small.get(), in_large.get()), (10, 10));
        drop(lease);
        assert_eq!((in_small.get(), in_large.get()), (0, 0));
    }
}
