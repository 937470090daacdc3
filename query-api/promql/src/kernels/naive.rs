//! The twins of the fast kernels: every window from nothing, in the plainest way.

use std::ops::Range;

use super::extrapolate::{Change, Extent};
use super::windows::Grid;
use crate::points::{ABSENT, is_absent};

pub(super) fn close(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
}

pub(super) fn same(a: &[f64], b: &[f64]) -> bool {
    let same = |(&a, &b): (&f64, &f64)| is_absent(a) == is_absent(b) && close(a, b, 1e-10);
    a.len() == b.len() && a.iter().zip(b).all(same)
}

pub(super) fn extrapolate(
    timestamps: &[i64],
    values: &[f64],
    grid: Grid,
    change: Change,
    range: i64,
) -> Vec<f64> {
    grid.times()
        .map(|time| {
            let inside: Vec<(i64, f64)> = timestamps
                .iter()
                .copied()
                .zip(values.iter().copied())
                .filter(|(t, _)| (time - range + 1..=time).contains(t))
                .collect();
            let (Some(first), Some(last), true) = (inside.first(), inside.last(), inside.len() > 1) else {
                return ABSENT;
            };
            let mut delta = last.1 - first.1;
            if change.is_counter() {
                delta += inside.windows(2).filter(|p| p[1].1 < p[0].1).map(|p| p[0].1).sum::<f64>();
            }
            let extent = Extent::new(time - range, time, first.0, last.0, inside.len());
            delta * extent.factor(change.is_counter(), first.1, delta) / change.scale(range)
        })
        .collect()
}

pub(super) fn extreme(values: &[f64], better: impl Fn(f64, f64) -> bool) -> f64 {
    values.iter().copied().fold(f64::NAN, |best, x| if best.is_nan() || better(x, best) { x } else { best })
}

pub(super) fn last_max(values: &[f64], window: Range<usize>) -> usize {
    let mut best = window.start;
    for index in window {
        if values[index] >= values[best] || values[best].is_nan() {
            best = index;
        }
    }
    best
}
