//! `rate`, `increase` and `delta` of floats: the difference of the last and first sample of a window, corrected for counter
//! resets and extrapolated to the window's ends.
//!
//! How far a window is extrapolated depends on timestamps alone, and all series of a scrape share one timestamp column. So the
//! [`Geometry`] is computed once per column and reused by every series that has it; what is left per window is two loads, a
//! subtraction and a product. Resets are rare: their positions are collected in one vectorised pass over the values.

use super::windows::{Grid, Reference, Windows};
use crate::points::ABSENT;

/// What is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Per-second increase of a counter.
    Rate,
    /// Increase of a counter over the window.
    Increase,
    /// Difference of a gauge over the window.
    Delta,
}

impl Change {
    /// Whether resets are corrected.
    #[must_use]
    pub fn is_counter(self) -> bool {
        self != Self::Delta
    }

    /// Divides by the range (milliseconds) if the result is per second.
    #[must_use]
    pub fn scale(self, range: i64) -> f64 {
        if self == Self::Rate { range as f64 / 1000.0 } else { 1.0 }
    }
}

/// One window, described without its values.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Seconds from the window's start that are extrapolated, before the counter's zero point is looked at.
    pub to_start: f64,
    /// Seconds between the first and the last sample.
    pub sampled: f64,
    /// Seconds from the last sample that are extrapolated.
    pub to_end: f64,
}

impl Extent {
    /// The extent of `samples` samples between `first` and `last` in the window `(start, end]`; all in milliseconds.
    ///
    /// An end is extrapolated to in full when it is closer than 1.1 average intervals, else by half an interval.
    #[must_use]
    pub fn new(start: i64, end: i64, first: i64, last: i64, samples: usize) -> Self {
        let seconds = |from: i64, to: i64| (to - from) as f64 / 1000.0;
        let sampled = seconds(first, last);
        let average = if samples > 1 { sampled / (samples - 1) as f64 } else { 0.0 };
        let reach = |gap: f64| if gap >= average * 1.1 { average / 2.0 } else { gap };
        Self { to_start: reach(seconds(start, first)), sampled, to_end: reach(seconds(last, end)) }
    }

    /// The factor by which `change` is multiplied. A counter that would have been negative at the window's start is
    /// extrapolated only to where it was zero.
    #[must_use]
    pub fn factor(self, counter: bool, first: f64, change: f64) -> f64 {
        let mut to_start = self.to_start;
        if counter && change > 0.0 && first >= 0.0 {
            let to_zero = self.sampled * (first / change);
            if to_zero < to_start {
                to_start = to_zero;
            }
        }
        (self.sampled + to_start + self.to_end) / self.sampled
    }
}

/// One window of a timestamp column, ready for any values.
#[derive(Debug, Clone, Copy)]
struct Shape {
    first: u32,
    /// Equal to `first` where there are fewer than two samples: no result.
    last: u32,
    /// What the change is multiplied by, but for the zero-point rule.
    factor: f64,
    /// `first value < zero_slope * change` makes the zero-point rule apply (up to rounding, which is then decided exactly).
    zero_slope: f64,
}

/// What the windows of one timestamp column say about extrapolation.
#[derive(Debug, Default, Clone)]
pub struct Geometry {
    shapes: Vec<Shape>,
    extents: Vec<Extent>,
    /// The factor is divided by this.
    per: f64,
}

impl Geometry {
    /// The geometry of `windows`, which were scanned over `timestamps` with `range` as their length, for one kind of change.
    #[must_use]
    pub fn new(
        timestamps: &[i64],
        windows: &Windows,
        grid: Grid,
        reference: Reference,
        range: i64,
        change: Change,
    ) -> Self {
        let per = change.scale(range);
        let extent = |(time, window): (i64, std::ops::Range<usize>)| {
            if window.len() < 2 {
                return Extent { to_start: 0.0, sampled: 1.0, to_end: 0.0 };
            }
            let end = reference.time(time);
            let (first, last) = (timestamps[window.start], timestamps[window.end - 1]);
            Extent::new(end.saturating_sub(range), end, first, last, window.len())
        };
        let extents: Vec<Extent> = grid.times().zip(windows.iter()).map(extent).collect();
        let shape = |(window, extent): (std::ops::Range<usize>, &Extent)| Shape {
            first: window.start as u32,
            last: if window.is_empty() { window.start } else { window.end - 1 } as u32,
            factor: (extent.sampled + extent.to_start + extent.to_end) / extent.sampled / per,
            zero_slope: extent.to_start / extent.sampled * (1.0 + 1e-9),
        };
        let shapes = windows.iter().zip(&extents).map(shape).collect();
        Self { shapes, extents, per }
    }
}

/// The indices at which `values` drop: the counter was reset between `index - 1` and `index`.
#[must_use]
pub fn drops(values: &[f64]) -> Vec<u32> {
    let pairs = || values.iter().zip(values.iter().skip(1));
    if !any_drop(values) {
        return Vec::new();
    }
    (1u32..).zip(pairs()).filter(|(_, (before, this))| this < before).map(|(index, _)| index).collect()
}

