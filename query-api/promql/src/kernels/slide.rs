//! Sliding aggregates in O(n) for anything that merges, without subtracting: NaN, infinities and rounding of values that have
//! left the window leave no trace.
//!
//! The window is kept as two halves around `middle`. Left of it, suffix aggregates are stored for every sample, so that dropping
//! a sample is free; right of it one running aggregate is enough. When the left half is used up, the right half is turned into
//! suffix aggregates. Every sample is merged at most three times (Tangwongsan et al., "General incremental sliding-window
//! aggregation", VLDB 2015, calls it the two-stacks algorithm).

use super::windows::Windows;

/// A partial result over consecutive samples.
pub trait Merge: Copy {
    /// The result over `self`'s samples followed by `later`'s.
    #[must_use]
    fn merge(self, later: Self) -> Self;
}

/// Overlap from which sliding beats starting every window from nothing.
const WORTHWHILE_OVERLAP: usize = 4;

/// Calls `emit(step, aggregate)` for every non-empty window; `lift(index)` is the aggregate of one sample.
pub fn slide<M: Merge>(windows: &Windows, lift: impl Fn(usize) -> M, mut emit: impl FnMut(usize, M)) {
    if windows.overlap() < WORTHWHILE_OVERLAP {
        fresh(windows, lift, emit);
        return;
    }
    let mut suffixes: Vec<M> = Vec::new(); // of samples base..middle
    let (mut base, mut middle, mut end) = (0, 0, 0);
    let mut tail: Option<M> = None; // of samples middle..end
    for (step, window) in windows.iter().enumerate() {
        if window.is_empty() {
            continue;
        }
        if window.start >= end {
            (base, middle, end, tail) = (window.start, window.start, window.start, None);
        }
        while end < window.end {
            let one = lift(end);
            tail = Some(tail.map_or(one, |tail| tail.merge(one)));
            end += 1;
        }
        if window.start >= middle {
            (base, middle, tail) = (window.start, end, None);
            suffixes.clear();
            let mut suffix: Option<M> = None;
            for index in (base..middle).rev() {
                let one = lift(index);
                let merged = suffix.map_or(one, |suffix| one.merge(suffix));
                suffix = Some(merged);
                suffixes.push(merged);
            }
        }
        let head = suffixes[suffixes.len() - 1 - (window.start - base)];
        emit(step, tail.map_or(head, |tail| head.merge(tail)));
    }
}

fn fresh<M: Merge>(windows: &Windows, lift: impl Fn(usize) -> M, mut emit: impl FnMut(usize, M)) {
    for (step, window) in windows.iter().enumerate() {
        let mut samples = window.map(&lift);
        if let Some(first) = samples.next() {
            emit(step, samples.fold(first, Merge::merge));
        }
    }
}
