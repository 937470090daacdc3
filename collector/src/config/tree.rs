//! A YAML document as a tree that remembers where every value stood.
//!
//! Knows: YAML (through the event parser), positions, the deep merge of several files. Must not know: what any key means,
//! or how `${…}` is expanded. Scalars keep their text; whether `0123` is a number is decided by the field that reads it.
//! Start at [`parse`], then [`merge`].

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::error::ConfigError;

/// Aliases are copied, so a document of nested aliases could grow without bound ("billion laughs").
const NODES_MAX: usize = 100_000;
/// Deeper documents are refused before recursion in later steps could matter.
const DEPTH_MAX: usize = 64;

/// Where a value stood: source (a path or `yaml:`), line and column, both from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub(crate) source: Arc<str>,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Mark {
    fn of(source: &Arc<str>, span: &Span) -> Self {
        Mark { source: source.clone(), line: span.start.line(), column: span.start.col() + 1 }
    }

    pub(crate) fn nowhere() -> Self {
        Mark { source: Arc::from(""), line: 0, column: 0 }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source, self.line, self.column)
    }
}

/// A value and its position.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: Mark,
}

/// What stands at a position.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Map),
}

/// A map in the order of the file.
pub(crate) type Map = Vec<(String, Node)>;

/// A scalar's text and how it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Quoted or block scalars are strings whatever they look like.
    pub(crate) quoted: bool,
    /// The text came from a whole-value `${…}`: a string field takes it as it is, other fields read it as YAML.
    pub(crate) expanded: bool,
}

/// What a scalar means by YAML's core schema.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning<'a> {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(&'a str),
}

impl Scalar {
    pub(crate) fn meaning(&self) -> Meaning<'_> {
        let text = self.text.as_str();
        if self.quoted {
            return Meaning::Text(text);
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
            "true" | "True" | "TRUE" => Meaning::Bool(true),
            "false" | "False" | "FALSE" => Meaning::Bool(false),
            ".inf" | ".Inf" | ".INF" | "+.inf" => Meaning::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Meaning::Float(f64::NEG_INFINITY),
            ".nan" | ".NaN" | ".NAN" => Meaning::Float(f64::NAN),
            _ => number(text).unwrap_or(Meaning::Text(text)),
        }
    }
}

fn number(text: &str) -> Option<Meaning<'static>> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return i128::from_str_radix(hex, 16).ok().map(Meaning::Int);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return i128::from_str_radix(octal, 8).ok().map(Meaning::Int);
    }
    if let Ok(int) = text.parse::<i128>() {
        return Some(Meaning::Int(int));
    }
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if !numeric || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse::<f64>().ok().map(Meaning::Float)
}

impl Node {
    pub(crate) fn null(at: Mark) -> Self {
        Node { value: Value::Null, at }
    }

    /// The value's kind in the words of the reference implementation's decoder.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nil",
            Value::List(_) => "[]interface {}",
            Value::Map(_) => "map[string]interface {}",
            Value::Scalar(scalar) => match scalar.meaning() {
                Meaning::Null => "nil",
                Meaning::Bool(_) => "bool",
                Meaning::Int(_) => "int",
                Meaning::Float(_) => "float64",
                Meaning::Text(_) => "string",
            },
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Scalar(scalar) => scalar.meaning() == Meaning::Null,
            Value::List(_) | Value::Map(_) => false,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(map) => map.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }
}

/// Parses one YAML document; `None` for an empty one.
pub(crate) fn parse(source: &str, text: &str) -> Result<Option<Node>, ConfigError> {
    let source: Arc<str> = Arc::from(source);
    let mut builder =
        Builder { source: source.clone(), anchors: HashMap::new(), stack: Vec::new(), root: None, nodes: 0 };
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| syntax(&source, &error))?;
        builder.take(event, &span)?;
    }
    Ok(builder.root.filter(|root| !root.is_null()))
}

fn syntax(source: &Arc<str>, error: &ScanError) -> ConfigError {
    let at = Mark { source: source.clone(), line: error.marker().line(), column: error.marker().col() + 1 };
    ConfigError::Syntax { at, what: error.info() }
}

struct Builder {
    source: Arc<str>,
    anchors: HashMap<usize, Node>,
    stack: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
}

