//! Windows of a range selector over one column of timestamps: for every step the samples in `(start, end]`.

/// The steps of an evaluation: `count` instants, `step` apart (milliseconds since the epoch).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    /// The first instant.
    pub start: i64,
    /// The distance of two instants; positive.
    pub step: i64,
    /// How many instants.
    pub count: usize,
}

impl Grid {
    /// One instant.
    #[must_use]
    pub fn instant(at: i64) -> Self {
        Self { start: at, step: 1, count: 1 }
    }

    /// The instants `start, start + step, …` up to and including `end`; none if `end < start`.
    #[must_use]
    pub fn range(start: i64, end: i64, step: i64) -> Self {
        let step = step.max(1);
        let count = if end < start { 0 } else { end.saturating_sub(start) / step + 1 };
        Self { start, step, count: usize::try_from(count).unwrap_or(0) }
    }

    /// The `index`-th instant.
    #[inline]
    #[must_use]
    pub fn time(&self, index: usize) -> i64 {
        self.start.saturating_add(self.step.saturating_mul(i64::try_from(index).unwrap_or(i64::MAX)))
    }

    /// All instants in order.
    pub fn times(self) -> impl Iterator<Item = i64> {
        (0..self.count).map(move |index| self.time(index))
    }

    /// The last instant (the first if there is none).
    #[must_use]
    pub fn end(&self) -> i64 {
        self.time(self.count.saturating_sub(1))
    }

    /// The grid of the first instant alone.
    #[must_use]
    pub fn first(&self) -> Self {
        Self { count: self.count.min(1), ..*self }
    }
}

/// Where a selector looks at a step: at a fixed instant (`@`) or at the step, both moved back by an offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The instant of an `@` modifier.
    pub at: Option<i64>,
    /// How far to look back from there; negative looks ahead.
    pub offset: i64,
}

impl Reference {
    /// The instant to look at when the evaluation stands at `time`.
    #[inline]
    #[must_use]
    pub fn time(self, time: i64) -> i64 {
        self.at.unwrap_or(time).saturating_sub(self.offset)
    }
}

/// For every step, the half-open range of sample indices in its window.
///
/// Invariants: `from[i] <= to[i] <= samples`, and neither bound ever moves back.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Windows {
    from: Vec<u32>,
    to: Vec<u32>,
}

impl Windows {
    /// The windows `(reference - back, reference + ahead]` of every step of `grid` over ascending `timestamps`.
    #[must_use]
    pub fn scan(timestamps: &[i64], grid: Grid, reference: Reference, back: i64, ahead: i64) -> Self {
        let mut windows = Self { from: Vec::with_capacity(grid.count), to: Vec::with_capacity(grid.count) };
        let first = reference.time(grid.start);
        let mut low = timestamps.partition_point(|&t| t <= first.saturating_sub(back));
        let mut high = low.max(timestamps.partition_point(|&t| t <= first.saturating_add(ahead)));
        for time in grid.times() {
            let time = reference.time(time);
            let (after, until) = (time.saturating_sub(back), time.saturating_add(ahead));
            while low < timestamps.len() && timestamps[low] <= after {
                low += 1;
            }
            high = high.max(low);
            while high < timestamps.len() && timestamps[high] <= until {
                high += 1;
            }
            windows.from.push(low as u32);
            windows.to.push(high as u32);
        }
        windows
    }

    /// How many steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.from.len()
    }

    /// Whether there is no step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.from.is_empty()
    }

    /// The samples of the `step`-th window.
    #[inline]
    #[must_use]
    pub fn get(&self, step: usize) -> std::ops::Range<usize> {
        self.from[step] as usize..self.to[step] as usize
    }

    /// All windows in order.
    pub fn iter(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.from.iter().zip(&self.to).map(|(&from, &to)| from as usize..to as usize)
    }

    /// How many distinct samples lie between the first window's start and the last window's end.
    #[must_use]
    pub fn touched(&self) -> usize {
        match (self.from.first(), self.to.last()) {
            (Some(&from), Some(&to)) => (to - from) as usize,
            _ => 0,
        }
    }

    /// How often an average sample is visited when every window is computed from nothing.
    #[must_use]
    pub fn overlap(&self) -> usize {
        let visits: usize = self.iter().map(|w| w.len()).sum();
        visits / self.touched().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_open_on_the_left_and_closed_on_the_right() {
        let grid = Grid::range(10, 30, 10);
        let windows = Windows::scan(&[0, 5, 10, 20, 30], grid, Reference::default(), 10, 0);
        assert_eq!(windows.iter().collect::<Vec<_>>(), [1..3, 3..4, 4..5]);
    }

    #[test]
    fn a_reference_pins_and_moves_the_window() {
        let grid = Grid::range(100, 200, 50);
        let pinned = Reference { at: Some(20), offset: 10 };
        let windows = Windows::scan(&[0, 5, 10, 20, 30], grid, pinned, 10, 0);
        assert_eq!(windows.iter().collect::<Vec<_>>(), [1..3, 1..3, 1..3]);
    }

    #[test]
    fn a_grid_without_steps_has_no_windows() {
        assert!(Windows::scan(&[1, 2], Grid::range(5, 4, 1), Reference::default(), 10, 0).is_empty());
    }
}
