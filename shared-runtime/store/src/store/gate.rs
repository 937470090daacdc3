//! Admission: which appends are taken, and how much of them is under way.
//!
//! Knows: the bounds. Must not know: the log. Start at [`Gate::enter`].

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::AppendError;
use crate::env::lock;

/// When a refused caller should come back: flushes take a moment, and clients give up on more than 10 s.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Counts what goes through.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    left: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    calls: u64,
    bytes: u64,
    refused: u64,
}

/// One append on its way; leaves the gate when dropped, also when the log forgets it.
pub(crate) struct Pass {
    gate: Arc<Gate>,
    bytes: u64,
}

/// A bound and how much of it is used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) what: &'static str,
    pub(crate) used: u64,
    pub(crate) limit: u64,
}

impl Bound {
    pub(crate) fn error(&self, store: &str) -> AppendError {
        AppendError::Exhausted {
            store: store.to_owned(),
            what: self.what,
            used: self.used,
            limit: self.limit,
            retry_after: RETRY_AFTER,
        }
    }
}

impl Gate {
    /// Lets an append of `bytes` in, unless the gate is closed or `inflight_max` would be passed. One append alone may
    /// be larger than the bound.
    pub(crate) fn enter(
        self: &Arc<Self>,
        store: &str,
        bytes: u64,
        inflight_max: u64,
    ) -> Result<Pass, AppendError> {
        let mut s = lock(&self.state);
        if s.closed {
            s.refused += 1;
            return Err(AppendError::Closed { store: store.to_owned() });
        }
        if s.bytes > 0 && s.bytes.saturating_add(bytes) > inflight_max {
            s.refused += 1;
            return Err(Bound { what: "bytes in flight", used: s.bytes, limit: inflight_max }.error(store));
        }
        s.calls += 1;
        s.bytes += bytes;
        Ok(Pass { gate: Arc::clone(self), bytes })
    }

    pub(crate) fn refuse(&self) {
        lock(&self.state).refused += 1;
    }

    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }

    pub(crate) fn refused(&self) -> u64 {
        lock(&self.state).refused
    }

    pub(crate) fn bytes(&self) -> u64 {
        lock(&self.state).bytes
    }

    /// Blocks until nothing is under way, or the deadline.
    pub(crate) fn wait_empty(&self, deadline: Instant) -> bool {
        let mut s = lock(&self.state);
        while s.calls > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            s = match self.left.wait_timeout(s, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        true
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut s = lock(&self.gate.state);
        s.calls = s.calls.saturating_sub(1);
        s.bytes = s.bytes.saturating_sub(self.bytes);
        drop(s);
        self.gate.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_append_is_refused_over_the_bound_and_taken_after_the_others_left() {
        let gate = Arc::new(Gate::default());
        let first = gate.enter("s", 100, 50).unwrap();
        let refused = gate.enter("s", 1, 50).err().unwrap();
        assert_eq!(
            refused.to_string(),
            "store s is over its limit of bytes in flight: 100 of 50, try again in 1 s"
        );
        drop(first);
        assert!(gate.enter("s", 1, 50).is_ok());
        gate.close();
        assert_eq!(gate.enter("s", 1, 50).err().unwrap().to_string(), "store s is closing");
        assert_eq!(gate.refused(), 2);
        assert!(gate.wait_empty(Instant::now()));
    }
}
