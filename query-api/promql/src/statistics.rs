//! Room card: what a query cost, told with its answer. Knows numbers alone.

use std::time::Duration;

/// What a query cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Samples read from the source.
    pub samples: u64,
    /// Series read from the source.
    pub series: u64,
    /// The most values held at once.
    pub points_peak: u64,
    /// Time on the clock that was handed in.
    pub elapsed: Duration,
}

/// What one node of a plan did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Series read from the source.
    pub series: u64,
    /// Samples read from the source.
    pub samples: u64,
    /// Rows passed on.
    pub rows: u64,
}
