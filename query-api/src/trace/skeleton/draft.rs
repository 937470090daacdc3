//! Rows as stores sent them, on their way to a skeleton: repaired, told apart, adjusted.
//!
//! Knows: what Jaeger repairs and adjusts, as far as it shows in a row; the order of it, which is part of the result.
//! Must not know: waterfalls. Start at [`Draft::new`], then [`Draft::suspects`], [`Draft::finish`].

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;
use shared_proto::trace_store::v1::SkeletonChunk;

use super::{Note, Origin, ROOT, Row, Skeleton, critical_path, flag, waterfall};
use crate::trace::adjust::clock_skew::{Clock, Hosts, is_within, skews};
use crate::trace::adjust::contents;
use crate::trace::adjust::shared_ids::{Kin, renamed};
use crate::trace::{Trace, attributes, sanitize};
use crate::trace_id::TraceId;

/// Rows whose contents are compared; more are duplicates if all else is equal.
const SUSPECTS_MAX: usize = 20_000;

/// A skeleton in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    id: TraceId,
    raw: bool,
    rows: Vec<Row>,
    /// Host of each row.
    hosts: Vec<u32>,
    notes: Vec<(u32, Note)>,
    services: Vec<String>,
    operations: Vec<String>,
    found: Option<usize>,
    warnings: Vec<String>,
}

/// What is equal in spans that may be duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Facts {
    id: u64,
    parent: u64,
    start: u64,
    end: u64,
    service: String,
    operation: String,
    kind: u8,
    failed: bool,
}

/// Spans that may be duplicates of one another.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    /// Ids to ask for.
    pub(crate) ids: HashSet<u64>,
    /// Rows of the same facts.
    groups: HashMap<Facts, Vec<usize>>,
    /// There are too many to compare their contents.
    too_many: bool,
}

/// Names by their number, in the order of their first use.
#[derive(Debug, Default)]
struct Names {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(known) = self.numbers.get(name) {
            return *known;
        }
        let new = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), new);
        new
    }

    /// The names sorted, and the place of each number among them.
    fn sorted(self) -> (Vec<String>, Vec<u32>) {
        let sorted: BTreeMap<String, usize> = self.names.into_iter().zip(0..).collect();
        let mut places = vec![0; sorted.len()];
        for (place, number) in (0..).zip(sorted.values()) {
            if let Some(at) = places.get_mut(*number) {
                *at = place;
            }
        }
        (sorted.into_keys().collect(), places)
    }
}

/// What was taken from partitions so far.
#[derive(Debug, Default)]
struct Taken {
    rows_max: usize,
    services: Names,
    operations: Names,
    known_hosts: Hosts,
    rows: Vec<Row>,
    /// Host of each row.
    hosts: Vec<u32>,
}

impl Taken {
    /// Takes the chunks of a partition, whose tables go on from chunk to chunk.
    fn part(&mut self, chunks: Vec<SkeletonChunk>) {
        // by ordinal: (service, host) of resources, and operations
        let (mut resources, mut names): (Vec<(u32, u32)>, Vec<u32>) = (Vec::new(), Vec::new());
        for chunk in chunks {
            for resource in &chunk.resources {
                let decoded = ResourceSpans::decode(resource.resource_spans.as_ref()).unwrap_or_default();
                let host = self.known_hosts.number(decoded.resource.as_ref());
                resources.push((self.services.number(&resource.service), host));
            }
            names.extend(chunk.names.iter().map(|name| self.operations.number(name)));
            let ids = chunk.span_ids.iter().zip(&chunk.parent_ids);
            let times = chunk.starts_unix_nano.iter().zip(&chunk.ends_unix_nano);
            let ordinals = chunk.resource.iter().zip(&chunk.name);
            let columns = ids.zip(times).zip(ordinals.zip(chunk.facts.as_ref()));
            let left = self.rows_max.saturating_sub(self.rows.len());
            for (((id, parent), (start, end)), ((resource, name), facts)) in columns.take(left) {
                let (service, host) = item(&resources, *resource);
                self.hosts.push(host);
                self.rows.push(Row {
                    id: *id,
                    parent_id: *parent,
                    start: *start,
                    duration: end.saturating_sub(*start),
                    service,
                    operation: item(&names, *name),
                    flags: *facts,
                    origin: Origin { id: *id, parent: *parent, start: *start },
                    parent: ROOT,
                    depth: 0,
                    descendants: 0,
                    children: 0,
                });
            }
        }
    }
}

