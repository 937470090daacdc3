//! Whether histograms are equal, and whether a counter was reset between two of them.

use super::combine::rolled_up;
use super::{Buckets, FloatHistogram, ResetHint};

impl FloatHistogram {
    /// Whether both hold the same data, bit by bit; hints do not count.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        let bits = |h: &Self| [h.count, h.sum, h.zero_count].map(f64::to_bits);
        let same = |a: &Buckets, b: &Buckets| {
            a.len() == b.len()
                && a.iter().zip(b.iter()).all(|(a, b)| a.0 == b.0 && a.1.to_bits() == b.1.to_bits())
        };
        self.schema == other.schema
            && bits(self) == bits(other)
            && self.zero_threshold == other.zero_threshold
            && self.custom_values == other.custom_values
            && same(&self.positive, &other.positive)
            && same(&self.negative, &other.negative)
    }

    /// Whether the counter was reset between `previous` and this: some count went down, or the layout got finer.
    #[must_use]
    pub fn detect_reset(&self, previous: &Self) -> bool {
        match self.hint {
            ResetHint::Reset => return true,
            ResetHint::NotReset => return false,
            ResetHint::Unknown | ResetHint::Gauge => {}
        }
        if self.count < previous.count {
            return true;
        }
        if self.uses_custom_buckets() {
            return !previous.uses_custom_buckets() || self.custom_reset(previous);
        }
        if previous.uses_custom_buckets() || self.schema > previous.schema {
            return true;
        }
        if self.zero_threshold < previous.zero_threshold {
            return true;
        }
        let (zero_count, threshold) = previous.zero_count_for(self.zero_threshold);
        if threshold != self.zero_threshold || self.zero_count < zero_count {
            return true;
        }
        let mut previous = previous.clone();
        previous.reduce(self.schema);
        let outside = |index| super::bounds::exponential_bound(index, self.schema) > self.zero_threshold;
        went_down(&self.positive, &previous.positive, outside)
            || went_down(&self.negative, &previous.negative, outside)
    }

    fn custom_reset(&self, previous: &Self) -> bool {
        if self.custom_values == previous.custom_values {
            return went_down(&self.positive, &previous.positive, |_| true);
        }
        let common: Vec<f64> =
            self.custom_values.iter().filter(|b| previous.custom_values.contains(b)).copied().collect();
        let now = rolled_up(&self.positive, &self.custom_values, &common);
        let then = rolled_up(&previous.positive, &previous.custom_values, &common);
        went_down(&now, &then, |_| true)
    }
}

/// Whether a bucket of interest has fewer observations now than then.
fn went_down(now: &Buckets, then: &Buckets, of_interest: impl Fn(i32) -> bool) -> bool {
    then.iter().filter(|(index, _)| of_interest(*index)).any(|(index, before)| match now.get(index) {
        Some(count) => count < before,
        None => before != 0.0,
    })
}
