//! A YAML document as a tree in which every node knows where it stands and scalars keep their text.
//!
//! Knows: nodes, merging, paths. Must not know: YAML syntax (see `parse`), keys. Start at [`Node`].

use std::sync::Arc;

use super::ConfigError;

/// Where a node stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// A file's path, `--set`, or `environment variable X`.
    pub file: Arc<str>,
    /// From 1; 0 where there are no lines.
    pub line: u64,
}

/// One node of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it holds.
    pub value: Value,
    /// Where it stands.
    pub mark: Mark,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing: an empty value, `~` or `null`.
    Null,
    /// One value, untyped.
    Scalar(Scalar),
    /// A list.
    Seq(Vec<Node>),
    /// Keys and values, in the order of the file.
    Map(Vec<Entry>),
}

/// A scalar's text; its type is decided by who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, quotes and escapes resolved.
    pub text: String,
    /// Not quoted: may be a number or a boolean.
    pub plain: bool,
}

/// One key of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub mark: Mark,
    /// Its value.
    pub node: Node,
}

impl Mark {
    /// A place without lines.
    pub fn of(file: &str) -> Self {
        Self { file: file.into(), line: 0 }
    }

    /// An error at this place.
    pub fn error(&self, key: &str, message: impl Into<String>) -> ConfigError {
        ConfigError {
            file: self.file.to_string(),
            line: self.line,
            key: key.to_owned(),
            message: message.into(),
        }
    }
}

impl Node {
    /// An empty map.
    #[must_use]
    pub fn map(mark: Mark) -> Self {
        Self { value: Value::Map(Vec::new()), mark }
    }

    /// The keys, when it is a map.
    #[must_use]
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of `key`, when it is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|e| e.key == key).map(|e| &e.node)
    }

    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Puts `over` on top, as the OTel Collector merges files: maps merge deeply, everything else replaces; nothing
    /// (`key:`) replaces a map.
    pub fn merge(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (Value::Map(mine), Value::Map(theirs)) => {
                for entry in theirs {
                    match mine.iter_mut().find(|e| e.key == entry.key) {
                        Some(existing) => existing.node.merge(entry.node),
                        None => mine.push(entry),
                    }
                }
            }
            (_, value) => *self = Self { value, mark: over.mark },
        }
    }

    /// Sets the value at a path of map keys, making maps on the way; whatever else stands there is replaced.
    pub fn set(&mut self, path: &[&str], node: Self) {
        let Some((key, rest)) = path.split_first() else {
            *self = node;
            return;
        };
        if !matches!(self.value, Value::Map(_)) {
            *self = Self::map(node.mark.clone());
        }
        if let Value::Map(entries) = &mut self.value {
            let at = entries.iter().position(|e| e.key == *key).unwrap_or_else(|| {
                let mark = node.mark.clone();
                entries.push(Entry { key: (*key).to_owned(), mark: mark.clone(), node: Self::map(mark) });
                entries.len() - 1
            });
            if let Some(entry) = entries.get_mut(at) {
                entry.node.set(rest, node);
            }
        }
    }

    /// Takes out what stands at `path`; whether there was something.
    pub(super) fn remove(&mut self, path: &[Segment]) -> bool {
        let Some((first, rest)) = path.split_first() else { return false };
        match (&mut self.value, first) {
            (Value::Map(entries), Segment::Key(key)) => {
                let Some(at) = entries.iter().position(|e| e.key == *key) else { return false };
                if rest.is_empty() {
                    entries.remove(at);
                    return true;
                }
                entries.get_mut(at).is_some_and(|e| e.node.remove(rest))
            }
            (Value::Seq(items), Segment::Index(at)) if *at < items.len() => {
                if rest.is_empty() {
                    items.remove(*at);
                    return true;
                }
                items.get_mut(*at).is_some_and(|n| n.remove(rest))
            }
            _ => false,
        }
    }
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Key(String),
    Index(usize),
}

/// `a.b[2].c`
pub(super) fn dotted(path: &[Segment]) -> String {
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key);
            }
            Segment::Index(at) => out.push_str(&format!("[{at}]")),
        }
    }
    out
}
