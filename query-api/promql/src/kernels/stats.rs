//! Aggregates of a sliding window of floats: sums, means, extrema, variance, linear regression, counts of changes.

use super::kahan;
use super::slide::{Merge, slide};
use super::windows::Windows;
use crate::points::ABSENT;

/// Values beyond this may overflow a partial sum that the sum in order would not have: such columns are summed in order.
const SAFE_MAGNITUDE: f64 = 1e280;

fn tame(values: &[f64]) -> bool {
    values.iter().fold(true, |tame, x| tame & (x.abs() <= SAFE_MAGNITUDE))
}

fn per_window(values: &[f64], windows: &Windows, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    windows.iter().map(|w| if w.is_empty() { ABSENT } else { f(&values[w]) }).collect()
}

fn rolling<M: Merge>(
    windows: &Windows,
    lift: impl Fn(usize) -> M,
    value: impl Fn(usize, M) -> f64,
) -> Vec<f64> {
    let mut out = vec![ABSENT; windows.len()];
    slide(windows, lift, |step, merged| out[step] = value(step, merged));
    out
}

impl Merge for kahan::Sum {
    #[inline]
    fn merge(self, later: Self) -> Self {
        let (sum, compensation) = kahan::add(later.sum, self.sum, self.compensation);
        Self { sum, compensation: compensation + later.compensation }
    }
}

/// The compensated sum of every window.
#[must_use]
pub fn sums(values: &[f64], windows: &Windows) -> Vec<f64> {
    if !tame(values) {
        return per_window(values, windows, kahan::sum);
    }
    rolling(windows, |i| kahan::Sum::EMPTY.plus(values[i]), |_, sum| sum.value())
}

/// The mean of every window.
#[must_use]
pub fn means(values: &[f64], windows: &Windows) -> Vec<f64> {
    if !tame(values) {
        return per_window(values, windows, kahan::mean);
    }
    let lift = |i: usize| kahan::Sum::EMPTY.plus(values[i]);
    rolling(windows, lift, |step, total| {
        let count = windows.get(step).len() as f64;
        total.sum / count + total.compensation / count
    })
}

/// An extreme value and where it is; `NaN` gives way to any number.
#[derive(Clone, Copy)]
struct Extreme<const MAX: bool, const LAST: bool>(f64, u32);

impl<const MAX: bool, const LAST: bool> Merge for Extreme<MAX, LAST> {
    #[inline]
    fn merge(self, later: Self) -> Self {
        let better = if MAX { later.0 > self.0 } else { later.0 < self.0 };
        let tied = LAST && later.0 == self.0;
        let replace = better || tied || (self.0.is_nan() && (LAST || !later.0.is_nan()));
        if replace { later } else { self }
    }
}

/// The largest (`MAX`) or smallest value of every window that is not `NaN`, if there is one.
#[must_use]
pub fn extrema<const MAX: bool>(values: &[f64], windows: &Windows) -> Vec<f64> {
    rolling(windows, |i| Extreme::<MAX, false>(values[i], 0), |_, extreme| extreme.0)
}

/// The time in seconds of the last largest or smallest value of every window.
#[must_use]
pub fn extrema_times<const MAX: bool>(values: &[f64], timestamps: &[i64], windows: &Windows) -> Vec<f64> {
    rolling(
        windows,
        |i| Extreme::<MAX, true>(values[i], i as u32),
        |_, extreme| timestamps[extreme.1 as usize] as f64 / 1000.0,
    )
}

/// Count, mean and sum of squared deviations, mergeable (Chan, Golub and LeVeque 1979).
#[derive(Clone, Copy)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Merge for Moments {
    #[inline]
    fn merge(self, later: Self) -> Self {
        let count = self.count + later.count;
        let delta = later.mean - self.mean;
        Self {
            count,
            mean: self.mean + delta * (later.count / count),
            squares: self.squares + later.squares + delta * delta * (self.count * later.count / count),
        }
    }
}

