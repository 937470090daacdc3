//! A set of offsets as ranges: what is missing or damaged.
//!
//! Knows: numbers. Must not know: why. Start at [`Ranges`].

use std::collections::BTreeMap;
use std::ops::Range;

use runtime_engine::Offset;

/// Disjoint ranges, from start to end (exclusive).
#[derive(Debug, Clone, Default)]
pub(crate) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds a range; what is there already stays.
    pub(crate) fn insert(&mut self, range: Range<Offset>) {
        let (mut start, mut end) = (range.start.0, range.end.0);
        if start >= end {
            return;
        }
        let touching: Vec<(u64, u64)> =
            self.0.range(..=end).rev().map(|(s, e)| (*s, *e)).take_while(|(_, e)| *e >= start).collect();
        for (s, e) in touching {
            self.0.remove(&s);
            start = start.min(s);
            end = end.max(e);
        }
        self.0.insert(start, end);
    }

    /// How many offsets of `range` are in the set.
    pub(crate) fn count_in(&self, range: Range<Offset>) -> u64 {
        let below = self.0.range(..range.end.0).rev();
        below
            .take_while(|(_, e)| **e > range.start.0)
            .map(|(s, e)| (*e).min(range.end.0).saturating_sub((*s).max(range.start.0)))
            .sum()
    }

    /// Whether all of `range` is in the set.
    pub(crate) fn contains(&self, range: Range<Offset>) -> bool {
        self.count_in(range.start..range.end) == range.end.0.saturating_sub(range.start.0)
    }

    /// How many offsets are in the set.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|(s, e)| e - s).sum()
    }

    /// Forgets what is below `end`.
    pub(crate) fn forget_below(&mut self, end: Offset) {
        let kept = self.0.split_off(&end.0);
        if let Some((_, last_end)) = self.0.pop_last()
            && last_end > end.0
        {
            self.0.insert(end.0, last_end);
        } else {
            self.0.clear();
        }
        self.0.retain(|start, _| *start >= end.0);
        self.0.extend(kept);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_of_ranges_equals_a_set_of_numbers(
            ranges in prop::collection::vec((0u64..60, 0u64..20), 0..12),
            from in 0u64..80,
            len in 0u64..40,
            below in 0u64..80,
        ) {
            let mut set = Ranges::default();
            let mut model = std::collections::BTreeSet::new();
            for (start, len) in ranges {
                set.insert(Offset(start)..Offset(start + len));
                model.extend(start..start + len);
            }
            let count = |m: &std::collections::BTreeSet<u64>, r: Range<u64>| m.range(r).count() as u64;
            prop_assert_eq!(set.count(), model.len() as u64);
            prop_assert_eq!(set.count_in(Offset(from)..Offset(from + len)), count(&model, from..from + len));
            prop_assert_eq!(
                set.contains(Offset(from)..Offset(from + len)),
                (from..from + len).all(|n| model.contains(&n))
            );
            set.forget_below(Offset(below));
            model.retain(|n| *n >= below);
            prop_assert_eq!(set.count(), model.len() as u64);
            prop_assert_eq!(set.count_in(Offset(from)..Offset(from + len)), count(&model, from..from + len));
        }
    }
}
