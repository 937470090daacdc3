//! Room card: what a query may cost, and what it has cost so far. Knows counters, a clock and a flag that it is handed; must not
//! know what is evaluated. Start at [`Limits`], then [`Budget`].

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::engine::QueryError;

/// The most that one query may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Samples read from the source.
    pub samples_max: u64,
    /// Values held at once: rows that wait for others, and the answer.
    pub points_max: u64,
    /// Bytes held at once, by estimate.
    pub bytes_max: u64,
    /// Steps of one grid, be it the query's or a subquery's.
    pub steps_max: usize,
    /// Time on the clock that is handed in.
    pub time_max: Duration,
}

impl Default for Limits {
    /// 500 M samples, 100 M points, 1 GiB, 1 M steps, 2 minutes.
    fn default() -> Self {
        Self {
            samples_max: 500_000_000,
            points_max: 100_000_000,
            bytes_max: 1 << 30,
            steps_max: 1_000_000,
            time_max: Duration::from_mins(2),
        }
    }
}

/// The world outside, as far as a running query may look at it.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Time since any fixed moment.
    pub clock: &'a dyn Fn() -> Duration,
    /// Set from outside to stop the query.
    pub cancelled: &'a AtomicBool,
}

/// How many units of work may pass between two looks at the clock and the flag; a unit is about a microsecond.
const WORK_BETWEEN_CHECKS: u64 = 1_000;

/// What one running query has used.
pub(crate) struct Budget<'a> {
    limits: Limits,
    control: Control<'a>,
    started: Duration,
    samples: Cell<u64>,
    points: Cell<u64>,
    points_peak: Cell<u64>,
    work: Cell<u64>,
}

/// Estimated bytes of one held value: the value itself and its share of labels.
const BYTES_PER_POINT: u64 = 8;
/// Estimated bytes of one held row beside its values.
const BYTES_PER_ROW: u64 = 256;

impl<'a> Budget<'a> {
    pub(crate) fn new(limits: Limits, control: Control<'a>) -> Self {
        Self {
            limits,
            control,
            started: (control.clock)(),
            samples: Cell::new(0),
            points: Cell::new(0),
            points_peak: Cell::new(0),
            work: Cell::new(WORK_BETWEEN_CHECKS),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        (self.control.clock)().saturating_sub(self.started)
    }

    pub(crate) fn samples(&self) -> u64 {
        self.samples.get()
    }

    pub(crate) fn points_peak(&self) -> u64 {
        self.points_peak.get()
    }

    /// Accounts for `samples` read.
    pub(crate) fn read(&self, samples: usize) -> Result<(), QueryError> {
        let samples = self.samples.get().saturating_add(samples as u64);
        self.samples.set(samples);
        if samples > self.limits.samples_max {
            return Err(QueryError::TooManySamples);
        }
        Ok(())
    }

    /// Accounts for a row of `steps` points that is now held; give it back with [`Self::release`].
    pub(crate) fn hold(&self, steps: usize) -> Result<(), QueryError> {
        let cost = row_cost(steps);
        let points = self.points.get().saturating_add(cost);
        self.points.set(points);
        self.points_peak.set(self.points_peak.get().max(points));
        if points > self.limits.points_max {
            return Err(QueryError::TooManySamples);
        }
        if points.saturating_mul(BYTES_PER_POINT) > self.limits.bytes_max {
            return Err(QueryError::TooManyBytes { limit: self.limits.bytes_max });
        }
        Ok(())
    }

    /// Gives back what [`Self::hold`] took.
    pub(crate) fn release(&self, steps: usize) {
        self.points.set(self.points.get().saturating_sub(row_cost(steps)));
    }

    /// Whether a grid of so many steps, and one row on it, is within the limits at all.
    pub(crate) fn allow_steps(&self, steps: usize) -> Result<(), QueryError> {
        let points = steps as u64;
        if steps > self.limits.steps_max || points.saturating_mul(BYTES_PER_POINT) > self.limits.bytes_max {
            return Err(QueryError::TooManySteps { steps, limit: self.limits.steps_max });
        }
        Ok(())
    }

    /// Accounts for work done; now and then looks at the clock and at the flag.
    pub(crate) fn work(&self, units: usize) -> Result<(), QueryError> {
        let work = self.work.get().saturating_add(units as u64);
        if work < WORK_BETWEEN_CHECKS {
            self.work.set(work);
            return Ok(());
        }
        self.work.set(0);
        if self.control.cancelled.load(Ordering::Relaxed) {
            return Err(QueryError::Cancelled);
        }
        if self.elapsed() > self.limits.time_max {
            return Err(QueryError::Timeout);
        }
        Ok(())
    }
}

fn row_cost(steps: usize) -> u64 {
    steps as u64 + BYTES_PER_ROW / BYTES_PER_POINT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget<'a>(limits: Limits, control: Control<'a>) -> Budget<'a> {
        Budget::new(limits, control)
    }

    #[test]
    fn a_released_row_makes_room_for_the_next() {
        let (clock, cancelled) = (|| Duration::ZERO, AtomicBool::new(false));
        let limits = Limits { points_max: 200, ..Limits::default() };
        let budget = budget(limits, Control { clock: &clock, cancelled: &cancelled });
        budget.hold(100).unwrap();
        assert!(matches!(budget.hold(100), Err(QueryError::TooManySamples)));
        budget.release(100);
        budget.release(100);
        budget.hold(100).unwrap();
    }

    #[test]
    fn the_flag_and_the_clock_stop_a_query() {
        let now = Cell::new(Duration::ZERO);
        let (clock, cancelled) = (|| now.get(), AtomicBool::new(false));
        let budget = budget(Limits::default(), Control { clock: &clock, cancelled: &cancelled });
        budget.work(usize::MAX).unwrap();
        now.set(Duration::from_hours(1));
        assert!(matches!(budget.work(usize::MAX), Err(QueryError::Timeout)));
        cancelled.store(true, Ordering::Relaxed);
        assert!(matches!(budget.work(usize::MAX), Err(QueryError::Cancelled)));
    }
}
