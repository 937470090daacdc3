//! What histograms say: moments, quantiles and fractions of native ones, and of classic ones given as buckets.
//!
//! Inside a bucket observations are assumed to lie evenly: on a linear scale in custom, classic and zero buckets, on a logarithmic
//! one in exponential buckets.

use crate::annotation::Monotonicity;
use crate::histogram::FloatHistogram;
use crate::kernels::kahan;

/// A number that describes a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// `histogram_count`.
    Count,
    /// `histogram_sum`.
    Sum,
    /// `histogram_avg`.
    Avg,
    /// `histogram_stddev`.
    Stddev,
    /// `histogram_stdvar`.
    Stdvar,
}

impl Moment {
    /// The function of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "histogram_count" => Self::Count,
            "histogram_sum" => Self::Sum,
            "histogram_avg" => Self::Avg,
            "histogram_stddev" => Self::Stddev,
            "histogram_stdvar" => Self::Stdvar,
            _ => return None,
        })
    }

    /// The number.
    #[must_use]
    pub fn of(self, histogram: &FloatHistogram) -> f64 {
        match self {
            Self::Count => histogram.count,
            Self::Sum => histogram.sum,
            Self::Avg => histogram.sum / histogram.count,
            Self::Stdvar => variance(histogram),
            Self::Stddev => variance(histogram).sqrt(),
        }
    }
}

/// Every observation is taken to be at the middle of its bucket: the arithmetic one of custom buckets, the geometric one of
/// exponential buckets, zero in the zero bucket.
fn variance(histogram: &FloatHistogram) -> f64 {
    let mean = histogram.sum / histogram.count;
    let custom = histogram.uses_custom_buckets();
    let mut sum = kahan::Sum { sum: 0.0, compensation: 0.0 };
    for bucket in histogram.all_buckets().filter(|bucket| bucket.count != 0.0) {
        let middle = if custom {
            f64::midpoint(bucket.lower, bucket.upper)
        } else if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
            0.0
        } else {
            (bucket.lower * bucket.upper).sqrt().copysign(bucket.upper)
        };
        let delta = middle - mean;
        sum = sum.plus(bucket.count * delta * delta);
    }
    (sum.sum + sum.compensation) / histogram.count
}

/// What NaN observations did to a quantile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NanEffect {
    /// Nothing.
    None,
    /// They count as `+Inf`, so the quantile is higher than without them.
    Skew,
    /// They hide the quantile.
    Hidden,
}

