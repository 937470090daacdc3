//! What a store refuses, and why.
//!
//! Knows: variants with evidence. Must not know: status codes; the service maps [`AppendError::is_retryable`].

use std::time::Duration;

use runtime_engine::{ObjectId, Position};
use runtime_objects::{ObjectsError, RootError, StorePartition};

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A configuration that no store can have.
    #[error("store {store}: {detail}")]
    Config {
        /// Name of the store.
        store: String,
        /// The key and what it must be.
        detail: String,
    },
    /// The root of a partition cannot be read.
    #[error("cannot read the root of {of}")]
    Root {
        /// Which partition.
        of: StorePartition,
        /// Why.
        #[source]
        source: RootError,
    },
    /// The manifest cannot be read now, and is not known to be damaged.
    #[error("cannot read manifest {id} of {of}")]
    Manifest {
        /// Which partition.
        of: StorePartition,
        /// The manifest.
        id: ObjectId,
        /// Why.
        #[source]
        source: ObjectsError,
    },
    /// The manifest was written by another version of this software.
    #[error("manifest {id} of {of}")]
    Format {
        /// Which partition.
        of: StorePartition,
        /// The manifest.
        id: ObjectId,
        /// Found and supported.
        #[source]
        source: crate::manifest::ManifestError,
    },
    /// The engine cannot start a head.
    #[error("the engine cannot start a head for {of}")]
    Engine {
        /// Which partition.
        of: StorePartition,
        /// Why.
        #[source]
        source: runtime_engine::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start thread {name}")]
    Thread {
        /// Its name.
        name: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

/// Why records were not taken. Nothing of the call was acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A bound of the store is reached: try again later.
    #[error("store {store} is over its limit of {what}: {used} of {limit}, try again in {} s", retry_after.as_secs())]
    Exhausted {
        /// Name of the store.
        store: String,
        /// What is full, such as `head bytes`.
        what: &'static str,
        /// In use.
        used: u64,
        /// The limit.
        limit: u64,
        /// When to try again.
        retry_after: Duration,
    },
    /// The log did not take them.
    #[error(transparent)]
    Log(#[from] runtime_log::AppendError),
    /// The store is being closed.
    #[error("store {store} is closing")]
    Closed {
        /// Name of the store.
        store: String,
    },
}

/// A wait for a position ended before the snapshot reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "partition {} reached offset {}, asked for at least {}",
    reached.partition, reached.offset, asked.offset
)]
pub struct NotReached {
    /// What was asked for.
    pub asked: Position,
    /// How far the snapshot reaches.
    pub reached: Position,
}

/// Why a step of a partition did not do its work; the step may be repeated.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The engine failed.
    #[error("the engine failed")]
    Engine(#[from] runtime_engine::Error),
    /// The medium of objects failed.
    #[error("the objects failed")]
    Objects(#[from] ObjectsError),
    /// The register of roots failed.
    #[error("the roots failed")]
    Root(#[from] RootError),
    /// The log failed.
    #[error("the log failed")]
    Log(#[from] runtime_log::ReadError),
    /// The root or its manifest cannot be read.
    #[error("the root and its manifest cannot be read")]
    Load(#[source] Box<OpenError>),
    /// The outcome of a swap is unknown; the next step issues it again.
    #[error("the outcome of the swap to version {version} is unknown")]
    Unknown {
        /// Version that the root may have.
        version: u64,
        /// What the last issue of the swap met.
        #[source]
        source: RootError,
    },
}

impl From<OpenError> for StepError {
    fn from(e: OpenError) -> Self {
        Self::Load(Box::new(e))
    }
}
