//! Time that moves only when a test says so.
//!
//! Knows: two numbers. Must not know: real time. Start at [`SimClock`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Clock;

/// A clock that stands still until it is moved; clones share it.
#[derive(Debug, Clone, Default)]
pub struct SimClock {
    wall: Arc<AtomicU64>,
    monotonic: Arc<AtomicU64>,
}

impl SimClock {
    /// A clock that shows `unix_nanos`.
    #[must_use]
    pub fn new(unix_nanos: u64) -> Self {
        Self { wall: Arc::new(AtomicU64::new(unix_nanos)), monotonic: Arc::default() }
    }

    /// Lets time pass, on both clocks.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.wall.fetch_add(nanos, Ordering::SeqCst);
        self.monotonic.fetch_add(nanos, Ordering::SeqCst);
    }

    /// Sets the wall clock, as an administrator or NTP would; monotonic time does not notice.
    pub fn set(&self, unix_nanos: u64) {
        self.wall.store(unix_nanos, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> u64 {
        self.wall.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.monotonic.load(Ordering::SeqCst))
    }
}
