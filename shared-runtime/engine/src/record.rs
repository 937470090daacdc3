//! Positions, times and records: what the log hands to an engine.

use std::fmt;

use bytes::Bytes;

/// A position in one partition's log. Ascending, never reused; gaps are normal, because the local log numbers the
/// records of all partitions of a store in one sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub u64);

impl Offset {
    /// The position right after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a partition of a store, `0..P`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub u32);

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a reader or a writer of one partition is: everything below `offset` is included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The partition.
    pub partition: Partition,
    /// First offset that is *not* included.
    pub offset: Offset,
}

/// Wall-clock time in nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// This time moved forward; saturates at the end of time.
    #[must_use]
    pub fn plus(self, d: std::time::Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// This time moved back; saturates at the epoch.
    #[must_use]
    pub fn minus(self, d: std::time::Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// One durable log record as an engine sees it.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// When the log took it, by the writer's clock.
    pub time: Time,
    /// Whose data it is; `default` until tenants are a feature.
    pub tenant: &'a str,
    /// Encoding of the payload, numbered in `shared-proto/docs/wire.md`.
    pub encoding: u8,
    /// The uncompressed payload.
    pub payload: &'a Bytes,
}
