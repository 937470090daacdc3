//! Sums and means of native histograms, with compensation per bucket.

use crate::histogram::{FloatHistogram, Incompatible, ResetHint};

/// What was seen on the way to a sum.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// A histogram that says "the counter was reset".
    pub reset: bool,
    /// A histogram that says "it was not".
    pub not_reset: bool,
    /// Custom bounds that differed and were reconciled.
    pub reconciled: bool,
}

impl Seen {
    fn note(&mut self, histogram: &FloatHistogram) {
        self.reset |= histogram.hint == ResetHint::Reset;
        self.not_reset |= histogram.hint == ResetHint::NotReset;
    }

    /// Whether the hints contradict each other.
    #[must_use]
    pub fn collision(self) -> bool {
        self.reset && self.not_reset
    }
}

/// A running sum.
#[derive(Clone, Debug)]
pub struct Sum {
    sum: FloatHistogram,
    compensation: Option<FloatHistogram>,
    /// What was seen so far.
    pub seen: Seen,
}

impl Sum {
    /// The sum of one histogram.
    #[must_use]
    pub fn new(first: &FloatHistogram) -> Self {
        let mut seen = Seen::default();
        seen.note(first);
        Self { sum: first.clone(), compensation: None, seen }
    }

    /// Adds one more.
    ///
    /// # Errors
    /// When the bucket layouts cannot be brought together.
    pub fn push(&mut self, histogram: &FloatHistogram) -> Result<(), Incompatible> {
        self.seen.note(histogram);
        let done = self.sum.kahan_add(histogram, &mut self.compensation)?;
        self.seen.reconciled |= done.bounds_reconciled;
        Ok(())
    }

    /// The sum.
    ///
    /// # Errors
    /// When the compensation does not fit, which it always does.
    pub fn finish(mut self) -> Result<FloatHistogram, Incompatible> {
        if let Some(compensation) = &self.compensation {
            self.sum.add(compensation)?;
        }
        Ok(self.sum)
    }
}

/// A running mean: a sum, or, once that would overflow, an incremental mean.
#[derive(Clone, Debug)]
pub struct Mean {
    sum: FloatHistogram,
    compensation: Option<FloatHistogram>,
    count: f64,
    incremental: bool,
    /// What was seen so far.
    pub seen: Seen,
}

impl Mean {
    /// The mean of one histogram.
    #[must_use]
    pub fn new(first: &FloatHistogram) -> Self {
        let mut seen = Seen::default();
        seen.note(first);
        Self { sum: first.clone(), compensation: None, count: 1.0, incremental: false, seen }
    }

    /// Takes one more into account.
    ///
    /// # Errors
    /// When the bucket layouts cannot be brought together.
    pub fn push(&mut self, histogram: &FloatHistogram) -> Result<(), Incompatible> {
        self.seen.note(histogram);
        self.count += 1.0;
        if !self.incremental {
            let (mut sum, mut compensation) = (self.sum.clone(), self.compensation.clone());
            let done = sum.kahan_add(histogram, &mut compensation)?;
            self.seen.reconciled |= done.bounds_reconciled;
            if !sum.has_overflow() {
                (self.sum, self.compensation) = (sum, compensation);
                return Ok(());
            }
            self.incremental = true;
            self.sum.div(self.count - 1.0);
            if let Some(compensation) = &mut self.compensation {
                compensation.div(self.count - 1.0);
            }
        }
        let share = (self.count - 1.0) / self.count;
        if let Some(compensation) = &mut self.compensation {
            compensation.mul(share);
        }
        let mut part = histogram.clone();
        part.div(self.count);
        self.sum.mul(share);
        let done = self.sum.kahan_add(&part, &mut self.compensation)?;
        self.seen.reconciled |= done.bounds_reconciled;
        Ok(())
    }

    /// The mean.
    ///
    /// # Errors
    /// When the compensation does not fit, which it always does.
    pub fn finish(mut self) -> Result<FloatHistogram, Incompatible> {
        if !self.incremental {
            self.sum.div(self.count);
            if let Some(compensation) = &mut self.compensation {
                compensation.div(self.count);
            }
        }
        if let Some(compensation) = &self.compensation {
            self.sum.add(compensation)?;
        }
        Ok(self.sum)
    }
}
