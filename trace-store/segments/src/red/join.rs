//! Half edges and their other ends: the parent of a span may lie in another head or segment.
//!
//! Knows: where a parent is looked for, and what has been looked through. Must not know: sums. A segment never changes,
//! so it is searched once for the half edges of another one and the outcome is kept. Start at [`Halves::joined`].

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use runtime_engine::{ObjectId, Result, Snapshot, Stop};

use super::id_of;
use super::part::Stored;
use super::rows::{Half, Table};
use super::trace::{CLIENT, PRODUCER};
use crate::segment::Segment;
use crate::{Cost, Traces, View};

/// A parent is looked for in segments whose spans are at most so far away in time: what lies further apart is joined
/// when a merge brings it together.
const NEAR: u64 = 15 * super::MINUTE;

/// A span by its ids.
pub(crate) type SpanKey = ([u8; 16], u64);

/// Services of spans that were found, with whether the span is one that calls.
pub(crate) type Found = HashMap<SpanKey, (Arc<str>, bool)>;

/// Notes the service of a span; of spans that share an id, one that calls comes first.
pub(crate) fn note(found: &mut Found, key: SpanKey, service: &Arc<str>, kind: i32) {
    let calls = matches!(kind, CLIENT | PRODUCER);
    match found.get(&key) {
        Some((_, known)) if *known || !calls => {}
        _ => drop(found.insert(key, (Arc::clone(service), calls))),
    }
}

/// The sums of an open segment, and what became of its half edges.
pub(crate) struct SegmentSums {
    pub(crate) stored: Stored,
    id: ObjectId,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    halves: Option<Halves>,
    /// Segments that were searched.
    searched: HashSet<ObjectId>,
}

/// Half edges of one head or segment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Halves {
    halves: Vec<Half>,
    /// By half.
    callers: Vec<Option<Arc<str>>>,
}

impl Halves {
    fn new(halves: Vec<Half>) -> Self {
        Self { callers: vec![None; halves.len()], halves }
    }

    /// Half edges with their callers, where known.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Half, Option<&Arc<str>>)> {
        self.halves.iter().zip(self.callers.iter().map(Option::as_ref))
    }

    /// What is looked for, among spans of a stretch of time.
    fn wanted(&self, first: u64, last: u64) -> Vec<SpanKey> {
        let (first, last) = (first.saturating_sub(NEAR), last.saturating_add(NEAR));
        let is_wanted =
            |half: &Half, caller: Option<&Arc<str>>| caller.is_none() && (first..=last).contains(&half.start);
        self.iter()
            .filter(|(half, caller)| is_wanted(half, *caller))
            .map(|(half, _)| (half.trace_id, half.parent))
            .collect()
    }

    fn take(&mut self, found: &Found) {
        if found.is_empty() {
            return;
        }
        for (half, caller) in self.halves.iter().zip(&mut self.callers) {
            if caller.is_none() {
                *caller = found.get(&(half.trace_id, half.parent)).map(|(service, _)| Arc::clone(service));
            }
        }
    }

    /// Looks for what is missing in all heads but one, and in segments.
    fn look<'s>(
        &mut self,
        heads: impl Iterator<Item = &'s View>,
        segments: impl Iterator<Item = &'s Segment>,
        stop: &Stop,
        cost: &mut Cost,
    ) -> Result<()> {
        for segment in segments {
            if stop.is_stopped() {
                return Err(runtime_engine::Error::Stopped);
            }
            let wanted = self.wanted(segment.extra.start_min, segment.extra.end_max);
            self.take(&segment.services_of(&wanted, cost)?);
        }
        for head in heads {
            let wanted = self.wanted(0, u64::MAX);
            self.take(&services_in(head, &wanted)?);
        }
        Ok(())
    }
}

impl SegmentSums {
    pub(crate) fn new(stored: Stored, id: ObjectId) -> Self {
        Self { stored, id, state: Mutex::default() }
    }

    /// The half edges as they are stored.
    ///
    /// # Errors
    /// A damaged part, a failed read.
    pub(crate) fn halves(&self, cost: &mut Cost) -> Result<Vec<Half>> {
        let mut cursor = self.stored.scan(&[Table::Half], &[])?;
        let mut halves = Vec::new();
        while cursor.advance(cost)? {
            halves.extend(cursor.half());
        }
        Ok(halves)
    }

    /// The half edges of the segment, joined with everything else in the snapshot.
    ///
    /// # Errors
    /// A damaged segment, a failed read, or [`runtime_engine::Error::Stopped`].
    pub(crate) fn joined(&self, snap: &Snapshot<Traces>, stop: &Stop, cost: &mut Cost) -> Result<Halves> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut halves = match state.halves.take() {
            Some(halves) => halves,
            None => Halves::new(self.halves(cost)?),
        };
        let others = snap.objects.iter().filter(|other| other.red.id != self.id);
        let unseen: Vec<&Arc<Segment>> =
            others.filter(|other| !state.searched.contains(&other.red.id)).collect();
        let looked = halves.look([].into_iter(), unseen.iter().map(|other| other.as_ref()), stop, cost);
        if looked.is_ok() {
            state.searched.extend(unseen.iter().map(|other| other.red.id));
        }
        state.searched.retain(|id| snap.objects.iter().any(|other| other.red.id == *id));
        state.halves = Some(halves.clone());
        drop(state);
        looked?;
        // heads change and are quick to search: what they say is not kept
        halves.look(snap.heads.iter(), [].into_iter(), stop, cost)?;
        Ok(halves)
    }
}

/// The half edges of a head, joined with everything else in the snapshot.
///
/// # Errors
/// A damaged segment, a failed read, or [`runtime_engine::Error::Stopped`].
pub(crate) fn head_joined(
    snap: &Snapshot<Traces>,
    number: usize,
    halves: &[Half],
    stop: &Stop,
    cost: &mut Cost,
) -> Result<Halves> {
    let mut halves = Halves::new(halves.to_vec());
    let others = snap.heads.iter().enumerate().filter(|(at, _)| *at != number).map(|(_, head)| head);
    halves.look(others, snap.objects.iter().map(Arc::as_ref), stop, cost)?;
    Ok(halves)
}

/// Services of spans that are in a head.
///
/// # Errors
/// Never for spans that were taken.
pub(crate) fn services_in(head: &View, wanted: &[SpanKey]) -> Result<Found> {
    let mut found = Found::new();
    for key in wanted {
        for (record, spans) in head.find(&key.0) {
            for at in spans {
                let span = record.span(at)?;
                if let (true, Some(resource)) =
                    (id_of(span.span_id) == Some(key.1), head.resource(at.resource))
                {
                    note(&mut found, *key, &resource.service, span.kind);
                }
            }
        }
    }
    Ok(found)
}
