//! `</` and `>/`: a native histogram without the observations above or below a bound. A bucket that the bound cuts keeps the part
//! that interpolation puts on the kept side; the sum loses what the lost observations are estimated to have summed to.

use std::collections::HashMap;

use crate::histogram::{Bucket, FloatHistogram};

/// Which side is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// `</`: observations up to the bound.
    Below,
    /// `>/`: observations from the bound on.
    Above,
}

/// `histogram` without the observations on the other side of `bound`.
#[must_use]
pub fn trim(histogram: &FloatHistogram, bound: f64, keep: Keep) -> FloatHistogram {
    let mut out = histogram.clone();
    let custom = histogram.uses_custom_buckets();
    let mut tally = Tally::default();
    let mut left = HashMap::new();
    for bucket in histogram.positive_buckets() {
        left.insert(bucket.index, tally.take(&Cut { bucket, bound, keep, positive: true, custom }));
    }
    out.positive.filter_map(|index, _| left.get(&index).copied());
    left.clear();
    for bucket in histogram.negative_buckets() {
        left.insert(bucket.index, tally.take(&Cut { bucket, bound, keep, positive: false, custom }));
    }
    out.negative.filter_map(|index, _| left.get(&index).copied());
    if histogram.zero_count > 0.0 {
        let below = below(&histogram.zero_bucket(), bound, true, true);
        out.zero_count = if keep == Keep::Below { below } else { histogram.zero_count - below };
        tally.kept += out.zero_count;
    }
    out.count = tally.kept;
    out.sum = tally.sum(histogram.sum);
    out.compact();
    out
}

#[derive(Default)]
struct Tally {
    kept: f64,
    lost_sum: f64,
    positive: bool,
    negative: bool,
}

impl Tally {
    /// Counts one bucket and gives what is left of it.
    fn take(&mut self, cut: &Cut) -> f64 {
        let bucket = &cut.bucket;
        if bucket.count == 0.0 {
            return 0.0;
        }
        self.negative |= if cut.custom { bucket.lower < 0.0 || bucket.upper <= 0.0 } else { !cut.positive };
        self.positive |= if cut.custom { bucket.upper > 0.0 } else { cut.positive };
        let (kept, middle_of_lost) = cut.apply();
        self.kept += kept;
        if kept != bucket.count {
            self.lost_sum += (bucket.count - kept) * middle_of_lost;
        }
        kept
    }

    /// The sum that is left; it cannot have a sign that no observation has.
    fn sum(&self, original: f64) -> f64 {
        let sum = original - self.lost_sum;
        let wrong_sign = (!self.negative && sum < 0.0) || (!self.positive && sum > 0.0);
        if self.kept == 0.0 || wrong_sign { 0.0 } else { sum }
    }
}

struct Cut {
    bucket: Bucket,
    bound: f64,
    keep: Keep,
    positive: bool,
    custom: bool,
}

impl Cut {
    /// What is kept, and where the lost part is taken to lie.
    fn apply(&self) -> (f64, f64) {
        let Bucket { lower, upper, count, .. } = self.bucket;
        let inside = match self.keep {
            Keep::Below if upper <= self.bound => return (count, 0.0),
            Keep::Above if lower >= self.bound => return (count, 0.0),
            Keep::Below => lower < self.bound,
            Keep::Above => upper > self.bound,
        };
        if lower.is_infinite() || upper.is_infinite() {
            let (kept, middle) = self.endless();
            return (if inside { kept } else { 0.0 }, middle);
        }
        if !inside {
            return (0.0, self.middle(lower, upper));
        }
        let below = below(&self.bucket, self.bound, self.positive, self.custom);
        match self.keep {
            Keep::Below => (below, self.cut_middle(lower)),
            Keep::Above => (count - below, self.cut_middle(upper)),
        }
    }

    /// The middle of a bucket that is lost in full.
    fn middle(&self, lower: f64, upper: f64) -> f64 {
        if self.custom { f64::midpoint(lower, upper) } else { geometric(lower, upper, true) }
    }

    /// The middle that stands for the lost part of a bucket that is cut: between the bound and the end that is kept.
    fn cut_middle(&self, end: f64) -> f64 {
        if self.custom {
            return f64::midpoint(self.bucket.lower, self.bucket.upper);
        }
        geometric(end, self.bound, self.positive)
    }

    /// A bucket without an end: nothing is known of where its observations lie, so a cut loses all of them, unless its known end
    /// is positive; then it is taken to start at zero.
    fn endless(&self) -> (f64, f64) {
        let Bucket { lower, upper, count, .. } = self.bucket;
        if lower == f64::NEG_INFINITY {
            if self.bound >= 0.0 && upper > self.bound && upper.is_finite() {
                return match self.keep {
                    Keep::Below => (count * self.bound / upper, f64::midpoint(self.bound, upper)),
                    Keep::Above => (count * (1.0 - self.bound / upper), self.bound / 2.0),
                };
            }
            return (0.0, upper);
        }
        (0.0, lower)
    }
}

fn geometric(a: f64, b: f64, positive: bool) -> f64 {
    let middle = (a.abs() * b.abs()).sqrt();
    if positive { middle } else { -middle }
}

/// The part of a bucket's count that lies below `bound`.
fn below(bucket: &Bucket, bound: f64, positive: bool, linear: bool) -> f64 {
    let &Bucket { lower, upper, count, .. } = bucket;
    if bound <= lower {
        return 0.0;
    }
    if bound >= upper {
        return count;
    }
    let fraction = if linear {
        (bound - lower) / (upper - lower)
    } else {
        let (low, high, at) = (lower.abs().log2(), upper.abs().log2(), bound.abs().log2());
        if positive { (at - low) / (high - low) } else { 1.0 - (at - high) / (low - high) }
    };
    count * fraction
}
