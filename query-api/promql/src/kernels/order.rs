//! Order statistics: quantiles of sets and of sliding windows.

use super::windows::Windows;

/// The order of quantiles: NaN before everything, then by value.
#[must_use]
pub fn nan_first(a: f64, b: f64) -> std::cmp::Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// The φ-quantile of `values`, interpolated between the two nearest ranks; reorders `values`.
///
/// `NaN` for no values or a `NaN` φ, `-inf` below 0 and `+inf` above 1.
#[must_use]
pub fn quantile(q: f64, values: &mut [f64]) -> f64 {
    let Some((lower, weight)) = rank(q, values.len()) else { return outside(q, values.len()) };
    let (_, &mut low, above) = values.select_nth_unstable_by(lower, |a, b| nan_first(*a, *b));
    if above.is_empty() {
        return interpolate(low, low, weight);
    }
    let high = above.iter().copied().fold(f64::NAN, |least, x| match nan_first(x, least) {
        _ if x.is_nan() => x,
        _ if least.is_nan() || x < least => x,
        _ => least,
    });
    let high = if above.iter().any(|x| x.is_nan()) { f64::NAN } else { high };
    interpolate(low, high, weight)
}

/// The φ-quantile of values that are sorted by [`nan_first`].
#[must_use]
pub fn quantile_of_sorted(q: f64, sorted: &[f64]) -> f64 {
    let Some((lower, weight)) = rank(q, sorted.len()) else { return outside(q, sorted.len()) };
    let high = sorted[(lower + 1).min(sorted.len() - 1)];
    interpolate(sorted[lower], high, weight)
}

fn interpolate(low: f64, high: f64, weight: f64) -> f64 {
    low * (1.0 - weight) + high * weight
}

fn outside(q: f64, count: usize) -> f64 {
    match q {
        _ if count == 0 || q.is_nan() => f64::NAN,
        _ if q < 0.0 => f64::NEG_INFINITY,
        _ => f64::INFINITY,
    }
}

fn rank(q: f64, count: usize) -> Option<(usize, f64)> {
    if count == 0 || !(0.0..=1.0).contains(&q) {
        return None;
    }
    let rank = q * (count - 1) as f64;
    #[expect(clippy::cast_sign_loss, reason = "0 <= rank <= count - 1")]
    Some((rank.floor() as usize, rank - rank.floor()))
}

/// The quantile of every non-empty window; `q` is φ per step.
///
/// Neighbouring windows share most samples, so the window is kept sorted: a sample that enters or leaves moves the larger ones
/// by one place. When windows share little, every window is selected from nothing.
pub fn sliding_quantile(
    values: &[f64],
    windows: &Windows,
    q: impl Fn(usize) -> f64,
    mut emit: impl FnMut(usize, f64),
) {
    let mut sorted: Vec<f64> = Vec::new();
    if windows.overlap() < 2 {
        for (step, window) in windows.iter().enumerate().filter(|(_, window)| !window.is_empty()) {
            sorted.clear();
            sorted.extend_from_slice(&values[window]);
            emit(step, quantile(q(step), &mut sorted));
        }
        return;
    }
    let mut held = 0..0;
    for (step, window) in windows.iter().enumerate().filter(|(_, window)| !window.is_empty()) {
        if window.start >= held.end || window.end - held.end > window.len() / 4 {
            sorted.clear();
            sorted.extend_from_slice(&values[window.clone()]);
            sorted.sort_unstable_by(|a, b| nan_first(*a, *b));
        } else {
            for &gone in &values[held.start..window.start] {
                sorted.remove(place(&sorted, gone));
            }
            for &new in &values[held.end..window.end] {
                sorted.insert(place(&sorted, new), new);
            }
        }
        held = window;
        emit(step, quantile_of_sorted(q(step), &sorted));
    }
}

fn place(sorted: &[f64], value: f64) -> usize {
    sorted.partition_point(|&held| nan_first(held, value).is_lt())
}

/// The median absolute deviation; `NaN` if any value is.
#[must_use]
pub fn median_absolute_deviation(values: &[f64]) -> f64 {
    if values.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let mut scratch = values.to_vec();
    let median = quantile(0.5, &mut scratch);
    scratch.iter_mut().for_each(|x| *x = (*x - median).abs());
    quantile(0.5, &mut scratch)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::naive;
    use super::super::windows::{Grid, Reference};
    use super::*;

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![6 => -10.0..10.0f64, 2 => Just(1.0), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]
    }

    #[test]
    fn quantiles_outside_the_unit_interval_are_infinite() {
        assert_eq!(quantile(-0.1, &mut [1.0]), f64::NEG_INFINITY);
        assert_eq!(quantile(1.1, &mut [1.0]), f64::INFINITY);
        assert!(quantile(f64::NAN, &mut [1.0]).is_nan() && quantile(0.5, &mut []).is_nan());
    }

    #[test]
    fn nan_is_the_smallest_value_of_a_quantile() {
        assert!(quantile(0.0, &mut [1.0, f64::NAN, 3.0]).is_nan());
        assert_eq!(quantile(0.5, &mut [1.0, f64::NAN, 3.0]), 1.0);
    }

    proptest! {
        #[test]
        fn a_selected_quantile_is_the_sorted_one(q in -0.2..1.2f64, values in prop::collection::vec(number(), 0..40)) {
            let mut sorted = values.clone();
            sorted.sort_by(|a, b| nan_first(*a, *b));
            let (fast, slow) = (quantile(q, &mut values.clone()), quantile_of_sorted(q, &sorted));
            prop_assert!(naive::same(&[fast], &[slow]), "{fast} {slow}");
        }

        #[test]
        fn a_sliding_quantile_is_the_quantile_of_each_window(
            q in 0.0..1.0f64, values in prop::collection::vec(number(), 1..120), range in 1i64..60, step in 1i64..20,
        ) {
            let timestamps: Vec<i64> = (0..).take(values.len()).collect();
            let grid = Grid::range(0, 130, step);
            let windows = Windows::scan(&timestamps, grid, Reference::default(), range, 0);
            sliding_quantile(&values, &windows, |_| q, |step, got| {
                let want = quantile(q, &mut values[windows.get(step)].to_vec());
                assert!(naive::same(&[got], &[want]), "{got} {want}");
            });
        }
    }
}
