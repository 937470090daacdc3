//! Questions about sums, over a snapshot of one partition.
//!
//! Knows: heads and segments asked alike. Must not know: other partitions, HTTP. Start at [`red`], [`edges`] and
//! [`failures`].

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use runtime_engine::{Error, Result, Snapshot, Stop};
use shared_proto::durations::{Dense, Durations};

use super::join::{self, Found, Halves, SpanKey, services_in};
use super::merge::damaged;
use super::rows::{Key, Row, Table};
use super::{MINUTE, minute_of};
use crate::names::STATUS_ERROR;
use crate::{Cost, Traces};

/// Half edges that an answer carries at most: another partition may know their other ends.
const HALVES_MAX: usize = 256;
/// Failures that an answer carries of a service at most.
const FAILURES_OF_SERVICE: usize = 32;

/// A stretch of time: minutes that overlap `[start, end)`, Unix ns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub start: u64,
    /// Its end, exclusive.
    pub end: u64,
}

impl Window {
    fn minutes(self) -> Range<u32> {
        minute_of(self.start)..minute_of(self.end.saturating_add(MINUTE - 1)).max(minute_of(self.start))
    }
}

/// Which sums are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedQuery {
    /// When the spans start.
    pub window: Window,
    /// Length of a step in minutes; 0 makes one step of the window.
    pub step_minutes: u32,
    /// Services; none means every one.
    pub services: Vec<String>,
    /// OTLP kind numbers; none means every one.
    pub kinds: Vec<i32>,
    /// By operation, not by service.
    pub by_operation: bool,
}

/// Sums of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Red {
    /// By service, operation, kind and status.
    pub series: Vec<RedSeries>,
    /// Spans that were beyond what summaries hold.
    pub left_out: u64,
}

/// The spans of a service or operation, of one kind and status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedSeries {
    /// The service.
    pub service: String,
    /// The operation; empty by service.
    pub operation: String,
    /// OTLP kind number.
    pub kind: i32,
    /// OTLP status code.
    pub status: i32,
    /// By step, ascending.
    pub points: Vec<RedPoint>,
}

/// The spans of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedPoint {
    /// Number of the step in the window.
    pub step: u32,
    /// How many spans.
    pub count: u64,
    /// Sum of their durations in ns.
    pub duration_sum: u64,
    /// Their durations.
    pub durations: Durations,
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Callee {
    /// A service that sends spans.
    Service,
    /// A database, by what calls say.
    Database,
    /// A message broker, by what calls say.
    Messaging,
    /// Something else, by what calls say.
    External,
}

impl Callee {
    /// How it is called at rest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "",
            Self::Database => "database",
            Self::Messaging => "messaging",
            Self::External => "external",
        }
    }

    fn of_name(name: &str) -> Self {
        let known = [Self::Database, Self::Messaging, Self::External];
        known.into_iter().find(|callee| callee.name() == name).unwrap_or(Self::Service)
    }
}

/// Calls of one service by another in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Who calls.
    pub caller: String,
    /// Who is called.
    pub callee: String,
    /// What is called.
    pub callee_type: Callee,
    /// OTLP kind number of the callee's spans; of the caller's where the callee sends none.
    pub kind: i32,
    /// How many calls.
    pub calls: u64,
    /// How many of them failed.
    pub errors: u64,
    /// Sum of their durations in ns.
    pub duration_sum: u64,
    /// Their durations.
    pub durations: Durations,
}

/// A span whose parent is not in the partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HalfEdge {
    /// Its trace.
    pub trace_id: [u8; 16],
    /// Its parent.
    pub parent_span_id: [u8; 8],
    /// Its service.
    pub callee: String,
    /// OTLP kind number.
    pub kind: i32,
    /// Whether it failed.
    pub is_error: bool,
    /// Its start, Unix ns.
    pub start: u64,
    /// Its duration in ns.
    pub duration: u64,
}

