//! What the runtime remembers of an immutable object, and the jobs that an engine plans over them.

use std::fmt;
use std::time::Duration;

use crate::{Offset, Time};

/// Name of one immutable stored part: unique for ever, chosen by the runtime.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u128);

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// One stored part (file) of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartMeta {
    /// Engine's name of the part, such as `spans`.
    pub name: String,
    /// Where it is stored.
    pub id: ObjectId,
    /// Its length.
    pub len_bytes: u64,
}

/// What an engine says of an object that it has just written; the runtime adds identity and log range.
#[derive(Debug, Clone, Default)]
pub struct ObjectDraft {
    /// The finished parts, in the order in which the engine wants them back at `open`.
    pub parts: Vec<PartMeta>,
    /// 0 at flush; one more than its inputs' highest after a merge.
    pub level: u8,
    /// Rows (spans, samples) in it.
    pub rows: u64,
    /// Earliest event time in it.
    pub time_min: Time,
    /// Latest event time in it (for a span: its end).
    pub time_max: Time,
    /// Engine's own index data, kept in the manifest and resident: small.
    pub extra: Vec<u8>,
}

/// A live object as the manifest lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Identity of the object; the id of its first part.
    pub id: ObjectId,
    /// Its stored parts.
    pub parts: Vec<PartMeta>,
    /// Compaction level, 0 at flush.
    pub level: u8,
    /// Rows in it.
    pub rows: u64,
    /// Earliest event time.
    pub time_min: Time,
    /// Latest event time.
    pub time_max: Time,
    /// When its newest record was taken by the log.
    pub write_time: Time,
    /// Log range `[log_first, log_end)` that its rows came from (the hull, after merges).
    pub log_first: Offset,
    /// End of the log range, exclusive.
    pub log_end: Offset,
    /// When retention may remove it.
    pub expires_at: Time,
    /// Engine's own index data.
    pub extra: Vec<u8>,
}

impl ObjectMeta {
    /// Stored bytes of all parts.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.parts.iter().map(|p| p.len_bytes).sum()
    }
}

/// A delete: hides what matches and was logged before `position`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// Engine's own encoding of the matchers.
    pub matchers: Vec<u8>,
    /// Earliest event time it hides.
    pub time_min: Time,
    /// Latest event time it hides.
    pub time_max: Time,
    /// Hides only records below this offset.
    pub position: Offset,
}

/// Limits that plan compaction and retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long data is kept; `None` for ever.
    pub retention: Option<Duration>,
    /// How many stored bytes one partition may keep; the oldest objects go first.
    pub retention_bytes: Option<u64>,
    /// Objects of one level that are merged into one of the next.
    pub merge_fan_in: usize,
    /// No merge makes an object larger than this.
    pub object_bytes_max: u64,
}

/// Work that an engine planned over live objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Merge these objects into new ones of `level`.
    Merge {
        /// Ids of live objects.
        inputs: Vec<ObjectId>,
        /// Level of what comes out.
        level: u8,
    },
    /// Remove these objects: retention.
    Expire {
        /// Ids of live objects.
        inputs: Vec<ObjectId>,
    },
}

impl Job {
    /// The live objects that the job replaces or removes.
    #[must_use]
    pub fn inputs(&self) -> &[ObjectId] {
        match self {
            Self::Merge { inputs, .. } | Self::Expire { inputs } => inputs,
        }
    }
}
