//! YAML text → tree.
//!
//! Knows: the parser's events, anchors, merge keys. Must not know: what keys mean. Start at [`parse`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use super::tree::{Entry, Mark, Node, Scalar, Value};
use super::{ConfigError, ConfigErrors};

/// Deeper nesting is refused.
const DEPTH_MAX: usize = 64;
/// More nodes than this, aliases expanded, are refused.
const NODES_MAX: usize = 100_000;

/// Parses one YAML document; `file` names it in errors. An empty file is an empty map.
///
/// # Errors
/// Broken YAML, duplicate keys (all of them), several documents.
pub fn parse(text: &str, file: &str) -> Result<Node, ConfigErrors> {
    let node = parse_value(text, file)?;
    Ok(if node.value == Value::Null { Node::map(node.mark) } else { node })
}

/// Parses one YAML value, such as that of a flag; an empty text is nothing.
///
/// # Errors
/// As [`parse`].
pub fn parse_value(text: &str, file: &str) -> Result<Node, ConfigErrors> {
    let mut builder = Builder {
        events: Parser::new_from_str(text),
        file: file.into(),
        anchors: BTreeMap::new(),
        nodes: 0,
        errors: ConfigErrors::default(),
    };
    let root = match builder.document() {
        Ok(root) => root,
        Err(fatal) => {
            builder.errors.push(fatal);
            return Err(builder.errors);
        }
    };
    builder.errors.into_result()?;
    Ok(root.unwrap_or_else(|| Node { value: Value::Null, mark: Mark { file: file.into(), line: 1 } }))
}

struct Builder<'t> {
    events: Parser<'t, serde_saphyr::granit_parser::StrInput<'t>>,
    file: Arc<str>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    errors: ConfigErrors,
}

type Result2<T> = Result<T, ConfigError>;

impl<'t> Builder<'t> {
    fn next(&mut self) -> Result2<(Event<'t>, Mark)> {
        loop {
            let (event, span): (Event<'t>, Span) = match self.events.next() {
                Some(Ok(next)) => next,
                Some(Err(e)) => {
                    return Err(self.mark(e.marker().line()).error("", format!("broken YAML: {}", e.info())));
                }
                None => return Ok((Event::StreamEnd, self.mark(0))),
            };
            if !matches!(event, Event::Comment(..) | Event::Anchor(..)) {
                let mark = self.mark(span.start.line());
                return Ok((event, mark));
            }
        }
    }

    fn mark(&self, line: usize) -> Mark {
        Mark { file: Arc::clone(&self.file), line: u64::try_from(line).unwrap_or(0) }
    }

    fn document(&mut self) -> Result2<Option<Node>> {
        let mut root = None;
        loop {
            let (event, mark) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                Event::StreamEnd => break,
                _ if root.is_some() => {
                    return Err(mark.error("", "expected one YAML document, found another"));
                }
                event => root = Some(self.node(event, mark, 0)?),
            }
        }
        Ok(root)
    }

    fn node(&mut self, event: Event<'t>, mark: Mark, depth: usize) -> Result2<Node> {
        self.nodes += 1;
        if depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return Err(
                mark.error("", format!("nested deeper than {DEPTH_MAX}, or more than {NODES_MAX} nodes"))
            );
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _tag) => (scalar(text.into_owned(), style), anchor),
            Event::SequenceStart(_, anchor, _) => (self.sequence(depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(depth)?, anchor),
            Event::Alias(id) => {
                let node = self.anchors.get(&id).cloned();
                let node =
                    node.ok_or_else(|| mark.error("", "alias of an anchor that is not complete yet"))?;
                self.nodes += size(&node);
                return Ok(node);
            }
            other => return Err(mark.error("", format!("unexpected YAML: {other:?}"))),
        };
        let node = Node { value, mark };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result2<Value> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Seq(items)),
                (event, mark) => items.push(self.node(event, mark, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result2<Value> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut defaults: Vec<Entry> = Vec::new();
        loop {
            let (key, mark) = match self.next()? {
                (Event::MappingEnd, _) => break,
                (Event::Scalar(key, ..), mark) => (key.into_owned(), mark),
                (_, mark) => return Err(mark.error("", "a key must be a plain name")),
            };
            let (event, value_mark) = self.next()?;
            let node = self.node(event, value_mark, depth + 1)?;
            if key == "<<" {
                defaults.extend(merge_key(node, &mark)?);
            } else if entries.iter().any(|e| e.key == key) {
                self.errors.push(mark.error(&key, "this key stands here twice"));
            } else {
                entries.push(Entry { key, mark, node });
            }
        }
        for entry in defaults {
            if !entries.iter().any(|e| e.key == entry.key) {
                entries.push(entry);
            }
        }
        Ok(Value::Map(entries))
    }
}

fn merge_key(node: Node, mark: &Mark) -> Result2<Vec<Entry>> {
    match node.value {
        Value::Map(entries) => Ok(entries),
        Value::Seq(items) => {
            let all: Result2<Vec<_>> = items.into_iter().map(|n| merge_key(n, mark)).collect();
            Ok(all?.concat())
        }
        _ => Err(mark.error("<<", "expected a map or a list of maps")),
    }
}

fn scalar(text: String, style: ScalarStyle) -> Value {
    let plain = style == ScalarStyle::Plain;
    if plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Scalar(Scalar { text, plain })
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Null | Value::Scalar(_) => 0,
        Value::Seq(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|e| size(&e.node)).sum(),
    }
}
