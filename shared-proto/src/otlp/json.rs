//! OTLP/JSON to protobuf and back.
//!
//! Knows: the JSON mapping of OTLP and its quirks (`docs/wire.md`, "OTLP/JSON"). Must not know: limits other than
//! nesting, repairs ([`super::admit`] comes after [`decode`]).
//! Start at [`decode`]; both directions are driven by the tables in `schema`.

mod decode;
mod encode;
mod lexer;
mod scalar;

use std::fmt;

pub use decode::decode;
pub use encode::{encode, encode_traces};

/// A body that is not OTLP/JSON; the whole request is refused (400, `INVALID_ARGUMENT`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// Offset in the body.
    pub at_byte: usize,
    /// Where in the document: `resourceSpans[0].scopeSpans[1].spans[3].traceId`; empty at the top.
    pub path: String,
    /// What is wrong.
    pub what: String,
}

impl JsonError {
    #[cold]
    fn new(at_byte: usize, what: impl Into<String>) -> JsonError {
        JsonError { at_byte, path: String::new(), what: what.into() }
    }

    /// The same error seen from the field `name` above, the element `at` of it if it is an array.
    #[cold]
    fn below(mut self, name: &str, at: Option<usize>) -> JsonError {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.path = match at {
            Some(at) => format!("{name}[{at}]{dot}{}", self.path),
            None => format!("{name}{dot}{}", self.path),
        };
        self
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed OTLP/JSON at byte {}", self.at_byte)?;
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for JsonError {}
