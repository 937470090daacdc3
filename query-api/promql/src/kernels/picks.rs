//! Which sample an instant selector sees at every step: the newest one in `(step - lookback, step]`.

use super::windows::{Grid, Reference};
use crate::points::ABSENT;

/// For every step the index of the sample that is seen, or [`Picks::NONE`].
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Picks(Vec<u32>);

impl Picks {
    /// No sample is seen at this step.
    pub const NONE: u32 = u32::MAX;

    /// Finds the samples over ascending `timestamps`.
    #[must_use]
    pub fn scan(timestamps: &[i64], grid: Grid, reference: Reference, lookback: i64) -> Self {
        let mut picks = Vec::with_capacity(grid.count);
        let first = reference.time(grid.start);
        let mut next = timestamps.partition_point(|&t| t <= first);
        for time in grid.times() {
            let time = reference.time(time);
            while next < timestamps.len() && timestamps[next] <= time {
                next += 1;
            }
            let seen = next > 0 && timestamps[next - 1] > time.saturating_sub(lookback);
            picks.push(if seen { (next - 1) as u32 } else { Self::NONE });
        }
        Self(picks)
    }

    /// The picked values; a picked stale marker is already the mark of an absent sample.
    #[must_use]
    pub fn gather(&self, values: &[f64]) -> Vec<f64> {
        self.0.iter().map(|&index| values.get(index as usize).copied().unwrap_or(ABSENT)).collect()
    }

    /// The picked index of every step.
    pub fn iter(&self) -> impl Iterator<Item = Option<usize>> + '_ {
        self.0.iter().map(|&index| (index != Self::NONE).then_some(index as usize))
    }

    /// How many distinct samples the picks span.
    #[must_use]
    pub fn touched(&self) -> usize {
        let mut seen = self.0.iter().filter(|&&index| index != Self::NONE);
        let first = seen.next().copied();
        let last = seen.next_back().copied().or(first);
        first.zip(last).map_or(0, |(first, last)| (last - first) as usize + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lookback_window_excludes_its_left_end() {
        let grid = Grid::range(0, 40, 10);
        let picks = Picks::scan(&[0, 20], grid, Reference::default(), 20);
        assert_eq!(picks.iter().collect::<Vec<_>>(), [Some(0), Some(0), Some(1), Some(1), None]);
    }
}
