//! Room card: where samples come from, seen from the engine. Knows columns and what a query tells a store; must not know any
//! store. Start at [`SampleSource`]. [`memory::MemorySource`] is the one for tests, scripts and benches.

pub mod memory;

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::histogram::FloatHistogram;
use crate::labels::{Labels, Matcher};

/// What is selected, and what the query is about to do with it.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// All must match.
    pub matchers: &'a [Matcher],
    /// The first time of interest (milliseconds since the epoch), included.
    pub start: i64,
    /// The last time of interest, included.
    pub end: i64,
    /// What a store may use to do less; never needed for a right answer.
    pub hints: Hints<'a>,
}

/// Hints for a store.
#[derive(Clone, Debug, Default)]
pub struct Hints<'a> {
    /// The distance of the query's steps (milliseconds).
    pub step: i64,
    /// The length of the window at each step; 0 for an instant selector.
    pub range: i64,
    /// The function or aggregation that receives the samples; empty if none does.
    pub function: &'a str,
}

/// The float samples of one series in time order.
#[derive(Clone, Copy, Debug)]
pub struct Floats<'a> {
    /// Strictly ascending milliseconds since the epoch.
    ///
    /// Series that were scraped together should share one allocation: what the engine derives from timestamps, it then derives once.
    pub timestamps: &'a Arc<[i64]>,
    /// One value per timestamp; stale markers by their bits.
    pub values: &'a [f64],
    /// One start timestamp per sample (0 = unknown), or none at all.
    pub starts: &'a [i64],
}

/// The native histogram samples of one series in time order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Histograms<'a> {
    /// Strictly ascending milliseconds since the epoch; none equals a float's.
    pub timestamps: &'a [i64],
    /// One histogram per timestamp; a stale marker has a stale sum.
    pub values: &'a [Arc<FloatHistogram>],
    /// One start timestamp per sample (0 = unknown), or none at all.
    pub starts: &'a [i64],
}

/// One series of a selection. Its columns may reach beyond the selection's times.
#[derive(Clone, Copy, Debug)]
pub struct SeriesView<'a> {
    /// Its labels.
    pub labels: &'a Labels,
    /// Its floats.
    pub floats: Floats<'a>,
    /// Its histograms.
    pub histograms: Histograms<'a>,
}

/// Why a source could not answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub Box<dyn std::error::Error + Send + Sync>);

impl SourceError {
    /// An error from a message.
    #[must_use]
    pub fn new(message: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(message.into())
    }
}

/// What receives the series of a selection; `Break` means "no more, please".
pub type EachSeries<'a> = dyn FnMut(SeriesView<'_>) -> ControlFlow<()> + 'a;

/// A store of samples.
pub trait SampleSource {
    /// Calls `each` for every series that matches and may have samples in time, every series once, best sorted by labels.
    ///
    /// # Errors
    /// When the store cannot answer in full.
    fn select(&self, selection: &Selection<'_>, each: &mut EachSeries<'_>) -> Result<(), SourceError>;
}

/// Whether every matcher matches; a label that is not there has the value "".
#[must_use]
pub fn all_match(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers.iter().all(|matcher| matcher.matches(labels.get(&matcher.name)))
}