/// The population variance of every window.
#[must_use]
pub fn variances(values: &[f64], windows: &Windows) -> Vec<f64> {
    if !tame(values) {
        return per_window(values, windows, variance);
    }
    let lift = |i: usize| Moments { count: 1.0, mean: values[i], squares: 0.0 };
    rolling(windows, lift, |_, moments| moments.squares / moments.count)
}

/// The population variance by Welford's method with compensated sums.
#[must_use]
pub fn variance(values: &[f64]) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, (0.0, 0.0), (0.0, 0.0));
    for &x in values {
        count += 1.0;
        let delta = x - (mean.0 + mean.1);
        mean = kahan::add(delta / count, mean.0, mean.1);
        squares = kahan::add(delta * (x - (mean.0 + mean.1)), squares.0, squares.1);
    }
    (squares.0 + squares.1) / count
}

/// A line through a window: slope per second and value at the asked time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Change per second.
    pub slope: f64,
    /// Value at the time that was asked for.
    pub intercept: f64,
}

/// Mergeable first and second moments of times (seconds) and values.
#[derive(Clone, Copy)]
struct Regression {
    count: f64,
    time: f64,
    mean: f64,
    time_squares: f64,
    products: f64,
}

impl Merge for Regression {
    #[inline]
    fn merge(self, later: Self) -> Self {
        let count = self.count + later.count;
        let (share, weight) = (later.count / count, self.count * later.count / count);
        let (time, mean) = (later.time - self.time, later.mean - self.mean);
        Self {
            count,
            time: self.time + time * share,
            mean: self.mean + mean * share,
            time_squares: self.time_squares + later.time_squares + time * time * weight,
            products: self.products + later.products + time * mean * weight,
        }
    }
}

/// Least-squares lines through every window with at least two samples; `zero(step)` is the time (milliseconds) at which the
/// intercept is taken.
pub fn lines(
    values: &[f64],
    timestamps: &[i64],
    windows: &Windows,
    zero: impl Fn(usize) -> i64,
    mut emit: impl FnMut(usize, Line),
) {
    if !tame(values) {
        for (step, window) in windows.iter().enumerate().filter(|(_, window)| window.len() > 1) {
            emit(step, line(&values[window.clone()], &timestamps[window], zero(step)));
        }
        return;
    }
    let base = timestamps.first().copied().unwrap_or_default();
    let changed = running_count(values, |a, b| a != b);
    let lift = |i: usize| Regression {
        count: 1.0,
        time: (timestamps[i] - base) as f64 / 1000.0,
        mean: values[i],
        time_squares: 0.0,
        products: 0.0,
    };
    slide(windows, lift, |step, r| {
        let window = windows.get(step);
        if window.len() < 2 {
            return;
        }
        if changed[window.end - 1] == changed[window.start] {
            return emit(step, Line { slope: 0.0, intercept: values[window.start] });
        }
        let slope = r.products / r.time_squares;
        let zero = (zero(step) - base) as f64 / 1000.0;
        emit(step, Line { slope, intercept: r.mean + slope * (zero - r.time) });
    });
}

/// The least-squares line through at least one sample, by compensated sums.
#[must_use]
pub fn line(values: &[f64], timestamps: &[i64], zero: i64) -> Line {
    let first = values[0];
    if values.iter().all(|&y| y == first) {
        let intercept = if first.is_infinite() { f64::NAN } else { first };
        let slope = if first.is_infinite() { f64::NAN } else { 0.0 };
        return Line { slope, intercept };
    }
    let mut sums = [kahan::Sum { sum: 0.0, compensation: 0.0 }; 4];
    for (&y, &t) in values.iter().zip(timestamps) {
        let x = (t - zero) as f64 / 1000.0;
        for (sum, term) in sums.iter_mut().zip([x, y, x * y, x * x]) {
            *sum = sum.plus(term);
        }
    }
    let n = values.len() as f64;
    let [x, y, xy, xx] = sums.map(|s| s.sum + s.compensation);
    let slope = (xy - x * y / n) / (xx - x * x / n);
    Line { slope, intercept: y / n - slope * x / n }
}

