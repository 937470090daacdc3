//! Immutable objects: what a store asks of a medium, and what can go wrong.
//!
//! Knows: names, ids, pending ids. Must not know: what is in an object, or which objects are live: the store's manifest
//! says that. Start at [`Objects`].

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use runtime_engine::{ObjectId, Partition, ReadAt};

/// One partition of one store: the scope of a root and of its objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorePartition {
    /// Name of the store, such as `traces`: 1 to 64 of `a`–`z`, `0`–`9`, `-`, `_`, beginning with a letter.
    pub store: Arc<str>,
    /// The partition.
    pub partition: Partition,
}

impl StorePartition {
    /// The partition `partition` of `store`.
    #[must_use]
    pub fn new(store: &str, partition: u32) -> Self {
        Self { store: Arc::from(store), partition: Partition(partition) }
    }
}

impl fmt::Display for StorePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.store, self.partition)
    }
}

/// An object that a medium holds, as [`Objects::list`] finds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredObject {
    /// Its id.
    pub id: ObjectId,
    /// Bytes that are stored for it, checksums not counted.
    pub len_bytes: u64,
    /// Whether it was finished; one that was not is what a crash or a running writer left.
    pub finished: bool,
}

/// A medium that keeps immutable objects.
///
/// The life of an object: [`create`](Self::create) registers its id as *pending* (durably, before the first byte),
/// [`ObjectWrite::finish`] makes it durable, a root that names it makes it live, [`clear_pending`](Self::clear_pending)
/// forgets the registration. What a crash leaves between two of these is found by [`pending`](Self::pending), so that no
/// garbage is ever forgotten. The media know nothing of liveness: the sweeper that may delete a pending id (of an older
/// epoch, in no manifest) is the store.
pub trait Objects: Send + Sync {
    /// Starts a new object under a fresh id. `ext` is the file name extension, such as `parquet`: 1 to 16 of `a`–`z`,
    /// `0`–`9`; it may not be `sum`.
    ///
    /// # Errors
    /// [`ObjectsError::Name`] for a bad name, [`ObjectsError::Io`] when the medium refuses.
    fn create(
        &self,
        of: &StorePartition,
        epoch: u64,
        ext: &str,
    ) -> Result<Box<dyn ObjectWrite>, ObjectsError>;

    /// Opens a finished object for reading. Each byte that the reader returns has passed its checksum.
    ///
    /// # Errors
    /// [`ObjectsError::NotFound`] when there is no such object, [`ObjectsError::Corrupt`] when what is there is not
    /// what was finished.
    fn open(&self, of: &StorePartition, id: ObjectId) -> Result<Arc<dyn ReadAt>, ObjectsError>;

    /// Removes objects, finished or not, durably; an id that is not there is no error.
    ///
    /// # Errors
    /// [`ObjectsError::Io`]; some of them may be gone then. Deleting again finishes the work.
    fn delete_all(&self, of: &StorePartition, ids: &[ObjectId]) -> Result<(), ObjectsError>;

    /// Removes one object: [`delete_all`](Self::delete_all) of it alone.
    ///
    /// # Errors
    /// As [`delete_all`](Self::delete_all).
    fn delete(&self, of: &StorePartition, id: ObjectId) -> Result<(), ObjectsError> {
        self.delete_all(of, &[id])
    }

    /// Ids that were registered by [`create`](Self::create) and not cleared since, each with the epoch of its writer,
    /// in ascending order.
    ///
    /// # Errors
    /// [`ObjectsError::Io`] when they cannot be read.
    fn pending(&self, of: &StorePartition) -> Result<Vec<(u64, ObjectId)>, ObjectsError>;

    /// Forgets registrations; an id that is not pending is no error. A power loss may bring a cleared id back: that is
    /// harmless, because whoever sweeps asks the manifest first (its list of removed objects included).
    ///
    /// # Errors
    /// [`ObjectsError::Io`]; some may be cleared then.
    fn clear_pending(&self, of: &StorePartition, ids: &[ObjectId]) -> Result<(), ObjectsError>;

    /// Everything stored for a partition, in ascending order of id: for orphan metrics and tests, not for decisions
    /// (remote media cannot list).
    ///
    /// # Errors
    /// [`ObjectsError::Io`] when it cannot be listed.
    fn list(&self, of: &StorePartition) -> Result<Vec<StoredObject>, ObjectsError>;
}

/// One object being written. Dropped without [`finish`](Self::finish), it is removed as far as the medium lets it.
pub trait ObjectWrite: Write + Send {
    /// Its id, valid as soon as the object was created.
    fn id(&self) -> ObjectId;

    /// Makes it durable and returns its length in bytes.
    ///
    /// # Errors
    /// The medium's; the object does not exist then, and its id stays pending or is gone altogether.
    fn finish(self: Box<Self>) -> Result<u64, ObjectsError>;
}

/// What can go wrong with objects.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// No such object. Under a root that has moved on this is normal: load it and repeat. Under an unchanged root it
    /// is corruption.
    #[error("object {id} of {of} is not there: {path} is missing")]
    NotFound {
        /// Whose object.
        of: StorePartition,
        /// The id that was asked for.
        id: ObjectId,
        /// Where it was looked for.
        path: String,
    },
    /// What is stored is not what was written.
    #[error("{path} is corrupt: {detail}")]
    Corrupt {
        /// The file, or the name of the object in its medium.
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
    /// A name that may not become a part of a path.
    #[error("{what} {name:?} is not valid: {expected}")]
    Name {
        /// `store name` or `extension`.
        what: &'static str,
        /// The name as given.
        name: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// The medium failed; the call may be tried again.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried, such as `create`.
        action: &'static str,
        /// The file or directory.
        path: String,
        /// The medium's answer.
        #[source]
        source: io::Error,
    },
}

impl ObjectsError {
    /// Whether the stored bytes are at fault: quarantine the object, repeating does not help.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Format { .. })
    }
}

impl From<ObjectsError> for runtime_engine::Error {
    fn from(e: ObjectsError) -> Self {
        match e {
            ObjectsError::Corrupt { path, detail } => Self::corrupt(path, detail),
            e @ ObjectsError::Format { .. } => Self::corrupt("object", e.to_string()),
            e @ ObjectsError::Name { .. } => Self::Invalid(e.to_string()),
            e => Self::Io(e.into()),
        }
    }
}

impl From<ObjectsError> for io::Error {
    fn from(e: ObjectsError) -> Self {
        let kind = match &e {
            ObjectsError::NotFound { .. } => io::ErrorKind::NotFound,
            ObjectsError::Corrupt { .. } | ObjectsError::Format { .. } => io::ErrorKind::InvalidData,
            ObjectsError::Name { .. } => io::ErrorKind::InvalidInput,
            ObjectsError::Io { source, .. } => source.kind(),
        };
        Self::new(kind, e)
    }
}
