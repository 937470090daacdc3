//! Sums of many histograms without losing small ones.
//!
//! Knows: Neumaier's variant of Kahan's summation, per component. Must not know: what is summed.

use super::{Buckets, Combined, FloatHistogram, Incompatible};

/// Adds `value` to `sum`, and what got lost to the compensation.
fn accumulate(value: f64, sum: f64, lost: f64) -> (f64, f64) {
    let total = sum + value;
    if total.is_infinite() {
        return (total, 0.0);
    }
    let more = if sum.abs() >= value.abs() { (sum - total) + value } else { (value - total) + sum };
    (total, lost + more)
}

impl FloatHistogram {
    /// Adds another histogram, keeping in `lost` what rounding took away; at the end `lost` is added once.
    ///
    /// # Errors
    /// When one has exponential and the other custom buckets.
    pub fn kahan_add(&mut self, other: &Self, lost: &mut Option<Self>) -> Result<Combined, Incompatible> {
        let mut done = self.check(other)?;
        let mut other = std::borrow::Cow::Borrowed(other);
        let compensation = lost.get_or_insert_with(|| Self {
            hint: self.hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            custom_values: self.custom_values.clone(),
            ..Self::default()
        });
        if self.needs_reshaping(&other) {
            done.bounds_reconciled = self.meet_compensated(other.to_mut(), compensation);
        }
        // at the end both are added: the compensation must not change what the sum says about resets
        compensation.hint = self.hint;
        let c = compensation;
        (self.zero_count, c.zero_count) = accumulate(other.zero_count, self.zero_count, c.zero_count);
        (self.count, c.count) = accumulate(other.count, self.count, c.count);
        (self.sum, c.sum) = accumulate(other.sum, self.sum, c.sum);
        self.positive = side(&self.positive, &other.positive, &mut c.positive);
        self.negative = side(&self.negative, &other.negative, &mut c.negative);
        Ok(done)
    }

    /// Gives all three the same layout.
    fn meet_compensated(&mut self, other: &mut Self, compensation: &mut Self) -> bool {
        let reconciled = self.meet(other);
        if self.uses_custom_buckets() {
            compensation.positive = super::combine::rolled_up(
                &compensation.positive,
                &compensation.custom_values,
                &self.custom_values,
            );
            compensation.custom_values = self.custom_values.clone();
        } else {
            if compensation.zero_threshold < self.zero_threshold {
                compensation.widen_zero_bucket(self.zero_threshold);
                compensation.zero_threshold = self.zero_threshold;
            }
            if compensation.schema > self.schema {
                compensation.reduce(self.schema);
            }
        }
        reconciled
    }
}

fn side(sums: &Buckets, values: &Buckets, lost: &mut Buckets) -> Buckets {
    let mut more = Vec::new();
    let totals = sums.merged(values, |index, sum, value| {
        let before = lost.get(index).unwrap_or(0.0);
        let (total, after) = accumulate(value, sum, before);
        if after != before {
            more.push((index, after - before));
        }
        total
    });
    if !more.is_empty() {
        *lost = lost.merged(&more.into_iter().collect(), |_, a, b| a + b);
    }
    totals
}
