//! Counting spans: of a head when it is asked, and of a segment when it is flushed.
//!
//! Knows: what a span adds to which sum, and how many sums there may be. Must not know: how sums are kept at rest. Spans
//! come by trace, each once. Start at [`Count::span`].

use std::collections::HashMap;
use std::sync::Arc;

use runtime_engine::{Error, Result};
use shared_proto::otlp::view::AnyValueView;

use super::cells::{Cell, Cells, Ordinals, Place};
use super::failure::Why;
use super::query::Callee;
use super::rows::{Half, Held, HeldKey, Summary, Table};
use super::trace::{CLIENT, Links, PRODUCER};
use super::{callee, id_of, minute_of};
use crate::Malformed;
use crate::names::{STATUS_ERROR, operation_of};
use crate::segment::Outline;
use crate::tables::{Resource, with_resource};

/// Distinct (service, operation, kind) of a head or segment; more are counted as `(other operations)`.
pub(crate) const OPERATIONS_MAX: usize = 4096;
/// Distinct services; more are counted as `(other services)`.
const SERVICES_MAX: usize = 1024;
/// Sums of one table: spans beyond them are left out, and that is counted. Clocks that run wild make so many.
const CELLS_MAX: usize = 131_072;
/// Distinct reasons of failures; more are counted without type and text.
const REASONS_MAX: usize = 2048;
/// Distinct callees that send no spans; more are counted as `(others)`.
const CALLEES_MAX: usize = 1024;
/// Distinct versions of services; more are not noted.
const VERSIONS_MAX: usize = 1024;
/// Reasons kept of each operation and minute: the most frequent.
const TOP_REASONS: usize = 8;
/// One span in so many may be half an edge, or this many in all.
const HALVES_ONE_IN: u64 = 64;
const HALVES_FLOOR: usize = 1024;
const HALVES_CEILING: usize = 16_384;
/// A call counts as one to the outside when its trace had so long to show otherwise.
const ANSWER_WITHIN: u64 = 10_000_000_000;

pub(super) const OTHER_SERVICES: &str = "(other services)";
const OTHER_OPERATIONS: &str = "(other operations)";
const OTHER_CALLEES: &str = "(others)";

/// Status of an edge: failed or not.
pub(super) fn edge_status(is_error: bool) -> i32 {
    if is_error { STATUS_ERROR } else { 0 }
}

/// Texts by ordinal.
#[derive(Debug, Default)]
pub(super) struct Names {
    texts: Vec<Arc<str>>,
    known: HashMap<Arc<str>, u32>,
}

impl Names {
    pub(super) fn of(&mut self, text: &str) -> u32 {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let new = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.known.insert(text, new);
        new
    }

    fn get(&self, name: u32) -> Arc<str> {
        self.texts.get(name as usize).map_or_else(|| "".into(), Arc::clone)
    }
}

/// Four names and a kind: what the rows of all tables are told apart by, besides status and minute.
type What = (u32, u32, u32, u32, i32);

/// How often a reason was met in a minute.
type Counted = (What, Place, u64);

/// The rows of one table.
#[derive(Debug, Default)]
struct Sums {
    what: Ordinals<What>,
    cells: Cells,
}

/// A span of the trace at hand.
#[derive(Debug)]
struct Open {
    parent: Option<u64>,
    service: u32,
    kind: i32,
    is_error: bool,
    start: u64,
    duration: u64,
    /// What it calls, by its own words: type and name.
    callee: Option<(u32, u32)>,
    is_answered: bool,
}

/// A call to the outside, if nothing shows otherwise.
#[derive(Debug)]
struct Outward {
    what: What,
    place: Place,
    start: u64,
    duration: u64,
}

/// Sums while spans come.
#[derive(Debug, Default)]
pub(crate) struct Count {
    names: Names,
    services: Ordinals<u32>,
    operations: Sums,
    edges: Sums,
    failures: Sums,
    versions: Sums,
    /// Names of service and version, by the ordinal of the resource.
    resources: Vec<Option<(u32, u32)>>,
    /// Ordinals among `operations`, by the ordinal of the operation in the tables.
    series: Vec<Option<u32>>,
    trace_id: [u8; 16],
    links: Links,
    open: Vec<Open>,
    halves: Vec<Half>,
    outward: Vec<Outward>,
    spans: u64,
    starts: Option<(u64, u64)>,
    left_out: u64,
    halves_left_out: u64,
}

