//! Clocks of different hosts disagree: a child on another host is moved into its parent, within a limit.
//!
//! Knows: Jaeger's rules for deriving a host and a delta, of whole spans and of columns alike. Must not know: why clocks
//! differ. Start at [`skews`]; [`correct`] applies it to a whole trace.

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::id_of;
use crate::go::format_duration;
use crate::trace::{Trace, attributes, value_text, warnings};

/// What the clock of a span is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) id: u64,
    /// 0 = no parent.
    pub(crate) parent: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Number of its host; 0 = unknown, which is never the same host as another.
    pub(crate) host: u32,
}

/// What is to be done about a span's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Skew {
    /// How far the span must move, in nanoseconds.
    pub(crate) delta: i64,
    /// An earlier span has the same id: this one takes no part.
    pub(crate) is_duplicate: bool,
    /// Its parent is not in the trace.
    pub(crate) is_orphan: bool,
}

/// Corrects children against their parents, each after its parent and without recursion: traces are deep, and parents
/// may form a cycle (spans of a cycle hang below no root and stay as they are).
pub(crate) fn skews(clocks: &[Clock]) -> Vec<Skew> {
    let mut skews = vec![Skew::default(); clocks.len()];
    let mut by_id: HashMap<u64, usize> = HashMap::with_capacity(clocks.len());
    for (at, (clock, skew)) in clocks.iter().zip(&mut skews).enumerate() {
        skew.is_duplicate = *by_id.entry(clock.id).or_insert(at) != at;
    }
    // children of a span: a list threaded through the spans
    let none = usize::MAX;
    let (mut first, mut next) = (vec![none; clocks.len()], vec![none; clocks.len()]);
    let mut todo: Vec<(usize, Option<usize>, i64)> = Vec::new();
    for (at, (clock, skew)) in clocks.iter().zip(&mut skews).enumerate().rev() {
        if skew.is_duplicate {
            continue;
        }
        match by_id.get(&clock.parent).filter(|_| clock.parent != 0) {
            Some(&parent) => {
                if let (Some(head), Some(link)) = (first.get_mut(parent), next.get_mut(at)) {
                    *link = std::mem::replace(head, at);
                }
            }
            None => {
                skew.is_orphan = clock.parent != 0;
                todo.push((at, None, 0));
            }
        }
    }
    while let Some((at, parent, inherited)) = todo.pop() {
        let (Some(clock), Some(skew)) = (clocks.get(at), skews.get_mut(at)) else { continue };
        let parent = parent.and_then(|parent| clocks.get(parent));
        skew.delta = match parent {
            Some(parent) if clock.host != parent.host || clock.host == 0 => delta(clock, parent),
            _ => inherited,
        };
        let delta = skew.delta;
        let mut child = first.get(at).copied().unwrap_or(none);
        while child != none {
            todo.push((child, Some(at), delta));
            child = next.get(child).copied().unwrap_or(none);
        }
    }
    skews
}

/// Corrects the clocks of a trace, by at most `max`.
pub(crate) fn correct(trace: &mut Trace, max: Duration) {
    let mut hosts = Hosts::default();
    let mut clocks = Vec::new();
    for resource in &trace.resources {
        let host = hosts.number(resource.resource.as_ref());
        for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
            clocks.push(Clock {
                id: id_of(&span.span_id),
                parent: id_of(&span.parent_span_id),
                start: span.start_time_unix_nano,
                end: span.end_time_unix_nano,
                host,
            });
        }
    }
    let skews = skews(&clocks);
    for ((span, skew), clock) in trace.spans_mut().zip(skews).zip(clocks) {
        apply(span, skew, clock.parent, max);
    }
}

fn apply(span: &mut Span, skew: Skew, parent: u64, max: Duration) {
    if skew.is_duplicate {
        warnings::add(span, DUPLICATE);
    }
    if skew.is_orphan {
        warnings::add(span, &orphan(parent));
    }
    if skew.delta == 0 {
        return;
    }
    let moved = is_within(skew.delta, max);
    if moved {
        span.start_time_unix_nano = span.start_time_unix_nano.saturating_add_signed(skew.delta);
        span.end_time_unix_nano = span.end_time_unix_nano.saturating_add_signed(skew.delta);
        for event in &mut span.events {
            event.time_unix_nano = event.time_unix_nano.saturating_add_signed(skew.delta);
        }
    }
    warnings::add(span, &moved_by(skew.delta, max));
}

/// The warning of a span that shares its id with an earlier one.
pub(crate) const DUPLICATE: &str = "duplicate span IDs; skipping clock skew adjustment";

/// The warning of a span whose parent is not there.
pub(crate) fn orphan(parent: u64) -> String {
    format!("parent span ID={parent:016x} is not in the trace; skipping clock skew adjustment")
}

/// Whether a span may be moved so far.
pub(crate) fn is_within(delta: i64, max: Duration) -> bool {
    u128::from(delta.unsigned_abs()) <= max.as_nanos()
}

/// The warning of a span that was moved, or that would have to be moved too far.
pub(crate) fn moved_by(delta: i64, max: Duration) -> String {
    let shown = format_duration(delta);
    if is_within(delta, max) {
        return format!("This span's timestamps were adjusted by {shown}");
    }
    if max.is_zero() {
        return format!("clock skew adjustment disabled; not applying calculated delta of {shown}");
    }
    let max = format_duration(i64::try_from(max.as_nanos()).unwrap_or(i64::MAX));
    format!("max clock skew adjustment delta of {max} exceeded; not applying calculated delta of {shown}")
}

/// How far `child` must move, in nanoseconds.
fn delta(child: &Clock, parent: &Clock) -> i64 {
    let times = |n: &Clock| (i128::from(n.start), i128::from(n.end));
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

/// Hosts by number.
#[derive(Debug, Default)]
pub(crate) struct Hosts(HashMap<String, u32>);

impl Hosts {
    /// The number of a resource's host; 0 when it does not say.
    pub(crate) fn number(&mut self, resource: Option<&Resource>) -> u32 {
        let host = host(resource);
        if host.is_empty() {
            return 0;
        }
        let next = u32::try_from(self.0.len() + 1).unwrap_or(u32::MAX);
        *self.0.entry(host).or_insert(next)
    }
}

/// What tells two hosts apart; spans without it never count as being on the same host.
fn host(resource: Option<&Resource>) -> String {
    let list = resource.map(|r| r.attributes.as_slice()).unwrap_or_default();
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
