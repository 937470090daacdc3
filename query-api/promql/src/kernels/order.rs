//! Order statistics: quantiles of sets and of sliding windows.

use super::windows::Windows;

/// A float as an integer of the same order, `NaN` first: what quantiles are selected among, because integers compare without
/// branches.
#[inline]
#[must_use]
pub fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    if value.is_nan() {
        0
    } else if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    }
}

/// The float of a [`key`].
#[inline]
fn unkey(key: u64) -> f64 {
    match key {
        0 => f64::NAN,
        key if key >> 63 == 1 => f64::from_bits(key & !(1 << 63)),
        key => f64::from_bits(!key),
    }
}

/// The φ-quantile of `values`, interpolated between the two nearest ranks.
///
/// `NaN` for no values or a `NaN` φ, `-inf` below 0 and `+inf` above 1.
#[must_use]
pub fn quantile(q: f64, values: &[f64]) -> f64 {
    quantile_of_keys(q, &mut values.iter().map(|&x| key(x)).collect::<Vec<_>>())
}

/// [`quantile`] of values that are given as keys; reorders them.
#[must_use]
pub fn quantile_of_keys(q: f64, keys: &mut [u64]) -> f64 {
    let Some((lower, weight)) = rank(q, keys.len()) else { return outside(q, keys.len()) };
    let (_, &mut low, above) = keys.select_nth_unstable(lower);
    let high = above.iter().copied().min().unwrap_or(low);
    interpolate(unkey(low), unkey(high), weight)
}

/// The φ-quantile of values whose keys are sorted.
#[must_use]
pub fn quantile_of_sorted(q: f64, sorted: &[u64]) -> f64 {
    let Some((lower, weight)) = rank(q, sorted.len()) else { return outside(q, sorted.len()) };
    let high = sorted[(lower + 1).min(sorted.len() - 1)];
    interpolate(unkey(sorted[lower]), unkey(high), weight)
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
    let keys: Vec<u64> = values.iter().map(|&x| key(x)).collect();
    let slides = windows.overlap() >= 2;
    let mut sorted: Vec<u64> = Vec::new();
    let mut held = 0..0;
    for (step, window) in windows.iter().enumerate().filter(|(_, window)| !window.is_empty()) {
        if slides && window.start < held.end && window.end - held.end <= window.len() / 4 {
            for &gone in &keys[held.start..window.start] {
                sorted.remove(place(&sorted, gone));
            }
            for &new in &keys[held.end..window.end] {
                sorted.insert(place(&sorted, new), new);
            }
            emit(step, quantile_of_sorted(q(step), &sorted));
        } else {
            sorted.clear();
            sorted.extend_from_slice(&keys[window.clone()]);
            if slides {
                sorted.sort_unstable();
                emit(step, quantile_of_sorted(q(step), &sorted));
            } else {
                emit(step, quantile_of_keys(q(step), &mut sorted));
            }
        }
        held = window;
    }
}

fn place(sorted: &[u64], key: u64) -> usize {
    sorted.partition_point(|&held| held < key)
}

/// The median absolute deviation; `NaN` if any value is.
#[must_use]
pub fn median_absolute_deviation(values: &[f64]) -> f64 {
    if values.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let mut scratch = values.to_vec();
    let median = quantile(0.5, &scratch);
    scratch.iter_mut().for_each(|x| *x = (*x - median).abs());
    quantile(0.5, &scratch)
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
        assert_eq!(quantile(-0.1, &[1.0]), f64::NEG_INFINITY);
        assert_eq!(quantile(1.1, &[1.0]), f64::INFINITY);
        assert!(quantile(f64::NAN, &[1.0]).is_nan() && quantile(0.5, &[]).is_nan());
    }

    #[test]
    fn nan_is_the_smallest_value_of_a_quantile() {
        assert!(quantile(0.0, &[1.0, f64::NAN, 3.0]).is_nan());
        assert_eq!(quantile(0.5, &[1.0, f64::NAN, 3.0]), 1.0);
    }

    proptest! {
        #[test]
        fn keys_have_the_order_of_their_floats(a in number(), b in number()) {
            prop_assert!(naive::same(&[unkey(key(a))], &[a]));
            if !a.is_nan() && !b.is_nan() && a != b {
                prop_assert_eq!(key(a) < key(b), a < b);
            }
        }

        #[test]
        fn a_selected_quantile_is_the_sorted_one(q in -0.2..1.2f64, values in prop::collection::vec(number(), 0..40)) {
            let mut sorted: Vec<u64> = values.iter().map(|&x| key(x)).collect();
            sorted.sort_unstable();
            let (fast, slow) = (quantile(q, &values), quantile_of_sorted(q, &sorted));
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
                let want = quantile(q, &values[windows.get(step)]);
                assert!(naive::same(&[got], &[want]), "{got} {want}");
            });
        }
    }
}