impl Count {
    /// Counts a span; `operation` stands for its service, name and kind.
    ///
    /// # Errors
    /// When attributes or events of it, or of its resource, cannot be read.
    pub(crate) fn span(&mut self, span: &Outline<'_>, resource: &Resource, operation: u32) -> Result<()> {
        if self.trace_id != span.trace_id {
            self.close();
            self.trace_id = span.trace_id;
        }
        let (service, version) = self.resource(span.resource, resource)?;
        let series = self.series(operation, service, span);
        let (minute, status) = (minute_of(span.start), span.known_status());
        match self.operations.cells.get(Place { ordinal: series, status, minute }, CELLS_MAX) {
            Some(cell) => cell.add(span.duration()),
            None => self.left_out += 1,
        }
        if let Some(cell) = self.versions.cells.get(Place { ordinal: version, status: 0, minute }, CELLS_MAX)
        {
            cell.count += 1;
        }
        self.spans += 1;
        let (first, last) = self.starts.get_or_insert((span.start, span.start));
        (*first, *last) = ((*first).min(span.start), (*last).max(span.start));
        if span.is_error() {
            self.failure(span, series, minute)?;
        }
        self.open(span, service)
    }

    fn resource(&mut self, ordinal: u32, resource: &Resource) -> Result<(u32, u32)> {
        let at = ordinal as usize;
        if let Some(Some(known)) = self.resources.get(at) {
            return Ok(*known);
        }
        let service = self.service(&resource.service);
        let mut version = None;
        with_resource(&resource.otlp, &mut |view| {
            let Some(resource) = view.resource()? else { return Ok(()) };
            for attribute in resource.attributes() {
                let attribute = attribute?;
                if let ("service.version", AnyValueView::Str(text)) = (attribute.key, attribute.value) {
                    version = Some(self.names.of(text));
                }
            }
            Ok(())
        })?;
        let none = self.names.of("");
        let what = (service, version.unwrap_or(none), none, none, 0);
        let (version, _) = self.versions.what.of(what, VERSIONS_MAX, (none, none, none, none, 0));
        if self.resources.len() <= at {
            self.resources.resize(at + 1, None);
        }
        if let Some(slot) = self.resources.get_mut(at) {
            *slot = Some((service, version));
        }
        Ok((service, version))
    }

    /// The name of a service, as long as there are not too many.
    pub(super) fn service(&mut self, service: &str) -> u32 {
        let (name, other) = (self.names.of(service), self.names.of(OTHER_SERVICES));
        let (at, _) = self.services.of(name, SERVICES_MAX, other);
        self.services.get(at).unwrap_or(other)
    }

    fn series(&mut self, operation: u32, service: u32, span: &Outline<'_>) -> u32 {
        let at = operation as usize;
        if let Some(Some(known)) = self.series.get(at) {
            return *known;
        }
        let new = self.series_of(service, span);
        if self.series.len() <= at {
            self.series.resize(at + 1, None);
        }
        if let Some(slot) = self.series.get_mut(at) {
            *slot = Some(new);
        }
        new
    }

    fn series_of(&mut self, service: u32, span: &Outline<'_>) -> u32 {
        let none = self.names.of("");
        let name = self.names.of(operation_of(span.name));
        let other = self.names.of(OTHER_OPERATIONS);
        let kind = span.known_kind();
        // one series of the others per service and kind comes on top: services are few
        let (at, is_own) = self.operations.what.of(
            (service, name, none, none, kind),
            OPERATIONS_MAX,
            (service, other, none, none, kind),
        );
        if !is_own {
            self.left_out += 1;
        }
        at
    }

    fn failure(&mut self, span: &Outline<'_>, series: u32, minute: u32) -> Result<()> {
        let Some(message) = span.message else { return Ok(()) };
        let why = Why::of(message).map_err(unreadable)?;
        let Some((service, name, none, _, _)) = self.operations.what.get(series) else { return Ok(()) };
        let (label, text) = (self.names.of(&why.label), self.names.of(&why.text));
        let other = (service, name, none, none, 0);
        let (at, _) = self.failures.what.of((service, name, label, text, 0), REASONS_MAX, other);
        if let Some(cell) = self.failures.cells.get(Place { ordinal: at, status: 0, minute }, CELLS_MAX) {
            cell.count += 1;
        }
        Ok(())
    }