/// Calls of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edges {
    /// By caller, callee, type and kind.
    pub edges: Vec<Edge>,
    /// Calls whose caller is not in the partition, newest first.
    pub halves: Vec<HalfEdge>,
    /// How many more of these there are, those included that summaries do not hold.
    pub halves_left_out: u64,
}

/// Why spans of an operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The service.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// Exception type or `error.type`; maybe empty.
    pub label: String,
    /// Status or exception message, masked; maybe empty.
    pub text: String,
    /// How many spans.
    pub count: u64,
}

/// A version of a service, and when spans of it were seen, to the minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The service.
    pub service: String,
    /// Its `service.version`.
    pub version: String,
    /// Unix ns.
    pub first_seen: u64,
    /// Unix ns.
    pub last_seen: u64,
}

/// Failures of a window, and versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    /// Most frequent first.
    pub failures: Vec<Failure>,
    /// By service and version.
    pub versions: Vec<Version>,
}

/// Calls `take` for each row of some tables in heads and segments that overlap the minutes.
fn each_row(
    snap: &Snapshot<Traces>,
    tables: &[Table],
    minutes: &Range<u32>,
    services: &[String],
    stop: &Stop,
    cost: &mut Cost,
    take: &mut dyn FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    for segment in &snap.objects {
        if stop.is_stopped() {
            return Err(Error::Stopped);
        }
        let (first, last) = (minute_of(segment.extra.start_min), minute_of(segment.extra.start_max));
        if first >= minutes.end || last < minutes.start {
            continue;
        }
        cost.objects += 1;
        let mut cursor = segment.red.stored.scan(tables, services)?;
        while cursor.advance(cost)? {
            if let Some(row) = cursor.row().filter(|row| tables.contains(&row.key.table)) {
                take(&row)?;
            }
        }
    }
    for head in &snap.heads {
        let summary = head.sums()?;
        for table in tables {
            summary.rows_of(*table).try_for_each(|row| take(&row))?;
        }
    }
    Ok(())
}

/// Sums of spans in steps.
///
/// # Errors
/// A damaged segment, a failed read, or [`Error::Stopped`].
pub fn red(snap: &Snapshot<Traces>, query: &RedQuery, stop: &Stop, cost: &mut Cost) -> Result<Red> {
    let minutes = query.window.minutes();
    let table = if query.by_operation { Table::Operation } else { Table::Service };
    let mut series = Series::default();
    let mut left_out = 0_u64;
    let services = query.services.as_slice();
    each_row(snap, &[table], &minutes, services, stop, cost, &mut |row| {
        let Key { service, kind, minute, .. } = row.key;
        let is_wanted = minutes.contains(&minute)
            && (services.is_empty() || services.iter().any(|wanted| wanted == service))
            && (query.kinds.is_empty() || query.kinds.contains(&kind));
        if !is_wanted {
            return Ok(());
        }
        let step = minute.saturating_sub(minutes.start).checked_div(query.step_minutes).unwrap_or(0);
        series.add(row, step)
    })?;
    each_row(snap, &[Table::LeftOut], &minutes, &[], stop, cost, &mut |row| {
        if row.key.name == "spans" {
            left_out = left_out.saturating_add(row.count);
        }
        Ok(())
    })?;
    Ok(Red { series: series.finish(), left_out })
}

/// Of which service, operation, kind and status.
type SeriesKey = (String, String, i32, i32);

#[derive(Default)]
struct Sum {
    count: u64,
    duration_sum: u64,
    durations: Durations,
}

/// Sums by series and step. Rows come sorted, so those of a step are added up before anything is looked up.
#[derive(Default)]
struct Series {
    sums: HashMap<SeriesKey, BTreeMap<u32, Sum>>,
    current: Option<(SeriesKey, u32)>,
    count: u64,
    duration_sum: u64,
    durations: Dense,
}

