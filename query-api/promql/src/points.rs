//! Room card: what a vector is while it is evaluated: rows, one per series, with one value per step of the grid. Knows points;
//! must not know where they come from or what is done with them. Start at [`Row`].

use std::sync::Arc;

use crate::histogram::FloatHistogram;
use crate::labels::Labels;
use crate::value::STALE_NAN;

/// "No sample at this step" inside a row of floats.
///
/// The bits are those of a stale marker. No evaluation can produce them: selectors drop stale markers, literals cannot spell
/// them, and arithmetic only makes quiet NaNs, while a stale marker is a signalling one. So a stale sample that an instant
/// selector sees *is* an absent one, without a test.
pub const ABSENT: f64 = STALE_NAN;

/// Whether there is no sample.
#[inline]
#[must_use]
pub fn is_absent(value: f64) -> bool {
    value.to_bits() == ABSENT.to_bits()
}

/// The sample of a row at one step.
#[derive(Clone, Copy, Debug)]
pub enum Sample<'a> {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(&'a Arc<FloatHistogram>),
}

/// The values of one series, one per step.
#[derive(Clone, Debug, Default)]
pub struct Points {
    /// One per step; [`ABSENT`] where there is no float.
    pub floats: Vec<f64>,
    /// One per step, or none at all if no step has a histogram.
    pub histograms: Vec<Option<Arc<FloatHistogram>>>,
}

impl Points {
    /// No sample at any of `steps` steps.
    #[must_use]
    pub fn absent(steps: usize) -> Self {
        Self { floats: vec![ABSENT; steps], histograms: Vec::new() }
    }

    /// How many steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.floats.len()
    }

    /// The sample at `step`.
    #[inline]
    #[must_use]
    pub fn at(&self, step: usize) -> Option<Sample<'_>> {
        match self.floats.get(step) {
            Some(&float) if !is_absent(float) => Some(Sample::Float(float)),
            _ => self.histogram(step).map(Sample::Histogram),
        }
    }

    /// The histogram at `step`.
    #[inline]
    #[must_use]
    pub fn histogram(&self, step: usize) -> Option<&Arc<FloatHistogram>> {
        self.histograms.get(step).and_then(Option::as_ref)
    }

    /// Sets the float at `step`.
    pub fn set(&mut self, step: usize, value: f64) {
        if let Some(slot) = self.floats.get_mut(step) {
            *slot = value;
        }
    }

    /// Sets the histogram at `step`.
    pub fn set_histogram(&mut self, step: usize, histogram: Arc<FloatHistogram>) {
        if self.histograms.is_empty() {
            self.histograms.resize(self.floats.len(), None);
        }
        if let Some(slot) = self.histograms.get_mut(step) {
            *slot = Some(histogram);
        }
    }

    /// Copies the sample at `step` of `other`, if there is one.
    pub fn copy(&mut self, step: usize, other: &Self) {
        match other.at(step) {
            Some(Sample::Float(float)) => self.set(step, float),
            Some(Sample::Histogram(histogram)) => self.set_histogram(step, Arc::clone(histogram)),
            None => {}
        }
    }

    /// Removes the sample at `step`.
    pub fn clear(&mut self, step: usize) {
        self.set(step, ABSENT);
        if let Some(slot) = self.histograms.get_mut(step) {
            *slot = None;
        }
    }

    /// Whether there is a sample at `step`.
    #[inline]
    #[must_use]
    pub fn present(&self, step: usize) -> bool {
        self.at(step).is_some()
    }

    /// Whether there is no sample at any step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.floats.iter().all(|&x| is_absent(x)) && self.histograms.iter().all(Option::is_none)
    }

    /// How many steps have a sample.
    #[must_use]
    pub fn count(&self) -> usize {
        let floats = self.floats.iter().filter(|x| !is_absent(**x)).count();
        floats + self.histograms.iter().filter(|h| h.is_some()).count()
    }

    /// The same samples with every float replaced by `f` of it and no histograms.
    #[must_use]
    pub fn map_floats(mut self, f: impl Fn(f64) -> f64) -> Self {
        self.floats.iter_mut().for_each(|x| *x = if is_absent(*x) { ABSENT } else { f(*x) });
        self.histograms = Vec::new();
        self
    }

    /// The single step of an evaluation at one instant, repeated for `steps` steps.
    #[must_use]
    pub fn repeated(self, steps: usize) -> Self {
        let float = self.floats.first().copied().unwrap_or(ABSENT);
        let histogram = self.histograms.into_iter().next().flatten();
        let histograms = if histogram.is_some() { vec![histogram; steps] } else { Vec::new() };
        Self { floats: vec![float; steps], histograms }
    }
}

/// One series of a vector.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its labels, the metric name among them even when [`Self::drop_name`] is set.
    pub labels: Labels,
    /// Whether the metric name leaves when the query ends.
    pub drop_name: bool,
    /// Its values.
    pub points: Points,
}

impl Row {
    /// A row that keeps its name.
    #[must_use]
    pub fn new(labels: Labels, points: Points) -> Self {
        Self { labels, drop_name: false, points }
    }
}
