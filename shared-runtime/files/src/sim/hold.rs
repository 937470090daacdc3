//! Stopping every fsync until a test lets go: how a test sees what piles up meanwhile.
//!
//! Knows: waiting. Must not know: files. Start at [`Hold`].

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Whether syncs are held, and how many stand there.
#[derive(Debug, Default)]
pub(crate) struct Barrier {
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Barrier {
    /// Blocks while syncs are held.
    pub(crate) fn pass(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.0 {
            return;
        }
        state.1 += 1;
        self.changed.notify_all();
        while state.0 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.1 -= 1;
    }

    fn set(&self, held: bool) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 = held;
        self.changed.notify_all();
    }
}

/// While this lives, every `sync` of a file blocks before it does anything.
#[derive(Debug)]
pub struct Hold {
    barrier: Arc<Barrier>,
}

impl Hold {
    pub(crate) fn new(barrier: &Arc<Barrier>) -> Self {
        barrier.set(true);
        Self { barrier: Arc::clone(barrier) }
    }

    /// Waits until a sync stands at the barrier; false when none came in `timeout`.
    #[must_use]
    pub fn wait_for_sync(&self, timeout: Duration) -> bool {
        let state = self.barrier.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .barrier
            .changed
            .wait_timeout_while(state, timeout, |(_, standing)| *standing == 0)
            .unwrap_or_else(PoisonError::into_inner);
        state.1 > 0
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.barrier.set(false);
    }
}