impl Series {
    fn add(&mut self, row: &Row<'_>, step: u32) -> Result<()> {
        let Key { service, name, kind, status, .. } = row.key;
        let is_same = self.current.as_ref().is_some_and(|((s, n, k, c), at)| {
            *at == step && *k == kind && *c == status && n == name && s == service
        });
        if !is_same {
            self.settle();
            self.current = Some(((service.to_owned(), name.to_owned(), kind, status), step));
        }
        self.count = self.count.saturating_add(row.count);
        self.duration_sum = self.duration_sum.saturating_add(row.duration_sum);
        self.durations.add_packed(row.durations).map_err(damaged)
    }

    fn settle(&mut self) {
        let Some((key, step)) = self.current.take() else { return };
        let sum = self.sums.entry(key).or_default().entry(step).or_default();
        sum.count = sum.count.saturating_add(std::mem::take(&mut self.count));
        sum.duration_sum = sum.duration_sum.saturating_add(std::mem::take(&mut self.duration_sum));
        self.durations.drain_into(&mut sum.durations);
    }

    fn finish(mut self) -> Vec<RedSeries> {
        self.settle();
        let mut sums: Vec<_> = self.sums.into_iter().collect();
        sums.sort_by(|a, b| a.0.cmp(&b.0));
        let points = |steps: BTreeMap<u32, Sum>| {
            let point = |(step, Sum { count, duration_sum, durations })| RedPoint {
                step,
                count,
                duration_sum,
                durations,
            };
            steps.into_iter().map(point).collect()
        };
        let series = |((service, operation, kind, status), steps)| RedSeries {
            service,
            operation,
            kind,
            status,
            points: points(steps),
        };
        sums.into_iter().map(series).collect()
    }
}

/// Calls between services, those included whose ends lie in different heads and segments of the partition.
///
/// # Errors
/// A damaged segment, a failed read, or [`Error::Stopped`].
pub fn edges(snap: &Snapshot<Traces>, window: Window, stop: &Stop, cost: &mut Cost) -> Result<Edges> {
    let minutes = window.minutes();
    let mut sums: BTreeMap<(String, String, Callee, i32), (u64, Sum)> = BTreeMap::new();
    let mut halves_left_out = 0;
    each_row(snap, &[Table::Edge, Table::LeftOut], &minutes, &[], stop, cost, &mut |row| {
        let Key { table, service, name, label, kind, status, minute, .. } = row.key;
        if table == Table::LeftOut {
            halves_left_out += if name == "halves" { row.count } else { 0 };
            return Ok(());
        }
        if minutes.contains(&minute) {
            let key = (name.to_owned(), service.to_owned(), Callee::of_name(label), kind);
            let (errors, sum) = sums.entry(key).or_default();
            *errors += if status == STATUS_ERROR { row.count } else { 0 };
            sum.count += row.count;
            sum.duration_sum = sum.duration_sum.saturating_add(row.duration_sum);
            sum.durations.merge(&Durations::unpack(row.durations).map_err(damaged)?);
        }
        Ok(())
    })?;
    let mut open = Vec::new();
    for halves in joined(snap, &minutes, stop, cost)? {
        for (half, caller) in halves.iter().filter(|(half, _)| minutes.contains(&minute_of(half.start))) {
            let Some(caller) = caller else {
                open.push(half.clone());
                continue;
            };
            let key = (caller.to_string(), half.service.to_string(), Callee::Service, half.kind);
            let (errors, sum) = sums.entry(key).or_default();
            *errors += u64::from(half.is_error);
            sum.count += 1;
            sum.duration_sum = sum.duration_sum.saturating_add(half.duration);
            sum.durations.add(half.duration);
        }
    }
    open.sort_by_key(|half| std::cmp::Reverse(half.start));
    halves_left_out += open.len().saturating_sub(HALVES_MAX) as u64;
    open.truncate(HALVES_MAX);
    let edge = |((caller, callee, callee_type, kind), (errors, sum)): (_, (u64, Sum))| Edge {
        caller,
        callee,
        callee_type,
        kind,
        calls: sum.count,
        errors,
        duration_sum: sum.duration_sum,
        durations: sum.durations,
    };
    let half = |half: super::rows::Half| HalfEdge {
        trace_id: half.trace_id,
        parent_span_id: half.parent.to_be_bytes(),
        callee: half.service.to_string(),
        kind: half.kind,
        is_error: half.is_error,
        start: half.start,
        duration: half.duration,
    };
    let edges = sums.into_iter().map(edge).collect();
    Ok(Edges { edges, halves: open.into_iter().map(half).collect(), halves_left_out })
}

