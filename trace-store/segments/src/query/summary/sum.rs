//! Adding up: one span after the other, in any order.
//!
//! Knows: numbers, and which span is the earliest of its sort. Must not know: where spans come from.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{ErrorSpan, MATCHED_MAX, RootSpan, ServiceCount, Summary};
use crate::names::{STATUS_ERROR, operation_of};
use crate::query::scan::Match;

/// Spans whose parents are looked for in one answer: 40 bytes each.
const KIN_MAX: usize = 4_000_000;

/// Start and id of a span: which of several is the earliest.
type At = (u64, [u8; 8]);

/// One span of a trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    /// Zeroes when there is none.
    pub(super) parent_id: [u8; 8],
    pub(super) start: u64,
    /// Not before `start`.
    pub(super) end: u64,
    pub(super) service: &'a Arc<str>,
    /// The span name as it came.
    pub(super) name: &'a str,
    pub(super) status: i32,
    pub(super) status_message: &'a str,
}

/// A span that is the earliest of its sort so far.
#[derive(Debug)]
struct Earliest {
    at: At,
    service: Arc<str>,
    name: Box<str>,
    text: Box<str>,
}

/// A span that has a parent, somewhere.
#[derive(Debug, Clone, Copy)]
struct Child {
    parent_id: [u8; 8],
    at: At,
    /// Ordinals in the tables of [`Sums`].
    service: usize,
    name: usize,
}

/// The sums of one trace.
#[derive(Debug, Default)]
struct Sum {
    start: Option<u64>,
    end: u64,
    spans: u32,
    errors: u32,
    services: BTreeMap<Arc<str>, (u32, u32)>,
    root: Option<Earliest>,
    error: Option<Earliest>,
    span_ids: Vec<[u8; 8]>,
    children: Vec<Child>,
    matched: Vec<At>,
    matched_newest: u64,
}

/// Texts by ordinal.
#[derive(Debug, Default)]
struct Texts {
    ordinals: HashMap<Arc<str>, usize>,
    texts: Vec<Arc<str>>,
}

/// The sums of all traces asked for.
#[derive(Debug)]
pub(super) struct Sums {
    traces: HashMap<[u8; 16], Sum>,
    services: Texts,
    names: Texts,
    kin: usize,
}

/// A failed span that says nothing about its failure but maybe in an event.
pub(super) struct Unexplained {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
}

impl Texts {
    fn ordinal(&mut self, text: &str) -> usize {
        if let Some(known) = self.ordinals.get(text) {
            return *known;
        }
        let (new, text) = (self.texts.len(), Arc::<str>::from(text));
        self.texts.push(Arc::clone(&text));
        self.ordinals.insert(text, new);
        new
    }

    fn text(&self, ordinal: usize) -> Arc<str> {
        self.texts.get(ordinal).cloned().unwrap_or_default()
    }
}

impl Sums {
    pub(super) fn new(ids: &[[u8; 16]]) -> Self {
        let traces = ids.iter().map(|id| (*id, Sum::default())).collect();
        Self { traces, services: Texts::default(), names: Texts::default(), kin: 0 }
    }

    /// Adds a span of a trace that was asked for.
    pub(super) fn add(&mut self, line: &Line<'_>) {
        let Some(sum) = self.traces.get_mut(&line.trace_id) else { return };
        sum.add(line);
        self.kin += 1;
        if self.kin > KIN_MAX {
            return;
        }
        sum.span_ids.push(line.span_id);
        if line.parent_id != [0; 8] {
            let (service, name) = (self.services.ordinal(line.service), self.names.ordinal(line.name));
            let at = (line.start, line.span_id);
            sum.children.push(Child { parent_id: line.parent_id, at, service, name });
        }
    }

    /// Notes a span that matches.
    pub(super) fn matched(&mut self, found: Match) {
        let Some(sum) = self.traces.get_mut(&found.trace_id) else { return };
        sum.matched_newest = sum.matched_newest.max(found.start);
        let at = (found.start, found.span_id);
        // a span that was sent twice is named once
        if let Err(place) = sum.matched.binary_search(&at) {
            sum.matched.insert(place, at);
            sum.matched.truncate(MATCHED_MAX);
        }
    }

