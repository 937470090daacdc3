//! Adding up the sums of segments that become one.
//!
//! Knows: how rows of the inputs are added, what a span that two inputs have changes, and that half edges find their
//! other ends. Must not know: columns of spans. Memory is bounded: rows of the inputs stream by, in order.
//!
//! A span that several inputs have was counted in each, as was its call. It is left out of the segment, and taken away
//! here: its operation's sum at once, its call when its trace is whole, where the caller is known. So the sums are those
//! of the spans that are left, exactly, but for reasons of failures, whose texts a merge does not read.

use std::cmp::{Ordering, Reverse};
use std::collections::VecDeque;
use std::sync::Arc;

use runtime_engine::{Error, Result};
use shared_proto::durations::{Dense, NotPacked};

use super::count::{Count, keep_nearest};
use super::id_of;
use super::part::{Cursor, PartWriter};
use super::rows::{Half, Key, Row, Summary, Table};
use super::trace::Links;
use crate::Cost;
use crate::names::MISSING_SERVICE;
use crate::segment::{Outline, Segment, TablesBuilder};

const SUMS: [Table; 6] =
    [Table::Service, Table::Operation, Table::Edge, Table::Failure, Table::Version, Table::LeftOut];

/// A half edge that waits for its trace to be whole: one more, or one that was counted twice.
#[derive(Debug)]
struct Pending {
    half: Half,
    is_repeated: bool,
}

/// Sums of a merge under way.
pub(crate) struct Merge {
    inputs: Vec<Arc<Segment>>,
    /// Halves of the inputs, greatest trace id first: the next ones are at the end.
    halves: Vec<Half>,
    trace_id: [u8; 16],
    links: Links,
    /// Resources of the spans of the trace at hand.
    resources: Vec<u32>,
    pending: Vec<Pending>,
    left: Vec<Half>,
    more: Count,
    less: Count,
    spans: u64,
    starts: Option<(u64, u64)>,
    /// Spans that were left out, by trace id: they are known before the spans of their trace.
    repeats: VecDeque<Repeat>,
}

/// A span that was left out.
#[derive(Debug)]
struct Repeat {
    trace_id: [u8; 16],
    parent: Option<u64>,
    resource: u32,
    name: Box<str>,
    kind: i32,
    status: i32,
    start: u64,
    end: u64,
}

impl Merge {
    /// Reads the half edges of the inputs.
    ///
    /// # Errors
    /// A damaged input, a failed read.
    pub(crate) fn new(inputs: &[Arc<Segment>]) -> Result<Self> {
        let mut halves = Vec::new();
        for input in inputs {
            halves.extend(input.red.halves(&mut Cost::default())?);
        }
        halves.sort_by_key(|half: &Half| Reverse(half.trace_id));
        Ok(Self {
            inputs: inputs.to_vec(),
            halves,
            trace_id: [0; 16],
            links: Links::default(),
            resources: Vec::new(),
            pending: Vec::new(),
            left: Vec::new(),
            more: Count::default(),
            less: Count::default(),
            spans: 0,
            starts: None,
            repeats: VecDeque::new(),
        })
    }

    /// A span that stays.
    pub(crate) fn span(&mut self, span: &Outline<'_>, tables: &TablesBuilder) {
        if self.trace_id != span.trace_id {
            self.close(tables);
            self.trace_id = span.trace_id;
        }
        self.links.push(id_of(span.span_id).unwrap_or(0), span.kind);
        self.resources.push(span.resource);
        self.spans += 1;
        let (first, last) = self.starts.get_or_insert((span.start, span.start));
        (*first, *last) = ((*first).min(span.start), (*last).max(span.start));
    }

    /// A span that is left out: the very same one stays.
    pub(crate) fn repeated(&mut self, span: &Outline<'_>) {
        self.repeats.push_back(Repeat {
            trace_id: span.trace_id,
            parent: id_of(span.parent_span_id),
            resource: span.resource,
            name: span.name.into(),
            kind: span.kind,
            status: span.status,
            start: span.start,
            end: span.end,
        });
    }

    /// Takes a span away that was counted once more than it is there.
    fn take_away(&mut self, repeat: &Repeat, service: Arc<str>) {
        let span = Outline {
            trace_id: repeat.trace_id,
            span_id: &[],
            parent_span_id: &[],
            start: repeat.start,
            end: repeat.end,
            name: &repeat.name,
            kind: repeat.kind,
            status: repeat.status,
            resource: repeat.resource,
            message: None,
        };
        self.less.operation(&span, &service);
        if let Some(parent) = repeat.parent {
            let half = Half {
                trace_id: repeat.trace_id,
                parent,
                service,
                kind: span.known_kind(),
                is_error: span.is_error(),
                start: span.start,
                duration: span.duration(),
            };
            self.pending.push(Pending { half, is_repeated: true });
        }
    }