fn item<T: Copy + Default>(list: &[T], at: u32) -> T {
    usize::try_from(at).ok().and_then(|at| list.get(at)).copied().unwrap_or_default()
}

impl Draft {
    /// Takes the chunks of each partition, at most `rows_max` rows of all `found`, and repairs times and ids.
    pub(crate) fn new(
        id: TraceId,
        raw: bool,
        parts: Vec<Vec<SkeletonChunk>>,
        rows_max: usize,
        found: usize,
    ) -> Self {
        let mut taken = Taken { rows_max, ..Taken::default() };
        for part in parts {
            taken.part(part);
        }
        let Taken { services, operations, mut rows, hosts, .. } = taken;
        let (services, service_places) = services.sorted();
        let (operations, operation_places) = operations.sorted();
        let mut notes = Vec::new();
        for (at, row) in (0_u32..).zip(&mut rows) {
            row.service = item(&service_places, row.service);
            row.operation = item(&operation_places, row.operation);
            if row.duration == 0 {
                row.duration = 1;
                notes.push((at, Note::Backwards));
            }
        }
        let found = (found > rows.len()).then_some(found);
        let warnings = Vec::new();
        let mut draft = Self { id, raw, rows, hosts, notes, services, operations, found, warnings };
        if !raw {
            draft.separate();
        }
        draft
    }

    fn separate(&mut self) {
        let kin =
            |row: &Row| Kin { id: row.id, parent: row.parent_id, kind: (row.flags & flag::KIND).into() };
        let mut kin: Vec<Kin> = self.rows.iter().map(kin).collect();
        if renamed(&mut kin) {
            for (row, kin) in self.rows.iter_mut().zip(kin) {
                (row.id, row.parent_id) = (kin.id, kin.parent);
            }
        }
    }

    /// Rows that may be duplicates: their contents have to be compared, unless nothing is to be adjusted.
    pub(crate) fn suspects(&self) -> Suspects {
        let mut suspects = Suspects::default();
        if self.raw {
            return suspects;
        }
        let mut first: HashMap<u64, usize> = HashMap::with_capacity(self.rows.len());
        let mut doubled: HashSet<u64> = HashSet::new();
        for (at, row) in self.rows.iter().enumerate() {
            if *first.entry(row.id).or_insert(at) != at {
                doubled.insert(row.id);
            }
        }
        for (at, row) in self.rows.iter().enumerate().filter(|(_, row)| doubled.contains(&row.id)) {
            suspects.groups.entry(self.facts_of(row)).or_default().push(at);
        }
        suspects.groups.retain(|_, rows| rows.len() > 1);
        suspects.ids =
            suspects.groups.values().flatten().filter_map(|at| Some(self.rows.get(*at)?.origin.id)).collect();
        suspects.too_many = suspects.groups.values().map(Vec::len).sum::<usize>() > SUSPECTS_MAX;
        if suspects.too_many {
            suspects.ids.clear();
        }
        suspects
    }

    fn facts_of(&self, row: &Row) -> Facts {
        let name = |names: &[String], at: u32| {
            usize::try_from(at).ok().and_then(|at| names.get(at)).cloned().unwrap_or_default()
        };
        Facts {
            id: row.origin.id,
            parent: row.origin.parent,
            start: row.start,
            end: row.start.saturating_add(row.duration),
            service: name(&self.services, row.service),
            operation: name(&self.operations, row.operation),
            kind: row.flags & flag::KIND,
            failed: row.flags & flag::ERROR != 0,
        }
    }

