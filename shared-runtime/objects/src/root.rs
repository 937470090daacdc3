//! The root of a partition: the one small mutable thing, changed by compare-and-swap alone.
//!
//! Knows: the register. Must not know: what claims, flushes and compactions mean; those rules are the store's and are
//! checked in its model. Start at [`Roots::swap`].

use std::io;

use runtime_engine::{ObjectId, Offset};

use crate::{ObjectsError, StorePartition};

/// What one partition has committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Root {
    /// Grows with every swap.
    pub version: u64,
    /// Grows with every claim.
    pub epoch: u64,
    /// Random id of the claim that may commit; 0 when nobody holds the partition.
    pub writer: u128,
    /// Everything in the log below this is in the objects of the manifest.
    pub offset: Offset,
    /// The immutable object that lists the live objects; `None` while there are none.
    pub manifest: Option<ObjectId>,
}

impl Root {
    /// What a swap that replaces this root is conditional on.
    #[must_use]
    pub fn expectation(&self) -> (u64, u128) {
        (self.version, self.writer)
    }

    /// Whether `swapped` is known to have been applied, seen from this root: it carries the same writer and the same or
    /// a later version.
    #[must_use]
    pub fn includes(&self, swapped: &Self) -> bool {
        self == swapped
            || (self.writer != 0 && self.writer == swapped.writer && self.version >= swapped.version)
    }
}

/// The known outcome of a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapOutcome {
    /// The root is the new one, durably: by this swap, or by an earlier issue of the same one.
    Applied,
    /// The root is another one; nothing was changed. `None` when there is no root at all.
    Refused(Option<Root>),
}

/// Registers of roots, one per partition.
pub trait Roots: Send + Sync {
    /// The root as it is; durable before it is returned.
    ///
    /// # Errors
    /// [`RootError::Corrupt`] and [`RootError::Format`] name the file; [`RootError::Io`] may be tried again.
    fn load(&self, of: &StorePartition) -> Result<Option<Root>, RootError>;

    /// Replaces the root by `new` if it still has the expected (version, writer), or if there is none and `expect` is
    /// `None`. Issuing the same swap again is how an unknown outcome is resolved: a root that *is* `new` is answered
    /// with [`SwapOutcome::Applied`].
    ///
    /// # Errors
    /// [`RootError::Unknown`]: the swap may have been applied, may yet be, or never. Nothing may be truncated or deleted
    /// until a later swap has been answered with `Applied`.
    fn swap(
        &self,
        of: &StorePartition,
        expect: Option<(u64, u128)>,
        new: &Root,
    ) -> Result<SwapOutcome, RootError>;
}

/// What can go wrong with roots.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// The stored root is not what was written.
    #[error("{path} is corrupt: {detail}")]
    Corrupt {
        /// The file, or the name of the register in its medium.
        path: String,
        /// Expected and got.
        detail: String,
    },
    /// Written by another version of this software.
    #[error(
        "{path} has format {found}, this version reads format {supported}: run the version that wrote it, or choose \
         another data directory"
    )]
    Format {
        /// The file that says so.
        path: String,
        /// Its format version.
        found: u32,
        /// The only one that is read here.
        supported: u32,
    },
    /// Another process writes this directory.
    #[error(
        "data directory {dir} is in use by another process: stop that process, or choose another data directory"
    )]
    Locked {
        /// The directory.
        dir: String,
        /// What the lock answered.
        #[source]
        source: io::Error,
    },
    /// A store name that may not become a part of a path.
    #[error("store name {name:?} is not valid: {expected}")]
    Name {
        /// The name as given.
        name: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// A swap that no caller may ask for: the version does not grow.
    #[error("swap of {of} from version {from} to {to}: a version must grow")]
    Backwards {
        /// Whose root.
        of: StorePartition,
        /// The expected version.
        from: u64,
        /// The new one.
        to: u64,
    },
    /// The root could not be read, or the directory not be prepared; nothing was changed.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: String,
        /// The medium's answer.
        #[source]
        source: io::Error,
    },
    /// A swap failed half way: issue the same swap again.
    #[error("outcome of the swap of {of} to version {version} is unknown: cannot {action}")]
    Unknown {
        /// Whose root.
        of: StorePartition,
        /// The version that was to become the root's.
        version: u64,
        /// The step that failed.
        action: &'static str,
        /// The medium's answer.
        #[source]
        source: io::Error,
    },
}

impl From<ObjectsError> for RootError {
    fn from(e: ObjectsError) -> Self {
        match e {
            ObjectsError::Corrupt { path, detail } => Self::Corrupt { path, detail },
            ObjectsError::Format { path, found, supported } => Self::Format { path, found, supported },
            ObjectsError::Name { name, expected, .. } => Self::Name { name, expected },
            ObjectsError::Io { action, path, source } => Self::Io { action, path, source },
            ObjectsError::NotFound { path, .. } => {
                Self::Io { action: "find", path, source: io::ErrorKind::NotFound.into() }
            }
        }
    }
}

pub(crate) fn check_growth(
    of: &StorePartition,
    expect: Option<(u64, u128)>,
    new: &Root,
) -> Result<(), RootError> {
    match expect {
        Some((from, _)) if new.version <= from => {
            Err(RootError::Backwards { of: of.clone(), from, to: new.version })
        }
        _ => Ok(()),
    }
}
