//! Neumaier's variant of Kahan's compensated sum (Neumaier 1974): the running compensation is kept beside the sum and added
//! once, at the end. An infinite sum clears the compensation, so that `inf` does not become `NaN` through `inf - inf`.

/// Adds `x` to the compensated sum `(sum, compensation)`.
#[inline]
#[must_use]
pub fn add(x: f64, sum: f64, compensation: f64) -> (f64, f64) {
    let total = sum + x;
    let (large, small) = if sum.abs() >= x.abs() { (sum, x) } else { (x, sum) };
    let lost = (large - total) + small;
    (total, if total.is_infinite() { 0.0 } else { compensation + lost })
}

/// A compensated sum that can be extended by a value or by another sum.
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    /// The plain sum.
    pub sum: f64,
    /// What the plain sum lost to rounding.
    pub compensation: f64,
}

impl Sum {
    /// Nothing summed yet. The negative zero keeps the sign of a sum of negative zeros.
    pub const EMPTY: Self = Self { sum: -0.0, compensation: 0.0 };

    /// The sum with `x` added.
    #[inline]
    #[must_use]
    pub fn plus(self, x: f64) -> Self {
        let (sum, compensation) = add(x, self.sum, self.compensation);
        Self { sum, compensation }
    }

    /// The best estimate of the sum.
    #[inline]
    #[must_use]
    pub fn value(self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.sum + self.compensation }
    }
}

/// The compensated sum of all values.
#[must_use]
pub fn sum(values: &[f64]) -> f64 {
    values.iter().fold(Sum::EMPTY, |sum, &x| sum.plus(x)).value()
}

/// The mean: a compensated sum divided by the count, or, once that sum would overflow, a compensated incremental mean.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    let mut mean = Mean::default();
    for &x in values {
        mean.push(x);
    }
    mean.value()
}

/// A running mean; see [`mean`].
#[derive(Clone, Copy, Debug)]
pub struct Mean {
    count: f64,
    sum: f64,
    compensation: f64,
    incremental: bool,
}

impl Default for Mean {
    fn default() -> Self {
        Self { count: 0.0, sum: -0.0, compensation: 0.0, incremental: false }
    }
}

impl Mean {
    /// Takes one more value into account.
    #[inline]
    pub fn push(&mut self, x: f64) {
        self.count += 1.0;
        if !self.incremental {
            let (sum, compensation) = add(x, self.sum, self.compensation);
            if self.count == 1.0 || !sum.is_infinite() {
                (self.sum, self.compensation) = (sum, compensation);
                return;
            }
            self.incremental = true;
            self.sum /= self.count - 1.0;
            self.compensation /= self.count - 1.0;
        }
        let share = (self.count - 1.0) / self.count;
        (self.sum, self.compensation) = add(x / self.count, share * self.sum, share * self.compensation);
    }

    /// How many values were pushed.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.count
    }

    /// The mean of the values pushed so far.
    #[must_use]
    pub fn value(&self) -> f64 {
        if self.incremental {
            self.sum + self.compensation
        } else {
            self.sum / self.count + self.compensation / self.count
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_keeps_what_large_terms_would_swallow() {
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum(&[5e-324, 1.0, -1.0]), 5e-324);
    }

    #[test]
    fn an_infinite_sum_stays_infinite() {
        assert_eq!(sum(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn a_mean_survives_the_overflow_of_its_sum() {
        assert_eq!(mean(&[f64::MAX, f64::MAX]), f64::MAX);
        assert_eq!(mean(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert_eq!(mean(&[f64::NEG_INFINITY, 5.0, f64::NEG_INFINITY]), f64::NEG_INFINITY);
    }
}