/// The φ-quantile of a native histogram.
#[must_use]
pub fn quantile(q: f64, histogram: &FloatHistogram) -> (f64, NanEffect) {
    if q < 0.0 {
        return (f64::NEG_INFINITY, NanEffect::None);
    }
    if q > 1.0 {
        return (f64::INFINITY, NanEffect::None);
    }
    if histogram.count == 0.0 || q.is_nan() {
        return (f64::NAN, NanEffect::None);
    }
    // NaN observations are in `count` but in no bucket, so then only the way from below is right
    let nan = histogram.sum.is_nan();
    if nan || q < 0.5 {
        let mut buckets = histogram.all_buckets();
        let found = descend(&mut buckets, q * histogram.count);
        inside(histogram, found, true, nan, || buckets.map(|bucket| bucket.count).sum())
    } else {
        let mut buckets = histogram.all_buckets().rev();
        let found = descend(&mut buckets, (1.0 - q) * histogram.count);
        inside(histogram, found, false, false, || 0.0)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Found {
    lower: f64,
    upper: f64,
    in_bucket: f64,
    /// Observations up to and including the bucket.
    reached: f64,
    rank: f64,
}

fn descend(buckets: &mut impl Iterator<Item = crate::histogram::Bucket>, rank: f64) -> Found {
    let mut found = Found { rank, ..Found::default() };
    for bucket in buckets {
        (found.lower, found.upper, found.in_bucket) = (bucket.lower, bucket.upper, bucket.count);
        if bucket.count == 0.0 {
            continue;
        }
        found.reached += bucket.count;
        if found.reached >= rank {
            break;
        }
    }
    found
}

fn inside(
    histogram: &FloatHistogram,
    mut found: Found,
    forward: bool,
    nan: bool,
    rest: impl FnOnce() -> f64,
) -> (f64, NanEffect) {
    let custom = histogram.uses_custom_buckets();
    if custom {
        if found.lower == f64::NEG_INFINITY {
            if found.upper <= 0.0 {
                return (found.upper, NanEffect::None);
            }
            found.lower = 0.0;
        } else if found.upper == f64::INFINITY {
            return (found.lower, NanEffect::None);
        }
    } else if found.lower < 0.0 && found.upper > 0.0 {
        (found.lower, found.upper) = zero_bounds(histogram, found.lower, found.upper);
    }
    let reached_exactly = found.reached;
    found.reached = found.reached.min(histogram.count);
    if found.reached < found.rank {
        return if nan { (f64::NAN, NanEffect::Hidden) } else { (found.upper, NanEffect::None) };
    }
    let rank =
        if forward { found.rank - (found.reached - found.in_bucket) } else { found.reached - found.rank };
    let effect =
        if nan && reached_exactly + rest() < histogram.count { NanEffect::Skew } else { NanEffect::None };
    let fraction = rank / found.in_bucket;
    let (lower, upper) = (found.lower, found.upper);
    let value = if custom || (lower <= 0.0 && upper >= 0.0) {
        lower + (upper - lower) * fraction
    } else {
        let (log_lower, log_upper) = (lower.abs().log2(), upper.abs().log2());
        if lower > 0.0 {
            (log_lower + (log_upper - log_lower) * fraction).exp2()
        } else {
            -(log_upper + (log_lower - log_upper) * (1.0 - fraction)).exp2()
        }
    };
    (value, effect)
}

/// A zero bucket ends at zero on the side on which the histogram has no buckets.
fn zero_bounds(histogram: &FloatHistogram, lower: f64, upper: f64) -> (f64, f64) {
    match (histogram.negative.is_empty(), histogram.positive.is_empty()) {
        (true, false) => (0.0, upper),
        (false, true) => (lower, 0.0),
        _ => (lower, upper),
    }
}

/// The fraction of a native histogram's observations between two bounds, and whether it has `NaN` observations, which belong to
/// no fraction.
#[must_use]
pub fn fraction(lower: f64, upper: f64, histogram: &FloatHistogram) -> (f64, bool) {
    if histogram.count == 0.0 || lower.is_nan() || upper.is_nan() {
        return (f64::NAN, false);
    }
    if lower >= upper {
        return (0.0, false);
    }
    let custom = histogram.uses_custom_buckets();
    let (mut below_lower, mut below_upper) = (None, None);
    let (mut rank, mut total) = (0.0, 0.0);
    for bucket in histogram.all_buckets() {
        total += bucket.count;
        let zero = bucket.lower <= 0.0 && bucket.upper >= 0.0;
        let (low, high) = if zero {
            zero_bounds(histogram, bucket.lower, bucket.upper)
        } else {
            (bucket.lower, bucket.upper)
        };
        let split = Split { low, high, count: bucket.count, rank, linear: custom || zero };
        below_lower = below_lower.or_else(|| split.below(lower));
        below_upper = below_upper.or_else(|| split.below(upper));
        rank += bucket.count;
    }
    let nans = histogram.sum.is_nan();
    let count = if nans { total } else { histogram.count };
    let below = |rank: Option<f64>| rank.map_or(count, |rank| if rank > count { count } else { rank });
    ((below(below_upper) - below(below_lower)) / histogram.count, nans && total < histogram.count)
}

/// A bucket and the observations below it.
struct Split {
    low: f64,
    high: f64,
    count: f64,
    rank: f64,
    linear: bool,
}

impl Split {
    /// The observations below `value`, if that is decided in this bucket.
    fn below(&self, value: f64) -> Option<f64> {
        if self.low >= value {
            return Some(self.rank);
        }
        if self.high <= value {
            return None;
        }
        if self.linear {
            // of a bucket without an end, no part can be told apart
            let part = self.count * (value - self.low) / (self.high - self.low);
            return Some(if self.low == f64::NEG_INFINITY { self.count } else { self.rank + part });
        }
        let (low, high, at) = (self.low.abs().log2(), self.high.abs().log2(), value.abs().log2());
        let fraction = if value > 0.0 { (at - low) / (high - low) } else { 1.0 - (at - high) / (low - high) };
        Some(self.rank + self.count * fraction)
    }
}

/// A bucket of a classic histogram: how many observations are at most `upper`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Upper bound, included.
    pub upper: f64,
    /// Observations up to it.
    pub count: f64,
}

/// Differences of counts below this share are rounding.
const ROUNDING: f64 = 1e-12;

/// Whether two counts differ by no more than rounding.
fn nearly(a: f64, b: f64) -> bool {
    if a.is_nan() && b.is_nan() || a == b {
        return true;
    }
    let (difference, size) = ((a - b).abs(), a.abs() + b.abs());
    if a == 0.0 || b == 0.0 || size < f64::MIN_POSITIVE {
        return difference < ROUNDING * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < ROUNDING
}

/// Merges buckets of equal bounds; `buckets` must be sorted by bound.
fn coalesce(buckets: &mut Vec<Bucket>) {
    buckets.dedup_by(|next, kept| {
        let same = next.upper == kept.upper;
        if same {
            kept.count += next.count;
        }
        same
    });
}

/// Makes counts rise: rounding is undone in silence, a fall is undone and told.
fn make_monotonic(buckets: &mut [Bucket]) -> Option<Monotonicity> {
    let mut forced: Option<Monotonicity> = None;
    let mut previous = buckets.first()?.count;
    for bucket in buckets.iter_mut().skip(1) {
        if bucket.count == previous {
            continue;
        }
        if nearly(previous, bucket.count) {
            bucket.count = previous;
        } else if bucket.count < previous {
            let difference = previous - bucket.count;
            bucket.count = previous;
            let worst = forced.get_or_insert(Monotonicity {
                time_ms: (0, 0),
                bucket: (bucket.upper, bucket.upper),
                difference_max: difference,
                count: 0,
            });
            worst.bucket = (worst.bucket.0.min(bucket.upper), worst.bucket.1.max(bucket.upper));
            worst.difference_max = worst.difference_max.max(difference);
        } else {
            previous = bucket.count;
        }
    }
    forced
}

/// The φ-quantile of a classic histogram whose `buckets` are sorted by bound, and how counts had to be forced to rise.
///
/// In the highest bucket the answer is the bound below it; the lowest bucket starts at 0 if its bound is positive.
#[must_use]
pub fn bucket_quantile(q: f64, buckets: &mut Vec<Bucket>) -> (f64, Option<Monotonicity>) {
    if q.is_nan() {
        return (f64::NAN, None);
    }
    if q < 0.0 {
        return (f64::NEG_INFINITY, None);
    }
    if q > 1.0 {
        return (f64::INFINITY, None);
    }
    if buckets.last().is_none_or(|last| last.upper != f64::INFINITY) {
        return (f64::NAN, None);
    }
    coalesce(buckets);
    let forced = make_monotonic(buckets);
    let [finite @ .., last] = buckets.as_slice() else { return (f64::NAN, forced) };
    let Some(highest) = finite.last() else { return (f64::NAN, forced) };
    if last.count == 0.0 {
        return (f64::NAN, forced);
    }
    let rank = q * last.count;
    let index = finite.iter().position(|bucket| bucket.count >= rank).unwrap_or(finite.len());
    let Some(bucket) = finite.get(index) else { return (highest.upper, forced) };
    if index == 0 && bucket.upper <= 0.0 {
        return (bucket.upper, forced);
    }
    let below = index.checked_sub(1).and_then(|below| finite.get(below));
    let (start, before) = below.map_or((0.0, 0.0), |below| (below.upper, below.count));
    (start + (bucket.upper - start) * ((rank - before) / (bucket.count - before)), forced)
}

/// The fraction of a classic histogram's observations between two bounds; `buckets` must be sorted by bound.
#[must_use]
pub fn bucket_fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if buckets.last().is_none_or(|last| last.upper != f64::INFINITY) {
        return f64::NAN;
    }
    coalesce(buckets);
    let count = buckets.last().map_or(0.0, |last| last.count);
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let (mut below_lower, mut below_upper) = (None, None);
    let mut rank = 0.0;
    let mut low =
        if buckets.first().is_some_and(|first| first.upper <= 0.0) { f64::NEG_INFINITY } else { 0.0 };
    for bucket in buckets.iter() {
        let mut split = Split { low, high: bucket.upper, count: bucket.count - rank, rank, linear: true };
        if low == f64::NEG_INFINITY {
            split.count = bucket.count;
        }
        below_lower = below_lower.or_else(|| split.below(lower));
        below_upper = below_upper.or_else(|| split.below(upper));
        (rank, low) = (bucket.count, bucket.upper);
    }
    let below = |rank: Option<f64>| rank.map_or(count, |rank| if rank > count { count } else { rank });
    (below(below_upper) - below(below_lower)) / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<Bucket> {
        pairs.iter().map(|&(upper, count)| Bucket { upper, count }).collect()
    }

    #[test]
    fn a_classic_quantile_needs_two_buckets_and_an_infinite_one() {
        assert!(bucket_quantile(0.5, &mut buckets(&[(1.0, 1.0)])).0.is_nan());
        assert!(bucket_quantile(0.5, &mut buckets(&[(f64::INFINITY, 1.0)])).0.is_nan());
        assert_eq!(bucket_quantile(0.5, &mut buckets(&[(1.0, 2.0), (f64::INFINITY, 2.0)])).0, 0.5);
    }

    #[test]
    fn falling_counts_are_forced_to_rise_and_told() {
        let mut falling = buckets(&[(1.0, 10.0), (2.0, 5.0), (f64::INFINITY, 20.0)]);
        let (_, forced) = bucket_quantile(0.9, &mut falling);
        assert_eq!(forced.unwrap().difference_max, 5.0);
        let mut rounding = buckets(&[(1.0, 10.0), (2.0, 10.0 - 1e-12), (f64::INFINITY, 20.0)]);
        assert!(bucket_quantile(0.9, &mut rounding).1.is_none());
    }

    #[test]
    fn a_classic_fraction_interpolates_linearly() {
        let mut all = buckets(&[(1.0, 2.0), (3.0, 6.0), (f64::INFINITY, 8.0)]);
        assert_eq!(bucket_fraction(0.5, 2.0, &mut all), 0.375);
    }
}