/// A collection whose end has not come yet.
enum Open {
    List { anchor: usize, at: Mark, items: Vec<Node> },
    Map { anchor: usize, at: Mark, entries: Map, key: Option<(String, Mark)>, merged: Vec<Node> },
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), ConfigError> {
        let at = Mark::of(&self.source, span);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(ConfigError::Syntax { at, what: "more than one document in a file".to_owned() })
            }
            Event::Scalar(text, style, anchor, _) => {
                let quoted = style != ScalarStyle::Plain;
                let scalar = Scalar { text: text.into_owned(), quoted, expanded: false };
                let value =
                    if scalar.meaning() == Meaning::Null { Value::Null } else { Value::Scalar(scalar) };
                self.place(Node { value, at }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.open(Open::List { anchor, at, items: Vec::new() }),
            Event::MappingStart(_, anchor, _) => {
                self.open(Open::Map { anchor, at, entries: Vec::new(), key: None, merged: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let copy = self.anchors.get(&anchor).cloned();
                let copy = copy.ok_or(ConfigError::Syntax { at, what: "unknown anchor".to_owned() })?;
                self.nodes += size(&copy);
                self.place(copy, 0)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, open: Open) -> Result<(), ConfigError> {
        if self.stack.len() >= DEPTH_MAX {
            let (Open::List { at, .. } | Open::Map { at, .. }) = open;
            return Err(ConfigError::Syntax { at, what: format!("nested deeper than {DEPTH_MAX} levels") });
        }
        self.stack.push(open);
        Ok(())
    }

    fn close(&mut self) -> Result<(), ConfigError> {
        match self.stack.pop() {
            Some(Open::List { anchor, at, items }) => {
                self.place(Node { value: Value::List(items), at }, anchor)
            }
            Some(Open::Map { anchor, at, mut entries, merged, .. }) => {
                for node in merged {
                    inherit(&mut entries, node);
                }
                self.place(Node { value: Value::Map(entries), at }, anchor)
            }
            None => Ok(()),
        }
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), ConfigError> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(ConfigError::Syntax { at: node.at, what: format!("more than {NODES_MAX} values") });
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, merged, .. }) => match key.take() {
                None => *key = Some((key_text(&node)?, node.at)),
                Some((name, _)) if name == "<<" => merged.push(node),
                // A value stands where its key does: that is the line to look at.
                Some((name, at)) => {
                    let node = Node { at, ..node };
                    if let Some((_, first)) = entries.iter().find(|(known, _)| *known == name) {
                        let what = format!("mapping key {name:?} already defined at line {}", first.at.line);
                        return Err(ConfigError::Syntax { at: node.at, what });
                    }
                    entries.push((name, node));
                }
            },
        }
        Ok(())
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(map) => 1 + map.iter().map(|(_, node)| size(node)).sum::<usize>(),
        Value::Null | Value::Scalar(_) => 1,
    }
}

fn key_text(node: &Node) -> Result<String, ConfigError> {
    match &node.value {
        Value::Scalar(scalar) => Ok(scalar.text.clone()),
        Value::Null => Ok("null".to_owned()),
        Value::List(_) | Value::Map(_) => {
            Err(ConfigError::Syntax { at: node.at.clone(), what: "a key must be a scalar".to_owned() })
        }
    }
}

/// `<<`: keys of `from` that `entries` does not have.
fn inherit(entries: &mut Map, from: Node) {
    match from.value {
        Value::Map(map) => {
            for (name, node) in map {
                if !entries.iter().any(|(known, _)| *known == name) {
                    entries.push((name, node));
                }
            }
        }
        Value::List(items) => items.into_iter().for_each(|item| inherit(entries, item)),
        Value::Null | Value::Scalar(_) => {}
    }
}

/// Lays `over` on `base`: maps merge deeply, everything else replaces, a null over a map deletes it.
pub(crate) fn merge(base: &mut Node, over: Node) {
    if let (Value::Map(below), Value::Map(_)) = (&mut base.value, &over.value) {
        let Value::Map(above) = over.value else { return };
        for (name, node) in above {
            match below.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => merge(known, node),
                None => below.push((name, node)),
            }
        }
        return;
    }
    *base = over;
}

/// `a::b::c: v` → `a: {b: {c: v}}`, as the `yaml:` scheme and `--set` write it.
pub(crate) fn split_keys(node: &mut Node) {
    let Value::Map(map) = &mut node.value else { return };
    let entries = std::mem::take(map);
    let mut whole = Node { value: Value::Map(Vec::new()), at: node.at.clone() };
    for (name, value) in entries {
        let mut value = value;
        split_keys(&mut value);
        for part in name.split("::").collect::<Vec<_>>().into_iter().rev() {
            let at = value.at.clone();
            value = Node { value: Value::Map(vec![(part.to_owned(), value)]), at };
        }
        merge(&mut whole, value);
    }
    node.value = whole.value;
}