/// For every index the number of neighbours up to it that satisfy `pair(previous, this)`.
#[must_use]
pub fn running_count(values: &[f64], pair: impl Fn(f64, f64) -> bool) -> Vec<u32> {
    let mut count = 0;
    let mut counts = Vec::with_capacity(values.len());
    for (index, &value) in values.iter().enumerate() {
        count += u32::from(index > 0 && pair(values[index - 1], value));
        counts.push(count);
    }
    counts
}

/// How many neighbours inside every window satisfy `pair(previous, this)`.
#[must_use]
pub fn pairs(values: &[f64], windows: &Windows, pair: impl Fn(f64, f64) -> bool) -> Vec<f64> {
    let counts = running_count(values, pair);
    let count = |w: std::ops::Range<usize>| f64::from(counts[w.end - 1] - counts[w.start]);
    windows.iter().map(|w| if w.is_empty() { ABSENT } else { count(w) }).collect()
}

/// Double exponential smoothing (Holt's linear method) of at least two values.
#[must_use]
pub fn double_exponential(values: &[f64], smoothing: f64, trend_factor: f64) -> f64 {
    let (mut before, mut level) = (0.0, values[0]);
    let mut trend = values[1] - values[0];
    for (index, &value) in values.iter().enumerate().skip(1) {
        if index > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        (before, level) = (level, smoothing * value + (1.0 - smoothing) * (level + trend));
    }
    level
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::naive::{self, same};
    use super::super::windows::{Grid, Reference};
    use super::*;

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            8 => -10.0..10.0f64, 2 => Just(3.0), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => -1e300..1e300f64
        ]
    }

    proptest! {
        #[test]
        fn sliding_statistics_agree_with_their_naive_twins(
            values in prop_oneof![
                prop::collection::vec(number(), 1..120), prop::collection::vec(-10.0..10.0f64, 1..120)
            ],
            range in 1i64..60, step in 1i64..20,
        ) {
            let timestamps: Vec<i64> = (0..).map(|t| t * 1000).take(values.len()).collect();
            let grid = Grid::range(0, 130_000, step * 1000);
            let windows = Windows::scan(&timestamps, grid, Reference::default(), range * 1000, 0);
            let each = |f: &dyn Fn(&[f64]) -> f64| per_window(&values, &windows, f);
            prop_assert!(same(&sums(&values, &windows), &each(&kahan::sum)));
            prop_assert!(same(&means(&values, &windows), &each(&kahan::mean)));
            prop_assert!(same(&variances(&values, &windows), &each(&variance)));
            prop_assert!(same(&extrema::<true>(&values, &windows), &each(&|w| naive::extreme(w, |a, b| a > b))));
            prop_assert!(same(&extrema::<false>(&values, &windows), &each(&|w| naive::extreme(w, |a, b| a < b))));
            let last_max = extrema_times::<true>(&values, &timestamps, &windows);
            for (step, window) in windows.iter().enumerate().filter(|(_, w)| !w.is_empty()) {
                let want = timestamps[naive::last_max(&values, window)] as f64 / 1000.0;
                prop_assert_eq!(last_max[step], want);
            }
            let changes = |a: f64, b: f64| a != b && !(a.is_nan() && b.is_nan());
            let count = |w: &[f64]| w.windows(2).filter(|p| changes(p[0], p[1])).count() as f64;
            prop_assert!(same(&pairs(&values, &windows, changes), &each(&count)));
        }

        #[test]
        fn sliding_lines_agree_with_their_naive_twin(
            values in prop::collection::vec(prop_oneof![-10.0..10.0f64, Just(2.0)], 1..120), range in 2i64..60,
        ) {
            let timestamps: Vec<i64> = (0..).map(|t| t * 1500).take(values.len()).collect();
            let grid = Grid::range(0, 130_000, 1000);
            let windows = Windows::scan(&timestamps, grid, Reference::default(), range * 1000, 0);
            let zero = |step: usize| timestamps[windows.get(step).start];
            lines(&values, &timestamps, &windows, zero, |step, got| {
                let want = line(&values[windows.get(step)], &timestamps[windows.get(step)], zero(step));
                assert!(naive::close(got.slope, want.slope, 1e-9) && naive::close(got.intercept, want.intercept, 1e-9));
            });
        }
    }
}
