//! What can go wrong inside an engine; the runtime decides what to do about it from the variant alone.

use std::io;

/// Result of an engine call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an engine call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Bytes at rest or in the log are not what was written: quarantine them, serve the rest, say partial.
    #[error("corrupt {what}: {detail}")]
    Corrupt {
        /// What was read, such as `segment 01f3.spans` or `log record`.
        what: String,
        /// Expected and got.
        detail: String,
    },
    /// The caller asked for something that cannot be: final, never retried.
    #[error("{0}")]
    Invalid(String),
    /// A read or a write failed; the call may be tried again.
    #[error("input or output failed")]
    Io(#[from] io::Error),
    /// The work was asked to stop ([`crate::Stop`]) or ran over its budget.
    #[error("stopped")]
    Stopped,
}

impl Error {
    /// A [`Error::Corrupt`] of `what` with evidence.
    pub fn corrupt(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into(), detail: detail.into() }
    }
}