    /// Joins the halves of the trace at hand.
    fn close(&mut self, tables: &TablesBuilder) {
        let service =
            |resource: u32| tables.service(resource).map_or_else(|| MISSING_SERVICE.into(), Arc::clone);
        while let Some(half) = self.halves.pop_if(|half| half.trace_id <= self.trace_id) {
            self.pending.push(Pending { half, is_repeated: false });
        }
        while let Some(repeat) = self.repeats.pop_front_if(|repeat| repeat.trace_id <= self.trace_id) {
            self.take_away(&repeat, service(repeat.resource));
        }
        if !self.pending.is_empty() {
            self.links.sort();
        }
        for Pending { half, is_repeated } in self.pending.drain(..) {
            let is_here = half.trace_id == self.trace_id;
            let caller =
                self.links.find(half.parent).filter(|_| is_here).and_then(|at| self.resources.get(at));
            match (caller, is_repeated) {
                (Some(caller), _) => {
                    let count = if is_repeated { &mut self.less } else { &mut self.more };
                    let (callee, caller) = (count.service(&half.service), count.service(&service(*caller)));
                    count.edge(callee, caller, half.kind, half.is_error, half.start, half.duration);
                }
                (None, false) => self.left.push(half),
                (None, true) => {
                    // halves of a trace are pushed before those that were counted twice
                    if let Some(at) = self.left.iter().rposition(|left| *left == half) {
                        self.left.swap_remove(at);
                    }
                }
            }
        }
        self.links.clear();
        self.resources.clear();
    }

    /// Writes all rows.
    ///
    /// # Errors
    /// The sink's; a damaged input.
    pub(crate) fn finish(mut self, tables: &TablesBuilder, out: &mut PartWriter) -> Result<()> {
        self.close(tables);
        self.left.append(&mut self.halves);
        let (first, last) = self.starts.unwrap_or_default();
        let lost = keep_nearest(&mut self.left, self.spans, first, last);
        self.more.leave_out_halves(lost, last);
        let (more, less) = (self.more.finish(), self.less.finish());
        let mut sources = Vec::new();
        for input in &self.inputs {
            let mut cursor = input.red.stored.scan(&SUMS, &[])?;
            if cursor.advance(&mut Cost::default())? {
                sources.push(Source::Stored(Box::new(cursor)));
            }
        }
        sources.push(Source::Held { of: &more, at: 0, is_less: false });
        sources.push(Source::Held { of: &less, at: 0, is_less: true });
        add_up(sources, out)?;
        self.left.iter().try_for_each(|half| out.half(half))
    }
}

/// Where rows come from.
enum Source<'s> {
    Stored(Box<Cursor<'s>>),
    Held { of: &'s Summary, at: usize, is_less: bool },
}

impl Source<'_> {
    fn row(&self) -> Option<Row<'_>> {
        match self {
            Self::Stored(cursor) => cursor.row().filter(|row| row.key.table != Table::Half),
            Self::Held { of, at, .. } => of.row(*at),
        }
    }

    fn advance(&mut self) -> Result<()> {
        match self {
            Self::Stored(cursor) => cursor.advance(&mut Cost::default()).map(|_| ()),
            Self::Held { at, .. } => {
                *at += 1;
                Ok(())
            }
        }
    }
}

/// Merges sorted rows; rows of the same key become one.
fn add_up(sources: Vec<Source<'_>>, out: &mut PartWriter) -> Result<()> {
    let mut sources: Vec<Source<'_>> = sources.into_iter().filter(|source| source.row().is_some()).collect();
    // the least key is at the end
    sources.sort_by(|a, b| greater_first(a, b));
    let mut sum = Dense::default();
    let mut packed = Vec::new();
    let mut same: Vec<Source<'_>> = Vec::new();
    while let Some(least) = sources.pop() {
        same.push(least);
        while let Some(next) =
            sources.pop_if(|next| same.first().is_some_and(|least| key(least) == key(next)))
        {
            same.push(next);
        }
        let (mut count, mut duration_sum) = (0_u64, 0_u64);
        for source in &same {
            let Some(row) = source.row() else { continue };
            if matches!(source, Source::Held { is_less: true, .. }) {
                count = count.saturating_sub(row.count);
                duration_sum = duration_sum.saturating_sub(row.duration_sum);
                sum.remove_packed(row.durations).map_err(damaged)?;
            } else {
                count = count.saturating_add(row.count);
                duration_sum = duration_sum.saturating_add(row.duration_sum);
                sum.add_packed(row.durations).map_err(damaged)?;
            }
        }
        packed.clear();
        sum.pack_out(&mut packed);
        if let Some(key) = same.first().and_then(key)
            && count > 0
        {
            out.row(&Row { key, count, duration_sum, durations: &packed })?;
        }
        for mut source in same.drain(..) {
            source.advance()?;
            if source.row().is_some() {
                let at = sources.partition_point(|other| greater_first(other, &source) == Ordering::Less);
                sources.insert(at, source);
            }
        }
    }
    Ok(())
}

fn key<'a>(source: &'a Source<'_>) -> Option<Key<'a>> {
    source.row().map(|row| row.key)
}

/// What is taken away comes after what it is taken from: it is popped first otherwise.
fn greater_first(a: &Source<'_>, b: &Source<'_>) -> Ordering {
    let is_less = |source: &Source<'_>| matches!(source, Source::Held { is_less: true, .. });
    key(b).cmp(&key(a)).then_with(|| is_less(b).cmp(&is_less(a)))
}

pub(super) fn damaged(e: NotPacked) -> Error {
    Error::corrupt("segment red", e.to_string())
}
