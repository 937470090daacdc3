//! Search: the newest traces that have a matching span, exactly.
//!
//! Knows: the order of the answer, and when older sources cannot change it any more. Must not know: what a match is
//! (`condition`), or how a segment finds it (`scan`).

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use runtime_engine::{Error, Result, Snapshot, Stop};

use super::condition::Conditions;
use super::scan::{HeadScan, SegmentScan, Window};
use super::{Cost, SearchQuery};
use crate::Traces;

/// Start of the newest matching span, and the trace's id.
type Found = (u64, [u8; 16]);

/// A place in the answer: newer first, then by id.
type Place = (Reverse<u64>, [u8; 16]);

fn place((start, id): Found) -> Place {
    (Reverse(start), id)
}

/// The best traces so far, at most `limit` of them.
struct Newest {
    limit: usize,
    places: BTreeSet<Place>,
    starts: HashMap<[u8; 16], u64>,
}

impl Newest {
    /// Spans that start before this cannot get in any more.
    fn floor(&self) -> u64 {
        match self.places.last() {
            Some((Reverse(start), _)) if self.places.len() >= self.limit => *start,
            _ => 0,
        }
    }

    fn would_take(&self, found: Found) -> bool {
        match self.starts.get(&found.1) {
            Some(known) => found.0 > *known,
            None => {
                self.places.len() < self.limit || self.places.last().is_some_and(|last| place(found) < *last)
            }
        }
    }

    fn take(&mut self, found: Found) {
        if let Some(known) = self.starts.insert(found.1, found.0) {
            self.places.remove(&place((known, found.1)));
        }
        self.places.insert(place(found));
        if self.places.len() > self.limit
            && let Some((_, id)) = self.places.pop_last()
        {
            self.starts.remove(&id);
        }
    }
}

/// A search under way.
struct Search<'s> {
    after: Option<Found>,
    newest: Newest,
    heads: Vec<HeadScan<'s>>,
    /// Newest first.
    segments: Vec<SegmentScan<'s>>,
    /// Traces that were looked up, and whether an earlier page has had them.
    shown: HashMap<[u8; 16], bool>,
}

/// Traces that have a matching span, by the start of their newest matching span, newest first, then by id: the first
/// `limit` of them, exactly. Pages: give the last one of a page as [`SearchQuery::after`].
///
/// # Errors
/// A damaged segment, a failed read, or [`Error::Stopped`].
pub fn search(
    snap: &Snapshot<Traces>,
    query: &SearchQuery,
    stop: &Stop,
    cost: &mut Cost,
) -> Result<Vec<(u64, [u8; 16])>> {
    if query.limit == 0 {
        return Ok(Vec::new());
    }
    let conditions = Arc::new(Conditions::new(query));
    let heads = snap.heads.iter().map(|head| HeadScan::new(head, Arc::clone(&conditions)));
    let mut segments = Vec::new();
    for segment in &snap.objects {
        segments.extend(SegmentScan::new(segment, &conditions)?);
    }
    segments.sort_by_key(|scan| Reverse(scan.start_max()));
    let search = Search {
        after: query.after,
        newest: Newest { limit: query.limit, places: BTreeSet::new(), starts: HashMap::new() },
        heads: heads.collect::<Result<_>>()?,
        segments,
        shown: HashMap::new(),
    };
    search.run(stop, cost)
}

impl Search<'_> {
    fn run(mut self, stop: &Stop, cost: &mut Cost) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for i in (0..self.heads.len()).rev() {
            let chunks = self.heads.get(i).map_or(0, HeadScan::chunks);
            for chunk in (0..chunks).rev() {
                if stop.is_stopped() {
                    return Err(Error::Stopped);
                }
                let window = self.window();
                if let Some(head) = self.heads.get(i) {
                    head.scan(chunk, window, cost, &mut found)?;
                }
                self.offer_all(&mut found, cost)?;
            }
        }
        for i in 0..self.segments.len() {
            let groups = self.segments.get(i).map_or(0, SegmentScan::row_groups);
            let mut counted = false;
            for group in 0..groups {
                if stop.is_stopped() {
                    return Err(Error::Stopped);
                }
                let window = self.window();
                let Some(segment) = self.segments.get(i) else { continue };
                if segment.start_max() < window.first {
                    // neither this segment nor an older one has a span that would get in
                    return Ok(self.answer());
                }
                let read = segment.scan(group, window, cost, &mut found)?;
                cost.objects += u64::from(read && !counted);
                counted |= read;
                self.offer_all(&mut found, cost)?;
            }
        }
        Ok(self.answer())
    }

    fn window(&self) -> Window {
        Window { first: self.newest.floor(), last: self.after.map_or(u64::MAX, |(start, _)| start) }
    }

    fn answer(self) -> Vec<Found> {
        self.newest.places.into_iter().map(|(Reverse(start), id)| (start, id)).collect()
    }

    fn offer_all(&mut self, found: &mut Vec<Found>, cost: &mut Cost) -> Result<()> {
        for found in found.drain(..) {
            let is_later = self.after.is_none_or(|after| place(found) > place(after));
            if is_later && self.newest.would_take(found) && !self.was_shown(found.1, cost)? {
                self.newest.take(found);
            }
        }
        Ok(())
    }

    /// Whether the trace has a matching span that put it on an earlier page.
    fn was_shown(&mut self, id: [u8; 16], cost: &mut Cost) -> Result<bool> {
        let Some(after) = self.after else { return Ok(false) };
        if let Some(known) = self.shown.get(&id) {
            return Ok(*known);
        }
        let mut newest = None;
        for head in &self.heads {
            newest = newest.max(head.newest_match(&id, cost)?);
        }
        for segment in self.segments.iter().take_while(|s| s.start_max() >= after.0) {
            newest = newest.max(segment.newest_match(&id, cost)?);
        }
        let shown = newest.is_some_and(|start| place((start, id)) <= place(after));
        self.shown.insert(id, shown);
        Ok(shown)
    }
}
