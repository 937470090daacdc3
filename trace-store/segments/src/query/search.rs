//! Search by start: the newest or the oldest traces that have a matching span, exactly.
//!
//! Knows: the order of the answer, and when other sources cannot change it any more. Must not know: what a match is
//! (`condition`), or how a segment finds it (`scan`). `ranked` builds the orders that need more than starts on it.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use runtime_engine::{Error, Result, Snapshot, Stop};

use super::condition::Conditions;
use super::order::{ByStart, Place, Ranked, place};
use super::scan::{HeadScan, SegmentScan, Window};
use super::{Cost, Order, SearchQuery};
use crate::Traces;

/// Traces that may lie on the pages before the one asked for: 16 MB of ids and what their set weighs.
const SHOWN_MAX: usize = 1_000_000;

/// Who takes the traces that are found: (score, id), greatest score first.
trait Taker {
    /// Scores that are of interest, bounds included.
    fn window(&self) -> (u64, u64);
    /// A trace has a matching span of this score.
    fn take(&mut self, found: Ranked) -> Result<()>;
}

/// The best traces so far, at most `limit` of them.
struct Best {
    limit: usize,
    /// The last place of the page before, and the traces of all pages before.
    after: Option<Place>,
    shown: HashSet<[u8; 16]>,
    places: BTreeSet<Place>,
    scores: HashMap<[u8; 16], u64>,
}

impl Taker for Best {
    fn window(&self) -> (u64, u64) {
        let floor = match self.places.last() {
            Some((Reverse(score), _)) if self.places.len() >= self.limit => *score,
            _ => 0,
        };
        (floor, self.after.map_or(u64::MAX, |(Reverse(score), _)| score))
    }

    fn take(&mut self, found: Ranked) -> Result<()> {
        if self.after.is_some_and(|after| place(found) <= after) || self.shown.contains(&found.1) {
            return Ok(());
        }
        let is_better = match self.scores.get(&found.1) {
            Some(known) => found.0 > *known,
            None => {
                self.places.len() < self.limit || self.places.last().is_some_and(|last| place(found) < *last)
            }
        };
        if !is_better {
            return Ok(());
        }
        if let Some(known) = self.scores.insert(found.1, found.0) {
            self.places.remove(&place((known, found.1)));
        }
        self.places.insert(place(found));
        if self.places.len() > self.limit
            && let Some((_, id)) = self.places.pop_last()
        {
            self.scores.remove(&id);
        }
        Ok(())
    }
}

/// The traces that have a matching span up to a place: they were shown before.
struct Shown {
    until: Place,
    ids: HashSet<[u8; 16]>,
}

impl Taker for Shown {
    fn window(&self) -> (u64, u64) {
        (self.until.0.0, u64::MAX)
    }

    fn take(&mut self, found: Ranked) -> Result<()> {
        if place(found) <= self.until {
            self.ids.insert(found.1);
        }
        if self.ids.len() > SHOWN_MAX {
            let message =
                format!("more than {SHOWN_MAX} traces lie before this page: narrow the time instead");
            return Err(Error::Invalid(message));
        }
        Ok(())
    }
}

/// Everything that may hold matches.
struct Sources<'s> {
    by: ByStart,
    heads: Vec<HeadScan<'s>>,
    /// The best first.
    segments: Vec<SegmentScan<'s>>,
}

/// Traces that have a matching span, by the start of their newest (or oldest) matching span, then by id: the first
/// `limit` of them, exactly. Pages: give the last one of a page as [`SearchQuery::after`]. Looks at neither the trace's
/// duration nor an order that is not by start, for which it answers the newest: [`super::find`] does.
///
/// # Errors
/// A damaged segment, a failed read, a page too far down, or [`Error::Stopped`].
pub fn search(
    snap: &Snapshot<Traces>,
    query: &SearchQuery,
    stop: &Stop,
    cost: &mut Cost,
) -> Result<Vec<Ranked>> {
    if query.limit == 0 {
        return Ok(Vec::new());
    }
    let by = if query.order == Order::Oldest { ByStart::Oldest } else { ByStart::Newest };
    let conditions = Arc::new(Conditions::new(query));
    let heads = snap.heads.iter().map(|head| HeadScan::new(head, Arc::clone(&conditions)));
    let mut segments = Vec::new();
    for segment in &snap.objects {
        segments.extend(SegmentScan::new(segment, &conditions)?);
    }
    segments.sort_by_key(|scan| Reverse(scan.score_max(by)));
    let sources = Sources { by, heads: heads.collect::<Result<_>>()?, segments };
    let after = query.after.map(|(start, id)| place((by.score(start), id)));
    let mut best = Best {
        limit: query.limit,
        after,
        shown: HashSet::new(),
        places: BTreeSet::new(),
        scores: HashMap::new(),
    };
    if let Some(until) = after {
        let mut shown = Shown { until, ids: HashSet::new() };
        sources.walk(&mut shown, stop, cost)?;
        best.shown = shown.ids;
    }
    sources.walk(&mut best, stop, cost)?;
    Ok(best.places.into_iter().map(|(Reverse(score), id)| (by.score(score), id)).collect())
}

impl Sources<'_> {
    fn walk(&self, taker: &mut impl Taker, stop: &Stop, cost: &mut Cost) -> Result<()> {
        let mut found = Vec::new();
        let heads: Box<dyn Iterator<Item = &HeadScan<'_>>> = match self.by {
            ByStart::Newest => Box::new(self.heads.iter().rev()),
            ByStart::Oldest => Box::new(self.heads.iter()),
        };
        for head in heads {
            for nth in 0..head.chunks() {
                if stop.is_stopped() {
                    return Err(Error::Stopped);
                }
                // the last records are the newest, mostly
                let chunk = if self.by == ByStart::Newest { head.chunks() - 1 - nth } else { nth };
                head.scan(chunk, self.window(taker), cost, &mut found)?;
                found.drain(..).try_for_each(|found| taker.take(found))?;
            }
        }
        for segment in &self.segments {
            let mut counted = false;
            for group in 0..segment.row_groups() {
                if stop.is_stopped() {
                    return Err(Error::Stopped);
                }
                if segment.score_max(self.by) < taker.window().0 {
                    // neither this segment nor a later one has a span that would get in
                    return Ok(());
                }
                let read = segment.scan(group, self.window(taker), cost, &mut found)?;
                cost.objects += u64::from(read && !counted);
                counted |= read;
                found.drain(..).try_for_each(|found| taker.take(found))?;
            }
        }
        Ok(())
    }

    fn window(&self, taker: &impl Taker) -> Window {
        let (floor, ceiling) = taker.window();
        let (a, b) = (self.by.score(floor), self.by.score(ceiling));
        Window { first: a.min(b), last: a.max(b), by: self.by }
    }
}
