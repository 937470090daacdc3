//! A bell: one rings, others wait with a deadline.
//!
//! Knows: how often it rang. Must not know: why.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::env::lock;

/// Remembers how often it rang, so that no ring is missed.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *lock(&self.rung) += 1;
        self.changed.notify_all();
    }

    pub(crate) fn rung(&self) -> u64 {
        *lock(&self.rung)
    }

    /// Blocks until it rang more often than `heard`, or the time is over; answers how often.
    pub(crate) fn wait(&self, heard: u64, timeout: Duration) -> u64 {
        let deadline = Instant::now() + timeout;
        let mut rung = lock(&self.rung);
        while *rung <= heard {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            rung = match self.changed.wait_timeout(rung, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        *rung
    }
}