/// Whether any value is less than the one before it, in a form that compiles to vector instructions.
fn any_drop(values: &[f64]) -> bool {
    let Some((_, later)) = values.split_first() else { return false };
    let earlier = &values[..later.len()];
    let mut blocks = later.chunks_exact(8).zip(earlier.chunks_exact(8));
    let in_blocks = blocks.any(|(later, earlier)| {
        let mut any = false;
        for lane in 0..8 {
            any |= later[lane] < earlier[lane];
        }
        any
    });
    let done = later.len() / 8 * 8;
    in_blocks || later[done..].iter().zip(&earlier[done..]).any(|(this, before)| this < before)
}

/// The extrapolated change of every window with at least two samples; `geometry` must be of the same kind of change.
#[must_use]
pub fn extrapolate(values: &[f64], geometry: &Geometry, change: Change) -> Vec<f64> {
    if !change.is_counter() {
        return steps(geometry, |_, shape| {
            (values[shape.last as usize] - values[shape.first as usize]) * shape.factor
        });
    }
    let resets = drops(values);
    if resets.is_empty() {
        return steps(geometry, |step, shape| {
            let first = values[shape.first as usize];
            counter(geometry, step, shape, first, values[shape.last as usize] - first)
        });
    }
    let mut oldest = 0;
    steps(geometry, |step, shape| {
        let (first, last) = (shape.first as usize, shape.last as usize);
        while oldest < resets.len() && resets[oldest] as usize <= first {
            oldest += 1;
        }
        let lost = resets[oldest..].iter().map(|&reset| reset as usize).take_while(|&reset| reset <= last);
        let increase = lost.fold(values[last] - values[first], |sum, reset| sum + values[reset - 1]);
        counter(geometry, step, shape, values[first], increase)
    })
}

#[inline]
fn counter(geometry: &Geometry, step: usize, shape: &Shape, first: f64, increase: f64) -> f64 {
    if first < shape.zero_slope * increase {
        return increase * (geometry.extents[step].factor(true, first, increase) / geometry.per);
    }
    increase * shape.factor
}

#[inline]
fn steps(geometry: &Geometry, mut value: impl FnMut(usize, &Shape) -> f64) -> Vec<f64> {
    let shapes = geometry.shapes.iter().enumerate();
    shapes.map(|(step, shape)| if shape.first == shape.last { ABSENT } else { value(step, shape) }).collect()
}

/// Whether a counter was reset between two samples, judged by their start timestamps (0 = unknown).
///
/// A start after the previous sample is a reset. A start *at* the previous sample is one only for deltas: that is, if the
/// previous start is known and is not its own sample's time, which `OpenTelemetry` uses for "unknown".
#[must_use]
pub fn restarted(previous_start: i64, previous: i64, start: i64, time: i64) -> bool {
    if start == 0 || start >= time || start < previous {
        return false;
    }
    start > previous || (previous_start != 0 && previous_start < previous)
}

/// Whether a start timestamp lies before the previous sample without being its start too: the streams overlap.
#[must_use]
pub fn overlaps(previous_start: i64, previous: i64, start: i64) -> bool {
    start != 0 && start < previous && start != previous_start
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::naive;
    use super::*;

    #[test]
    fn the_zero_point_limits_extrapolation_to_the_left() {
        let (timestamps, values) = ([10_000, 20_000, 30_000], [1.0, 11.0, 21.0]);
        let grid = Grid::instant(30_000);
        let windows = Windows::scan(&timestamps, grid, Reference::default(), 30_000, 0);
        let increase = Change::Increase;
        let geometry = Geometry::new(&timestamps, &windows, grid, Reference::default(), 30_000, increase);
        let increase = extrapolate(&values, &geometry, increase);
        assert!((increase[0] - 21.0).abs() < 1e-9, "{increase:?}");
    }

    #[test]
    fn a_start_at_the_previous_sample_is_a_reset_of_deltas_alone() {
        assert!(restarted(0, 100, 150, 200));
        assert!(restarted(50, 100, 100, 200));
        assert!(!restarted(0, 100, 100, 200));
        assert!(!restarted(100, 100, 100, 200));
        assert!(!restarted(150, 100, 100, 200));
        assert!(!restarted(0, 100, 200, 200));
    }

    proptest! {
        #[test]
        fn extrapolation_agrees_with_the_naive_twin(
            gaps in prop::collection::vec(1i64..40_000, 0..80),
            values in prop::collection::vec(prop_oneof![0.0..100.0f64, Just(0.0), -5.0..1e6f64], 80),
            range in 1i64..300_000, step in 1i64..90_000, kind in 0usize..3,
        ) {
            let timestamps: Vec<i64> = gaps.iter().scan(0, |t, gap| { *t += gap; Some(*t) }).collect();
            let values = &values[..timestamps.len()];
            let grid = Grid::range(0, timestamps.last().copied().unwrap_or(0) + 60_000, step);
            let change = [Change::Rate, Change::Increase, Change::Delta][kind];
            let reference = Reference::default();
            let windows = Windows::scan(&timestamps, grid, reference, range, 0);
            let geometry = Geometry::new(&timestamps, &windows, grid, reference, range, change);
            let fast = extrapolate(values, &geometry, change);
            let slow = naive::extrapolate(&timestamps, values, grid, change, range);
            prop_assert!(naive::same(&fast, &slow), "{fast:?} {slow:?}");
        }
    }
}
