//! The vocabulary of traces and faults.
//!
//! Knows: the names of operations. Must not know: what they do. Start at [`Operation`].

use std::path::PathBuf;

/// An operation that changes the file system or makes it durable. Only these are counted; reads are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// `create_dir_all` that made something.
    CreateDir,
    /// `create`.
    Create,
    /// `append`.
    Append,
    /// `sync` of a file.
    Sync,
    /// `truncate`.
    Truncate,
    /// `rename`.
    Rename,
    /// `remove`.
    Remove,
    /// `sync_dir`.
    SyncDir,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// As asked.
    Done,
    /// With an error; the process lives on.
    Failed,
    /// The process died in it: it was done, not done, or done in part.
    Crashed,
}

/// One line of the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was asked.
    pub operation: Operation,
    /// Of which file or directory.
    pub path: PathBuf,
    /// Handle it was asked through, unique for each open; 0 for operations on names.
    pub handle: u64,
    /// Bytes appended, or the length truncated to; 0 otherwise.
    pub bytes: u64,
    /// How it ended.
    pub outcome: Outcome,
}
