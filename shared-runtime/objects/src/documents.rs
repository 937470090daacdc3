//! Small state that changes: named documents, each replaced by compare-and-swap.
//!
//! Knows: collections, keys, versions. Must not know: what is in a document. Start at [`Documents`]; a medium is
//! SQLite ([`SqliteDocuments`]), or memory for tests ([`MemoryDocuments`]).

mod memory;
mod sqlite;

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::future::BoxFuture;

pub use memory::MemoryDocuments;
pub use sqlite::SqliteDocuments;

/// Largest body: documents are small, streams of bytes are objects.
pub const BODY_BYTES_MAX: usize = 4 << 20;
/// Longest key.
pub const KEY_BYTES_MAX: usize = 512;

/// What a document holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Grows with every change of any document of the medium, and is never used twice, so that a document which was
    /// removed and made again cannot be taken for the old one.
    pub version: u64,
    /// The content.
    pub body: Bytes,
}

/// How a swap ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The change is durable; the document's new version (0 when it was removed).
    Done(u64),
    /// The document has another version, or exists although it should not: nothing was changed.
    Conflict,
}

/// Why documents cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// Another process holds the database.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// The file is no database of ours, or of another format.
    #[error("{} is not usable: {reason}", path.display())]
    Foreign {
        /// The database file.
        path: PathBuf,
        /// What was expected, and what was found.
        reason: String,
    },
    /// The stored checksum differs from the content's.
    #[error("document {collection}/{key} is damaged: its checksum is {got:08x}, expected {expected:08x}")]
    Damaged {
        /// Where.
        collection: String,
        /// Which.
        key: String,
        /// Computed from what was read.
        got: u32,
        /// As stored.
        expected: u32,
    },
    /// The key or the body is longer than allowed.
    #[error("{what} of {bytes} bytes is longer than {bytes_max}")]
    TooLong {
        /// `key` or `body`.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The most.
        bytes_max: usize,
    },
    /// The medium failed.
    #[error("the document store failed: {0}")]
    Medium(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Documents in collections, by key. A change that was answered with [`Put::Done`] survives `kill -9` and power loss.
pub trait Documents: Send + Sync + 'static {
    /// The document at `key`.
    ///
    /// # Errors
    /// When the medium fails or the document is damaged.
    fn get<'a>(
        &'a self,
        collection: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Document>, DocumentsError>>;

    /// Replaces the document if its version is `expect`, where 0 means that there is none; no `body` removes it.
    ///
    /// # Errors
    /// When the medium fails (the change may have happened or not), or key or body are too long.
    fn put_if_version<'a>(
        &'a self,
        collection: &'a str,
        key: &'a str,
        expect: u64,
        body: Option<Bytes>,
    ) -> BoxFuture<'a, Result<Put, DocumentsError>>;

    /// At most `limit` documents in the order of their keys' bytes, from the first key greater than `after`.
    ///
    /// # Errors
    /// When the medium fails or a document is damaged.
    fn list<'a>(
        &'a self,
        collection: &'a str,
        after: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(String, Document)>, DocumentsError>>;
}

/// Refuses what no medium may be asked to keep.
fn check(key: &str, body: Option<&Bytes>) -> Result<(), DocumentsError> {
    let too_long = |what, bytes, bytes_max| Err(DocumentsError::TooLong { what, bytes, bytes_max });
    match body.map_or(0, Bytes::len) {
        bytes if bytes > BODY_BYTES_MAX => too_long("body", bytes, BODY_BYTES_MAX),
        _ if key.len() > KEY_BYTES_MAX => too_long("key", key.len(), KEY_BYTES_MAX),
        _ => Ok(()),
    }
}
