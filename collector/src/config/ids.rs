//! Names of components and pipelines: `type[/name]`, `signal[/name]`.
//!
//! Knows: the rules of names and their error texts. Must not know: which types exist. Start at [`ComponentId`].

use std::fmt;
use std::str::FromStr;

use shared_proto::otlp::Signal;

const TYPE_CHARS_MAX: usize = 63;
const NAME_CHARS_MAX: usize = 1024;

/// `type[/name]`: which component, and which instance of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ComponentId {
    /// Such as `otlp`.
    pub(crate) kind: String,
    /// Such as `jaeger` in `otlp_grpc/jaeger`; empty without one.
    pub(crate) name: String,
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if self.name.is_empty() { Ok(()) } else { write!(f, "/{}", self.name) }
    }
}

impl FromStr for ComponentId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = split(text)?;
        let valid = kind.len() <= TYPE_CHARS_MAX
            && kind.starts_with(|c: char| c.is_ascii_alphabetic())
            && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !valid {
            return Err(format!("in {text:?} id: invalid type: invalid character(s) in type {kind:?}"));
        }
        Ok(Self { kind: kind.to_owned(), name: name.to_owned() })
    }
}

/// `signal[/name]` of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PipelineId {
    /// What flows through it.
    pub(crate) signal: Signal,
    /// Such as `in` in `traces/in`; empty without one.
    pub(crate) name: String,
}

impl fmt::Display for PipelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.signal.as_str())?;
        if self.name.is_empty() { Ok(()) } else { write!(f, "/{}", self.name) }
    }
}

impl FromStr for PipelineId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = split(text)?;
        let signal = match kind {
            "traces" => Signal::Traces,
            "metrics" => Signal::Metrics,
            "logs" => Signal::Logs,
            "profiles" => {
                return Err(format!(
                    "pipeline {text:?}: profiling signal support is at alpha level, gated under the \
                     \"service.profilesSupport\" feature gate"
                ));
            }
            _ => return Err(format!("in {text:?} id: unknown signal {kind:?}")),
        };
        Ok(Self { signal, name: name.to_owned() })
    }
}

/// The two halves of an id, trimmed and checked, with the collector's own texts.
fn split(text: &str) -> Result<(&str, &str), String> {
    let (kind, name) = match text.split_once('/') {
        Some((kind, name)) => (kind.trim(), Some(name.trim())),
        None => (text.trim(), None),
    };
    if kind.is_empty() {
        return Err(match name {
            None => "id must not be empty".to_owned(),
            Some(_) => format!("in {text:?} id: the part before / should not be empty"),
        });
    }
    let Some(name) = name else { return Ok((kind, "")) };
    if name.is_empty() {
        return Err(format!("in {text:?} id: the part after / should not be empty"));
    }
    let length = name.chars().count();
    if length > NAME_CHARS_MAX {
        return Err(format!(
            "in {text:?} id: invalid name: length must be between 1 and {NAME_CHARS_MAX} characters"
        ));
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control() || is_symbol(c)) {
        return Err(format!("in {text:?} id: invalid name: invalid character(s) in name {name:?}"));
    }
    Ok((kind, name))
}

/// Unicode category S of the ASCII range; beyond it names are free.
fn is_symbol(c: char) -> bool {
    matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~')
}