    fn open(&mut self, span: &Outline<'_>, service: u32) -> Result<()> {
        let kind = span.known_kind();
        let callee = match span.message {
            Some(message) if matches!(kind, CLIENT | PRODUCER) => {
                let said = callee::named_by(message).map_err(unreadable)?;
                said.map(|(callee, name)| (self.names.of(callee.name()), self.names.of(&name)))
            }
            _ => None,
        };
        self.links.push(id_of(span.span_id).unwrap_or(0), kind);
        self.open.push(Open {
            parent: id_of(span.parent_span_id),
            service,
            kind,
            is_error: span.is_error(),
            start: span.start,
            duration: span.duration(),
            callee,
            is_answered: false,
        });
        Ok(())
    }

    /// Counts the calls of the trace at hand.
    fn close(&mut self) {
        self.links.sort();
        let mut open = std::mem::take(&mut self.open);
        for at in 0..open.len() {
            let Some(span) = open.get(at) else { continue };
            let Some(parent) = span.parent else { continue };
            let (service, kind, is_error) = (span.service, span.kind, span.is_error);
            let (start, duration) = (span.start, span.duration);
            match self.links.find(parent).and_then(|caller| open.get_mut(caller)) {
                Some(caller) => {
                    caller.is_answered = true;
                    let caller = caller.service;
                    self.edge(service, caller, kind, is_error, start, duration);
                }
                None => self.halves.push(Half {
                    trace_id: self.trace_id,
                    parent,
                    service: self.names.get(service),
                    kind,
                    is_error,
                    start,
                    duration,
                }),
            }
        }
        for span in open.iter().filter(|span| !span.is_answered) {
            self.outward(span);
        }
        open.clear();
        self.open = open;
        self.links.clear();
    }

    fn outward(&mut self, span: &Open) {
        let Some((callee, name)) = span.callee else { return };
        let none = self.names.of("");
        let what = (name, span.service, callee, none, span.kind);
        let place = Place { ordinal: 0, status: edge_status(span.is_error), minute: minute_of(span.start) };
        let outward = Outward { what, place, start: span.start, duration: span.duration };
        if *self.names.get(callee) == *Callee::External.name() {
            self.outward.push(outward);
        } else {
            self.count_outward(&outward);
        }
    }

    fn count_outward(&mut self, outward: &Outward) {
        let other = self.names.of(OTHER_CALLEES);
        let (_, caller, callee, none, kind) = outward.what;
        let (ordinal, _) = self.edges.what.of(outward.what, CALLEES_MAX, (other, caller, callee, none, kind));
        if let Some(cell) = self.edges.cells.get(Place { ordinal, ..outward.place }, CELLS_MAX) {
            cell.add(outward.duration);
        }
    }

    /// Counts a call of a service by a service.
    pub(super) fn edge(
        &mut self,
        service: u32,
        caller: u32,
        kind: i32,
        is_error: bool,
        start: u64,
        duration: u64,
    ) {
        let none = self.names.of("");
        // services are bounded, and so are their pairs
        let what = (service, caller, none, none, kind);
        let (ordinal, _) = self.edges.what.of(what, usize::MAX, what);
        let place = Place { ordinal, status: edge_status(is_error), minute: minute_of(start) };
        match self.edges.cells.get(place, CELLS_MAX) {
            Some(cell) => cell.add(duration),
            None => self.left_out += 1,
        }
    }

    /// Counts a span of an operation, and nothing else of it.
    pub(super) fn operation(&mut self, span: &Outline<'_>, service: &str) {
        let service = self.service(service);
        let ordinal = self.series_of(service, span);
        let place = Place { ordinal, status: span.known_status(), minute: minute_of(span.start) };
        if let Some(cell) = self.operations.cells.get(place, CELLS_MAX) {
            cell.add(span.duration());
        }
    }

    /// Notes that half edges were dropped, of which the last started then.
    pub(super) fn leave_out_halves(&mut self, dropped: u64, last: u64) {
        self.halves_left_out += dropped;
        self.starts.get_or_insert((last, last));
    }

