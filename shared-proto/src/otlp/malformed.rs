//! The one error of reading OTLP bytes: where, and what was wrong there.

use std::fmt;

use super::Signal;

/// Bytes that are not a request of their signal; the whole request is refused (400, `INVALID_ARGUMENT`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// What the bytes were read as.
    pub signal: Signal,
    /// Offset of the culprit from the start of the bytes handed in.
    pub at_byte: usize,
    /// The culprit when it is a known field, as `Span.span_id`; else empty.
    pub field: &'static str,
    /// What is wrong there.
    pub what: &'static str,
    /// The number found where another was expected (a length, a wire type), if one number tells the story.
    pub found: Option<u64>,
}

impl Malformed {
    #[cold]
    pub(crate) fn new(at_byte: usize, what: &'static str) -> Malformed {
        Malformed { signal: Signal::Traces, at_byte, field: "", what, found: None }
    }

    #[cold]
    pub(crate) fn with(at_byte: usize, what: &'static str, found: u64) -> Malformed {
        Malformed { found: Some(found), ..Malformed::new(at_byte, what) }
    }

    pub(crate) fn in_field(self, field: &'static str) -> Malformed {
        Malformed { field, ..self }
    }

    pub(crate) fn of(self, signal: Signal) -> Malformed {
        Malformed { signal, ..self }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed OTLP {} at byte {}", self.signal, self.at_byte)?;
        if !self.field.is_empty() {
            write!(f, ", {}", self.field)?;
        }
        write!(f, ": {}", self.what)?;
        match self.found {
            Some(found) => write!(f, ", found {found}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Malformed {}
