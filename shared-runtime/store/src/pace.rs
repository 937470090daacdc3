//! The share of a core that background work may use.
//!
//! Knows: working and pausing by turns. Must not know: the work. Start at [`Pace::breathe`].

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use runtime_engine::Stop;

use crate::env::lock;

/// Work between two pauses.
const STINT: Duration = Duration::from_millis(5);
/// No single pause is longer, so that a stop is noticed soon.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// Keeps one piece of work at its share; clones share the account.
#[derive(Clone, Default)]
pub(crate) struct Pace(Option<Arc<Account>>);

struct Account {
    share: f64,
    stop: Stop,
    since: Mutex<Instant>,
    never: Condvar,
}

impl Pace {
    /// A pace of `share` of a core, 0 < share < 1; anything else is no limit.
    pub(crate) fn new(share: f64, stop: &Stop) -> Self {
        if !(share > 0.0 && share < 1.0) {
            return Self::default();
        }
        let (stop, since, never) = (stop.clone(), Mutex::new(Instant::now()), Condvar::new());
        Self(Some(Arc::new(Account { share, stop, since, never })))
    }

    /// Pauses if it is time to: the time since the last pause counts as work, also when the core was busy elsewhere.
    pub(crate) fn breathe(&self) {
        let Some(a) = &self.0 else { return };
        let mut since = lock(&a.since);
        let worked = since.elapsed();
        if worked < STINT || a.stop.is_stopped() {
            return;
        }
        let pause = worked.mul_f64(1.0 / a.share - 1.0).min(PAUSE_MAX);
        let end = Instant::now() + pause;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            since = match a.never.wait_timeout(since, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        *since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_at_a_quarter_takes_at_least_three_times_as_long() {
        let pace = Pace::new(0.25, &Stop::default());
        let start = Instant::now();
        let mut worked = Duration::ZERO;
        while worked < Duration::from_millis(20) {
            let stint = Instant::now();
            while stint.elapsed() < Duration::from_millis(1) {}
            worked += stint.elapsed();
            pace.breathe();
        }
        // the last stint may be too short for a pause
        assert!(start.elapsed() >= Duration::from_millis(60), "{:?}", start.elapsed());
    }

    #[test]
    fn a_stop_ends_the_pauses() {
        let stop = Stop::default();
        let pace = Pace::new(0.000_1, &stop);
        stop.stop();
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(10) {
            pace.breathe();
        }
        assert!(start.elapsed() < PAUSE_MAX);
    }
}
