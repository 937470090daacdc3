//! Native histograms: buckets whose bounds follow from an index.
//!
//! Knows: what Prometheus' `model/histogram.FloatHistogram` knows: exponential and custom bounds, resolution, zero
//! bucket, resets, and how histograms combine. Must not know: samples, series or queries.
//! Start at [`FloatHistogram`]; bounds are in `bounds`, combining in `combine`, comparing in `compare`.
//!
//! A histogram of schema *n* has bounds at 2^(i·2^-n) for all integers *i*: schema 0 doubles, schema 3 has eight buckets
//! per doubling. Two neighbouring buckets of schema *n* are one of schema *n*−1, so histograms of different
//! resolution meet at the lower one. Around zero one bucket of adjustable width takes what is too small for a power.
//! Schema −53 has bounds of its own in [`FloatHistogram::custom_values`], shared by all samples of a series.
//!
//! Where Prometheus keeps spans and counts apart, we keep a sorted list of (index, count): every operation is then a
//! merge of two lists.

mod bounds;
mod buckets;
mod combine;
mod compare;
mod kahan;
mod text;

use std::sync::Arc;

pub use bounds::{CUSTOM_SCHEMA, is_exponential};
pub use buckets::{Bucket, Buckets, Span};
pub use combine::{Combined, Incompatible};

/// What a histogram says about counter resets between its predecessor and itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ResetHint {
    /// Nothing: one must look.
    #[default]
    Unknown,
    /// There was a reset.
    Reset,
    /// There was none.
    NotReset,
    /// Counters reset, gauges do not: this is a gauge.
    Gauge,
}

/// A native histogram with floats for counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FloatHistogram {
    /// About resets.
    pub hint: ResetHint,
    /// Resolution, −4…8, or [`CUSTOM_SCHEMA`].
    pub schema: i32,
    /// Half the width of the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations.
    pub count: f64,
    /// Sum of the observations; its bits also mark a stale sample.
    pub sum: f64,
    /// Buckets above zero.
    pub positive: Buckets,
    /// Buckets below zero, indexed by their absolute bounds.
    pub negative: Buckets,
    /// Upper bounds of custom buckets, strictly increasing, +Inf left out; empty for exponential schemas.
    pub custom_values: Arc<[f64]>,
}

impl FloatHistogram {
    /// Whether the bounds are custom.
    #[must_use]
    pub fn uses_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_SCHEMA
    }

    /// Whether this marks the end of a series.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        crate::value::is_stale(self.sum)
    }

    /// The zero bucket, both bounds inclusive.
    #[must_use]
    pub fn zero_bucket(&self) -> Bucket {
        Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero_count,
            index: 0,
        }
    }

    fn bucket(&self, positive: bool, (index, count): (i32, f64)) -> Bucket {
        let upper = bounds::bound(index, self.schema, &self.custom_values);
        let lower = bounds::bound(index.saturating_sub(1), self.schema, &self.custom_values);
        let (lower, upper) = if positive { (lower, upper) } else { (-upper, -lower) };
        let custom = self.uses_custom_buckets();
        Bucket {
            lower,
            upper,
            lower_inclusive: if custom { index == 0 } else { lower < 0.0 },
            upper_inclusive: custom || upper > 0.0,
            count,
            index,
        }
    }

    /// Buckets above zero, ascending.
    pub fn positive_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> {
        self.positive.iter().map(|b| self.bucket(true, b))
    }

    /// Buckets below zero, from zero downwards.
    pub fn negative_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> {
        self.negative.iter().map(|b| self.bucket(false, b))
    }

    /// All buckets, ascending; those that reach into the zero bucket are cut at its edge, and the zero bucket is among
    /// them if it holds anything.
    pub fn all_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> {
        let edge = self.zero_threshold;
        let cut = move |mut b: Bucket| {
            if b.upper < 0.0 && b.upper > -edge {
                b.upper = -edge;
            } else if b.lower > 0.0 && b.lower < edge {
                b.lower = edge;
            }
            b
        };
        let zero = (self.zero_count > 0.0 && !self.uses_custom_buckets()).then(|| self.zero_bucket());
        self.negative_buckets().rev().map(cut).chain(zero).chain(self.positive_buckets().map(cut))
    }

    /// Whether observations of ±Inf were counted.
    #[must_use]
    pub fn has_overflow(&self) -> bool {
        self.all_buckets().any(|b| b.lower.is_infinite() || b.upper.is_infinite())
    }

    /// Multiplies every count and the sum; a negative factor makes a gauge.
    pub fn mul(&mut self, factor: f64) -> &mut Self {
        self.scale(|v| v * factor);
        if factor < 0.0 {
            self.hint = ResetHint::Gauge;
        }
        self
    }

    /// Divides every count and the sum; a negative divisor makes a gauge, zero leaves no buckets.
    pub fn div(&mut self, divisor: f64) -> &mut Self {
        self.scale(|v| v / divisor);
        if divisor == 0.0 {
            self.positive = Buckets::default();
            self.negative = Buckets::default();
        } else if divisor < 0.0 {
            self.hint = ResetHint::Gauge;
        }
        self
    }

    fn scale(&mut self, f: impl Fn(f64) -> f64) {
        self.zero_count = f(self.zero_count);
        self.count = f(self.count);
        self.sum = f(self.sum);
        self.positive.map(&f);
        self.negative.map(&f);
    }

    /// Drops empty buckets.
    pub fn compact(&mut self) -> &mut Self {
        self.positive.compact();
        self.negative.compact();
        self
    }

    /// The same observations at a lower resolution; a higher one cannot be had, custom buckets have none.
    ///
    /// As in Prometheus, a copy of another resolution knows nothing about resets.
    #[must_use]
    pub fn copy_to_schema(&self, schema: i32) -> Self {
        let mut copy = self.clone();
        if schema < self.schema && !self.uses_custom_buckets() && is_exponential(schema) {
            copy.reduce(schema);
            copy.hint = ResetHint::Unknown;
        }
        copy
    }

    /// Lowers the resolution in place.
    pub(crate) fn reduce(&mut self, schema: i32) {
        let shift = self.schema.saturating_sub(schema);
        self.positive.reduce(shift);
        self.negative.reduce(shift);
        self.schema = schema;
    }

    /// What Prometheus counts for such a sample in its limits: 16 bytes of a float sample are one.
    #[must_use]
    pub fn size_in_samples(&self) -> usize {
        let spans = self.positive.spans().len() + self.negative.spans().len();
        let buckets = self.positive.len() + self.negative.len();
        (168 + 8 * (spans + buckets + self.custom_values.len()) + 8) / 16
    }
}
