//! Errors of the file system with the operation and the path in their text.
//!
//! Knows: wrapping. Must not know: which operations exist. Start at [`at`].

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// An [`io::Error`] with its culprit.
#[derive(Debug)]
struct AtPath {
    operation: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for AtPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.operation, self.path.display(), self.source)
    }
}

impl Error for AtPath {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// Puts the operation and the path into an error, and keeps its kind.
pub(crate) fn at(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |source| io::Error::new(source.kind(), AtPath { operation, path: path.to_path_buf(), source })
}