    /// The first failures whose status has no message.
    pub(super) fn unexplained(&self) -> Vec<Unexplained> {
        let errors = self.traces.iter().filter_map(|(trace_id, sum)| Some((*trace_id, sum.error.as_ref()?)));
        errors
            .filter(|(_, error)| error.text.is_empty())
            .map(|(trace_id, error)| Unexplained { trace_id, span_id: error.at.1 })
            .collect()
    }

    /// What an event says about a failure.
    pub(super) fn explain(&mut self, trace_id: &[u8; 16], span_id: &[u8; 8], text: &str) {
        let error = self.traces.get_mut(trace_id).and_then(|sum| sum.error.as_mut());
        if let Some(error) = error.filter(|error| error.at.1 == *span_id && error.text.is_empty()) {
            error.text = text.into();
        }
    }

    /// The summaries of traces that have a span, by id, and whether orphans could be counted.
    pub(super) fn finish(self) -> (Vec<Summary>, bool) {
        let Self { traces, services, names, kin } = self;
        let is_counted = kin <= KIN_MAX;
        let of = |(trace_id, mut sum): ([u8; 16], Sum)| {
            if !is_counted {
                sum.children.clear();
            }
            sum.finish(trace_id, &services, &names)
        };
        let mut summaries: Vec<Summary> = traces.into_iter().filter_map(of).collect();
        summaries.sort_unstable_by_key(|summary| summary.trace_id);
        (summaries, is_counted)
    }
}

impl Sum {
    fn add(&mut self, line: &Line<'_>) {
        let failed = u32::from(line.status == STATUS_ERROR);
        self.start = Some(self.start.map_or(line.start, |start| start.min(line.start)));
        self.end = self.end.max(line.end);
        self.spans = self.spans.saturating_add(1);
        self.errors = self.errors.saturating_add(failed);
        let service = match self.services.get_mut(line.service) {
            Some(service) => service,
            None => self.services.entry(Arc::clone(line.service)).or_default(),
        };
        *service = (service.0.saturating_add(1), service.1.saturating_add(failed));
        if line.parent_id == [0; 8] {
            keep_earliest(&mut self.root, line, "");
        }
        if failed == 1 {
            keep_earliest(&mut self.error, line, line.status_message);
        }
    }

    fn finish(mut self, trace_id: [u8; 16], services: &Texts, names: &Texts) -> Option<Summary> {
        let start = self.start?;
        self.span_ids.sort_unstable();
        self.children.retain(|child| self.span_ids.binary_search(&child.parent_id).is_err());
        let orphan = self.children.iter().min_by_key(|child| child.at).map(|child| RootSpan {
            service: services.text(child.service),
            operation: operation_of(&names.text(child.name)).to_owned(),
            start: child.at.0,
        });
        let services = self.services.into_iter();
        Some(Summary {
            trace_id,
            start,
            end: self.end,
            root: self.root.map(|root| RootSpan {
                operation: operation_of(&root.name).to_owned(),
                service: root.service,
                start: root.at.0,
            }),
            orphan,
            spans: self.spans,
            errors: self.errors,
            orphans: u32::try_from(self.children.len()).unwrap_or(u32::MAX),
            services: services
                .map(|(service, (spans, errors))| ServiceCount { service, spans, errors })
                .collect(),
            error: self.error.map(|error| ErrorSpan {
                text: error.text.into(),
                operation: operation_of(&error.name).to_owned(),
                service: error.service,
                start: error.at.0,
            }),
            matched_oldest: self.matched.first().map_or(0, |(start, _)| *start),
            matched: self.matched.into_iter().map(|(_, id)| id).collect(),
            matched_newest: self.matched_newest,
        })
    }
}

fn keep_earliest(known: &mut Option<Earliest>, line: &Line<'_>, text: &str) {
    let at = (line.start, line.span_id);
    if known.as_ref().is_none_or(|known| at < known.at) {
        let (service, name) = (Arc::clone(line.service), line.name.into());
        *known = Some(Earliest { at, service, name, text: text.into() });
    }
}
