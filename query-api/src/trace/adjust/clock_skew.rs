//! Clocks of different hosts disagree: a child on another host is moved into its parent, within a limit.
//!
//! Knows: Jaeger's rules for deriving a host and a delta. Must not know: why clocks differ. Start at [`correct`].

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};

use crate::trace::{Trace, attributes, value_text, warnings};

/// Corrects children against their parents, each after its parent and without recursion: traces are deep, and parents
/// may form a cycle (spans of a cycle hang below no root and stay as they are).
pub(crate) fn correct(trace: &mut Trace, max: Duration) {
    let max = i64::try_from(max.as_nanos()).unwrap_or(i64::MAX);
    let mut nodes = nodes(trace);
    let roots = link(&mut nodes);
    let mut todo: Vec<(usize, Option<usize>, i64)> = roots.into_iter().map(|root| (root, None, 0)).collect();
    while let Some((at, parent, inherited)) = todo.pop() {
        let parent = parent.and_then(|p| nodes.get(p));
        let Some(node) = nodes.get(at) else { continue };
        let delta = match parent {
            Some(parent) if node.host != parent.host || node.host.is_empty() => delta(node, parent),
            _ => inherited,
        };
        todo.extend(node.children.iter().map(|child| (*child, Some(at), delta)));
        if let Some(node) = nodes.get_mut(at) {
            node.apply(delta, max);
        }
    }
}

/// A span in the tree of its trace.
struct Node<'a> {
    span: &'a mut Span,
    host: String,
    children: Vec<usize>,
}

/// One node per span id; further spans with the same id are told so and take no part.
fn nodes(trace: &mut Trace) -> Vec<Node<'_>> {
    let mut known: std::collections::HashSet<Vec<u8>> = std::collections::HashSet::new();
    let mut nodes = Vec::new();
    for resource in &mut trace.resources {
        let host = host(resource);
        for span in resource.scope_spans.iter_mut().flat_map(|scope| &mut scope.spans) {
            if known.insert(span.span_id.clone()) {
                nodes.push(Node { span, host: host.clone(), children: Vec::new() });
            } else {
                warnings::add(span, "duplicate span IDs; skipping clock skew adjustment");
            }
        }
    }
    nodes
}

/// Hangs every node below its parent; the rest are roots.
fn link(nodes: &mut [Node<'_>]) -> Vec<usize> {
    let by_id: HashMap<Vec<u8>, usize> =
        nodes.iter().enumerate().map(|(at, node)| (node.span.span_id.clone(), at)).collect();
    let mut roots = Vec::new();
    for at in 0..nodes.len() {
        let Some(node) = nodes.get_mut(at) else { continue };
        if node.span.parent_span_id.is_empty() {
            roots.push(at);
            continue;
        }
        match by_id.get(&node.span.parent_span_id) {
            Some(parent) => {
                if let Some(parent) = nodes.get_mut(*parent) {
                    parent.children.push(at);
                }
            }
            None => {
                let parent = hex(&node.span.parent_span_id);
                let warning =
                    format!("parent span ID={parent} is not in the trace; skipping clock skew adjustment");
                warnings::add(node.span, &warning);
                roots.push(at);
            }
        }
    }
    roots
}

/// How far `child` must move, in nanoseconds.
fn delta(child: &Node<'_>, parent: &Node<'_>) -> i64 {
    let times =
        |n: &Node<'_>| (i128::from(n.span.start_time_unix_nano), i128::from(n.span.end_time_unix_nano));
    let ((child_start, child_end), (parent_start, parent_end)) = (times(child), times(parent));
    let (child_lasts, parent_lasts) = (child_end - child_start, parent_end - parent_start);
    let delta = if child_lasts > parent_lasts {
        // Asynchronous, or the parent gave up before: it can only be made to start no earlier than its parent.
        (parent_start - child_start).max(0)
    } else if child_start >= parent_start && child_end <= parent_end {
        0
    } else {
        // The way there and the way back are taken to last equally long.
        parent_start + (parent_lasts - child_lasts) / 2 - child_start
    };
    i64::try_from(delta).unwrap_or(if delta < 0 { i64::MIN } else { i64::MAX })
}

impl Node<'_> {
    fn apply(&mut self, delta: i64, max: i64) {
        use crate::go::format_duration;
        if delta == 0 {
            return;
        }
        let shown = format_duration(delta);
        if delta.unsigned_abs() > max.unsigned_abs() {
            let warning = if max == 0 {
                format!("clock skew adjustment disabled; not applying calculated delta of {shown}")
            } else {
                let max = format_duration(max);
                format!(
                    "max clock skew adjustment delta of {max} exceeded; not applying calculated delta of {shown}"
                )
            };
            warnings::add(self.span, &warning);
            return;
        }
        let moved = |time: &mut u64| *time = time.saturating_add_signed(delta);
        moved(&mut self.span.start_time_unix_nano);
        moved(&mut self.span.end_time_unix_nano);
        self.span.events.iter_mut().for_each(|event| moved(&mut event.time_unix_nano));
        warnings::add(self.span, &format!("This span's timestamps were adjusted by {shown}"));
    }
}

/// What tells two hosts apart; spans without it never count as being on the same host.
fn host(resource: &ResourceSpans) -> String {
    let list = resource.resource.as_ref().map(|r| r.attributes.as_slice()).unwrap_or_default();
    let text = |key| attributes::text(list, key).map(str::to_owned);
    if attributes::get(list, "host.id").is_some() {
        return text("host.id").unwrap_or_default();
    }
    match attributes::get(list, "host.ip").map(attributes::value) {
        Some(Some(Value::StringValue(ip))) => return ip.clone(),
        Some(Some(Value::ArrayValue(ips))) if !ips.values.is_empty() => {
            return ips.values.first().map(value_text::plain).unwrap_or_default();
        }
        _ => {}
    }
    text("host.name").unwrap_or_default()
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|b| format!("{b:02x}")).collect()
}