fn joined(
    snap: &Snapshot<Traces>,
    minutes: &Range<u32>,
    stop: &Stop,
    cost: &mut Cost,
) -> Result<Vec<Halves>> {
    let mut joined = Vec::new();
    for segment in &snap.objects {
        let (first, last) = (minute_of(segment.extra.start_min), minute_of(segment.extra.start_max));
        if first < minutes.end && last >= minutes.start {
            joined.push(segment.red.joined(snap, stop, cost)?);
        }
    }
    for (number, head) in snap.heads.iter().enumerate() {
        joined.push(join::head_joined(snap, number, &head.sums()?.halves, stop, cost)?);
    }
    Ok(joined)
}

/// What failed in a window, and versions in all that is held.
///
/// # Errors
/// A damaged segment, a failed read, or [`Error::Stopped`].
pub fn failures(snap: &Snapshot<Traces>, window: Window, stop: &Stop, cost: &mut Cost) -> Result<Failures> {
    let minutes = window.minutes();
    let mut counts: HashMap<(String, String, String, String), u64> = HashMap::new();
    each_row(snap, &[Table::Failure], &minutes, &[], stop, cost, &mut |row| {
        let Key { service, name, label, text, minute, .. } = row.key;
        if minutes.contains(&minute) {
            let key = (service.to_owned(), name.to_owned(), label.to_owned(), text.to_owned());
            *counts.entry(key).or_default() += row.count;
        }
        Ok(())
    })?;
    let mut versions: BTreeMap<(String, String), (u32, u32)> = BTreeMap::new();
    each_row(snap, &[Table::Version], &(0..u32::MAX), &[], stop, cost, &mut |row| {
        let Key { service, name, minute, .. } = row.key;
        if !name.is_empty() {
            let seen = versions.entry((service.to_owned(), name.to_owned())).or_insert((minute, minute));
            *seen = (seen.0.min(minute), seen.1.max(minute));
        }
        Ok(())
    })?;
    let mut failures: Vec<Failure> = counts
        .into_iter()
        .map(|((service, operation, label, text), count)| Failure { service, operation, label, text, count })
        .collect();
    failures.sort_by(|a, b| {
        let names = |f: &Failure| (f.service.clone(), f.operation.clone(), f.label.clone(), f.text.clone());
        b.count.cmp(&a.count).then_with(|| names(a).cmp(&names(b)))
    });
    let mut of_service: HashMap<String, usize> = HashMap::new();
    failures.retain(|failure| {
        let kept = of_service.entry(failure.service.clone()).or_default();
        *kept += 1;
        *kept <= FAILURES_OF_SERVICE
    });
    let version = |((service, version), (first, last))| Version {
        service,
        version,
        first_seen: u64::from(first) * MINUTE,
        last_seen: u64::from(last) * MINUTE,
    };
    Ok(Failures { failures, versions: versions.into_iter().map(version).collect() })
}

/// Services of single spans, in the order asked; nothing where a span is not here.
///
/// # Errors
/// A damaged segment, or a failed read.
pub fn callers(
    snap: &Snapshot<Traces>,
    spans: &[([u8; 16], u64)],
    cost: &mut Cost,
) -> Result<Vec<Option<String>>> {
    let mut found = Found::new();
    for head in &snap.heads {
        found.extend(services_in(head, spans)?);
    }
    for segment in &snap.objects {
        let missing: Vec<SpanKey> = spans.iter().filter(|span| !found.contains_key(*span)).copied().collect();
        found.extend(segment.services_of(&missing, cost)?);
    }
    Ok(spans.iter().map(|span| found.get(span).map(|(service, _)| service.to_string())).collect())
}
