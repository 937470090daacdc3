//! Search in every order and by what a trace comes to.
//!
//! Orders by start go through `search` and are exact. What only a whole trace tells (its duration, its spans, its
//! errors) is asked of candidates: traces that match, the newest first, up to [`CANDIDATES_MAX`]. Within that bound the
//! answer is exact too; beyond it the answer says how many were looked at. Must not know: what a match is.

use runtime_engine::{Result, Snapshot, Stop};

use super::order::{Order, Ranked, place};
use super::search::search;
use super::totals::{Totals, totals};
use super::{Cost, SearchQuery};
use crate::Traces;

/// Matching traces that are measured for one answer: half a second's work at most, some 5 MB.
const CANDIDATES_MAX: usize = 50_000;
/// How many candidates are measured at first where a trace's duration is asked for: most pages need no more.
const CANDIDATES_FIRST: usize = 256;

/// Traces that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    /// In the order asked for, each with what it is ordered by.
    pub traces: Vec<Ranked>,
    /// More traces match than were measured: this many, the newest (or oldest, in that order), were. 0 = all.
    pub bounded_to: u32,
}

/// The first `limit` traces that have a matching span and last as long as asked for, in the order asked for. Pages: give
/// the last one of a page as [`SearchQuery::after`].
///
/// # Errors
/// Those of [`search`].
pub fn find(snap: &Snapshot<Traces>, query: &SearchQuery, stop: &Stop, cost: &mut Cost) -> Result<Hits> {
    let is_by_start = matches!(query.order, Order::Newest | Order::Oldest);
    let asks_duration = query.trace_duration_min > 0 || query.trace_duration_max > 0;
    match (is_by_start, asks_duration) {
        (true, false) => Ok(Hits { traces: search(snap, query, stop, cost)?, bounded_to: 0 }),
        (true, true) => lasting(snap, query, stop, cost),
        (false, _) => by_rank(snap, query, stop, cost),
    }
}

fn lasts(totals: &Totals, query: &SearchQuery) -> bool {
    let max = if query.trace_duration_max == 0 { u64::MAX } else { query.trace_duration_max };
    (query.trace_duration_min..=max).contains(&totals.duration())
}

fn bounded_to(candidates: usize) -> u32 {
    if candidates < CANDIDATES_MAX { 0 } else { u32::try_from(candidates).unwrap_or(u32::MAX) }
}

/// By start, of those that last as asked for: a few candidates first, all of them if that was not enough.
fn lasting(snap: &Snapshot<Traces>, query: &SearchQuery, stop: &Stop, cost: &mut Cost) -> Result<Hits> {
    let first = query.limit.saturating_mul(8).clamp(CANDIDATES_FIRST, CANDIDATES_MAX);
    for limit in [first, CANDIDATES_MAX] {
        let mut traces = search(snap, &SearchQuery { limit, ..query.clone() }, stop, cost)?;
        let candidates = traces.len();
        let totals = totals(snap, traces.iter().map(|(_, id)| *id), stop, cost)?;
        traces.retain(|(_, id)| totals.get(id).is_some_and(|t| lasts(t, query)));
        let is_enough = traces.len() >= query.limit;
        if is_enough || candidates < limit || limit == CANDIDATES_MAX {
            traces.truncate(query.limit);
            return Ok(Hits { traces, bounded_to: if is_enough { 0 } else { bounded_to(candidates) } });
        }
    }
    Ok(Hits::default())
}

fn by_rank(snap: &Snapshot<Traces>, query: &SearchQuery, stop: &Stop, cost: &mut Cost) -> Result<Hits> {
    let newest = SearchQuery { order: Order::Newest, limit: CANDIDATES_MAX, after: None, ..query.clone() };
    let candidates = search(snap, &newest, stop, cost)?;
    let totals = totals(snap, candidates.iter().map(|(_, id)| *id), stop, cost)?;
    let lasting = totals.iter().filter(|(_, totals)| lasts(totals, query));
    let mut traces: Vec<Ranked> = lasting.map(|(id, totals)| (totals.rank(query.order), *id)).collect();
    if let Some(after) = query.after {
        traces.retain(|trace| place(*trace) > place(after));
    }
    traces.sort_unstable_by_key(|trace| place(*trace));
    traces.truncate(query.limit);
    Ok(Hits { traces, bounded_to: bounded_to(candidates.len()) })
}