    /// Leaves one row of each content, corrects clocks, and puts the rows in order. `trace` holds the spans that
    /// [`Suspects::ids`] named, as they are stored.
    pub(crate) fn finish(mut self, suspects: Suspects, trace: Option<Trace>, skew_max: Duration) -> Skeleton {
        let contents = trace.map(contents_of).unwrap_or_default();
        if suspects.too_many {
            let rows: usize = suspects.groups.values().map(Vec::len).sum();
            self.warnings.push(format!(
                "{rows} spans share id, times, names and kind with another: they count as duplicates, their contents were not compared"
            ));
        }
        let mut dropped: HashSet<usize> = HashSet::new();
        for (facts, rows) in suspects.groups {
            let kept = if suspects.too_many {
                1
            } else {
                // contents that could not be read again are no reason to hide a span
                contents.get(&facts).map_or(rows.len(), HashSet::len)
            };
            dropped.extend(rows.into_iter().skip(kept.max(1)));
        }
        if !dropped.is_empty() {
            self.drop_rows(&dropped);
        }
        if !self.raw {
            self.correct(skew_max);
        }
        let mut skeleton = Skeleton {
            id: self.id,
            raw: self.raw,
            services: self.services,
            operations: self.operations,
            rows: self.rows,
            notes: self.notes,
            warnings: self.warnings,
            found: self.found,
        };
        for (at, _) in &skeleton.notes {
            if let Some(row) = usize::try_from(*at).ok().and_then(|at| skeleton.rows.get_mut(at)) {
                row.flags |= flag::WARNINGS;
            }
        }
        waterfall::arrange(&mut skeleton);
        critical_path::mark(&mut skeleton.rows);
        skeleton
    }

    fn drop_rows(&mut self, dropped: &HashSet<usize>) {
        let mut places: Vec<Option<u32>> = Vec::with_capacity(self.rows.len());
        let mut next = 0;
        for at in 0..self.rows.len() {
            places.push((!dropped.contains(&at)).then_some(next));
            next += u32::from(!dropped.contains(&at));
        }
        let keeps = |at: &mut usize| {
            *at += 1;
            !dropped.contains(&(*at - 1))
        };
        let (mut row, mut host) = (0, 0);
        self.rows.retain(|_| keeps(&mut row));
        self.hosts.retain(|_| keeps(&mut host));
        let place = |at: u32| usize::try_from(at).ok().and_then(|at| places.get(at).copied().flatten());
        self.notes = self.notes.iter().filter_map(|(at, note)| Some((place(*at)?, *note))).collect();
    }

    fn correct(&mut self, max: Duration) {
        let clock = |(row, host): (&Row, &u32)| Clock {
            id: row.id,
            parent: row.parent_id,
            start: row.start,
            end: row.start.saturating_add(row.duration),
            host: *host,
        };
        let clocks: Vec<Clock> = self.rows.iter().zip(&self.hosts).map(clock).collect();
        for ((at, row), skew) in (0_u32..).zip(&mut self.rows).zip(skews(&clocks)) {
            if skew.is_duplicate {
                self.notes.push((at, Note::SameId));
            }
            if skew.is_orphan {
                self.notes.push((at, Note::Orphan(row.parent_id)));
            }
            if skew.delta != 0 {
                self.notes.push((at, Note::Skew(skew.delta)));
                if is_within(skew.delta, max) {
                    let end = row.start.saturating_add(row.duration).saturating_add_signed(skew.delta);
                    row.start = row.start.saturating_add_signed(skew.delta);
                    row.duration = end.saturating_sub(row.start);
                }
            }
        }
    }
}

/// The distinct contents of spans, by what rows know of them.
fn contents_of(mut trace: Trace) -> HashMap<Facts, HashSet<u128>> {
    let hashes = {
        let mut unrepaired = trace.clone();
        contents(&mut unrepaired)
    };
    sanitize::sanitize(&mut trace);
    let mut found: HashMap<Facts, HashSet<u128>> = HashMap::new();
    let mut hashes = hashes.into_iter();
    for resource in &trace.resources {
        let list = resource.resource.as_ref().map(|r| r.attributes.as_slice()).unwrap_or_default();
        let service = attributes::text(list, sanitize::SERVICE_NAME).unwrap_or_default();
        for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
            let Some(hash) = hashes.next() else { return found };
            found.entry(facts_of_span(span, service)).or_default().insert(hash);
        }
    }
    found
}

fn facts_of_span(span: &Span, service: &str) -> Facts {
    let id = |bytes: &[u8]| <[u8; 8]>::try_from(bytes).map_or(0, u64::from_be_bytes);
    Facts {
        id: id(&span.span_id),
        parent: id(&span.parent_span_id),
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
        service: service.to_owned(),
        operation: span.name.clone(),
        kind: u8::try_from(span.kind).ok().filter(|kind| *kind <= 5).unwrap_or(0),
        failed: span.status.as_ref().is_some_and(|status| status.code == 2),
    }
}