    /// All sums.
    pub(crate) fn finish(mut self) -> Summary {
        self.close();
        let (first, last) = self.starts.unwrap_or_default();
        for outward in std::mem::take(&mut self.outward) {
            if outward.start.saturating_add(ANSWER_WITHIN) <= last {
                self.count_outward(&outward);
            }
        }
        let halves_left_out = self.halves_left_out + keep_nearest(&mut self.halves, self.spans, first, last);
        let none = self.names.of("");
        let mut rows = Rows::default();
        for (table, sums) in [
            (Table::Operation, &self.operations),
            (Table::Edge, &self.edges),
            (Table::Version, &self.versions),
        ] {
            for (place, cell) in sums.cells.iter() {
                if let Some(what) = sums.what.get(place.ordinal) {
                    rows.push(table, what, place, cell);
                }
            }
        }
        for ((service, kind, status, minute), cell) in self.by_service() {
            let what = (service, none, none, none, kind);
            rows.push(Table::Service, what, Place { ordinal: 0, status, minute }, &cell);
        }
        for (what, place, count) in self.top_reasons(none) {
            let cell = Cell { count, ..Cell::default() };
            rows.push(Table::Failure, what, place, &cell);
        }
        for (name, count) in [("spans", self.left_out), ("halves", halves_left_out)] {
            if count > 0 {
                let what = (none, self.names.of(name), none, none, 0);
                let place = Place { ordinal: 0, status: 0, minute: minute_of(last) };
                rows.push(Table::LeftOut, what, place, &Cell { count, ..Cell::default() });
            }
        }
        Summary::new(&self.names.texts, rows.rows, rows.packed, self.halves)
    }

    fn by_service(&self) -> HashMap<(u32, i32, i32, u32), Cell> {
        let mut services: HashMap<_, Cell> = HashMap::new();
        for (place, cell) in self.operations.cells.iter() {
            if let Some((service, _, _, _, kind)) = self.operations.what.get(place.ordinal) {
                services.entry((service, kind, place.status, place.minute)).or_default().merge(cell);
            }
        }
        services
    }

    /// Of each operation and minute the most frequent reasons, the rest as one.
    fn top_reasons(&self, none: u32) -> Vec<Counted> {
        let mut groups: HashMap<(u32, u32, u32), Vec<Counted>> = HashMap::new();
        for (place, cell) in self.failures.cells.iter() {
            if let Some(what) = self.failures.what.get(place.ordinal) {
                groups.entry((what.0, what.1, place.minute)).or_default().push((what, place, cell.count));
            }
        }
        let mut top = Vec::new();
        for ((service, name, _), mut reasons) in groups {
            reasons.sort_by_key(|(what, _, count)| (std::cmp::Reverse(*count), *what));
            let rest = reasons.split_off(reasons.len().min(TOP_REASONS));
            if let Some((_, place, _)) = rest.first() {
                let count = rest.iter().map(|(_, _, count)| count).sum();
                let other = (service, name, none, none, 0);
                match reasons.iter_mut().find(|(what, _, _)| *what == other) {
                    Some((_, _, counted)) => *counted += count,
                    None => reasons.push((other, *place, count)),
                }
            }
            top.extend(reasons);
        }
        top
    }
}

#[derive(Default)]
struct Rows {
    rows: Vec<Held>,
    packed: Vec<u8>,
}

impl Rows {
    fn push(&mut self, table: Table, what: What, place: Place, cell: &Cell) {
        let (service, name, label, text, kind) = what;
        let from = self.packed.len();
        cell.durations.pack(&mut self.packed);
        let Place { status, minute, .. } = place;
        self.rows.push(Held {
            key: HeldKey { table, service, name, label, text, kind, status, minute },
            count: cell.count,
            duration_sum: cell.duration_sum,
            durations: from..self.packed.len(),
        });
    }
}

/// Keeps as many halves as are worth it: those near the first and the last start, for their other ends lie in what
/// comes before and after. Says how many it dropped.
pub(super) fn keep_nearest(halves: &mut Vec<Half>, spans: u64, first: u64, last: u64) -> u64 {
    let share = usize::try_from(spans / HALVES_ONE_IN).unwrap_or(HALVES_CEILING);
    let max = share.clamp(HALVES_FLOOR, HALVES_CEILING);
    if halves.len() <= max {
        return 0;
    }
    halves.sort_by_key(|half| half.start.saturating_sub(first).min(last.saturating_sub(half.start)));
    let dropped = halves.len() - max;
    halves.truncate(max);
    dropped as u64
}

fn unreadable(e: Malformed) -> Error {
    Error::corrupt("span", e.to_string())
}
