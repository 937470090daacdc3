//! A bound on bytes held by requests under way.
//!
//! Knows: a counter and a limit. Must not know: what the bytes are. Start at [`Budget::take`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Kind, Status};

/// At most so many bytes at once. Clones share the bound.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: &'static str,
    bytes_max: u64,
    used: AtomicU64,
}

/// Bytes that are taken; given back when dropped.
#[derive(Debug)]
pub struct Taken {
    budget: Budget,
    bytes: u64,
}

impl Budget {
    /// A bound of `bytes_max`, called `name` in messages.
    #[must_use]
    pub fn new(name: &'static str, bytes_max: u64) -> Self {
        Self(Arc::new(Shared { name, bytes_max, used: AtomicU64::new(0) }))
    }

    /// Takes `bytes`. One request alone may pass the bound, so that a limit below the largest body is no dead end.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] with a retry hint when that is more than is left.
    pub fn take(&self, bytes: u64) -> Result<Taken, Status> {
        let mut taken = Taken { budget: self.clone(), bytes: 0 };
        taken.grow(bytes).map(|()| taken)
    }

    /// Bytes that are taken now.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }
}

impl Taken {
    /// Takes `bytes` more.
    ///
    /// # Errors
    /// As [`Budget::take`]; what was taken before stays taken.
    pub fn grow(&mut self, bytes: u64) -> Result<(), Status> {
        let shared = &self.budget.0;
        let others = |used: u64| used.saturating_sub(self.bytes);
        let fits = |used: u64| used.saturating_add(bytes) <= shared.bytes_max || others(used) == 0;
        let outcome = shared.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            fits(used).then(|| used.saturating_add(bytes))
        });
        match outcome {
            Ok(_) => {
                self.bytes += bytes;
                Ok(())
            }
            Err(used) => {
                let (name, limit) = (shared.name, shared.bytes_max);
                let message = format!("{name} holds {used} of {limit} bytes, try again");
                Err(Status::retryable(Kind::Unavailable, message))
            }
        }
    }

    /// Bytes taken by this alone.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.budget.0.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_over_all_takers_and_one_alone_may_pass_it() {
        let budget = Budget::new("intake", 100);
        let mut a = budget.take(60).unwrap();
        let refused = budget.take(50).unwrap_err();
        assert_eq!(refused.message, "intake holds 60 of 100 bytes, try again");
        assert!(refused.retry_after.is_some());
        let b = budget.take(40).unwrap();
        assert!(a.grow(1).is_err());
        drop(b);
        a.grow(500).unwrap();
        assert_eq!((budget.used(), a.bytes()), (560, 560));
        assert!(budget.take(1).is_err());
        drop(a);
        assert_eq!(budget.used(), 0);
    }
}
