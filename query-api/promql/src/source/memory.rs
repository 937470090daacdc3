//! Samples in memory, for tests, scripts and benches: no index, no compression.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::{EachSeries, Floats, Histograms, SampleSource, Selection, SeriesView, SourceError, all_match};
use crate::histogram::FloatHistogram;
use crate::labels::Labels;
use crate::value::Point;

/// One series and its columns.
#[derive(Clone, Debug)]
struct Stored {
    labels: Labels,
    timestamps: Arc<[i64]>,
    values: Vec<f64>,
    starts: Vec<i64>,
    histogram_timestamps: Vec<i64>,
    histograms: Vec<Arc<FloatHistogram>>,
    histogram_starts: Vec<i64>,
}

/// A set of series, sorted by labels.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    series: Vec<Stored>,
}

/// A sample on its way into a [`MemorySource`].
#[derive(Clone, Debug)]
pub struct StoredSample {
    /// Milliseconds since the epoch.
    pub time_ms: i64,
    /// When its counter started; 0 = unknown.
    pub start_ms: i64,
    /// Its value.
    pub point: Point,
}

impl MemorySource {
    /// A source of the given series; samples of one series may come in any order and in several parts, the later of two at one
    /// time wins.
    #[must_use]
    pub fn new(series: impl IntoIterator<Item = (Labels, Vec<StoredSample>)>) -> Self {
        let mut merged: HashMap<Labels, Vec<StoredSample>> = HashMap::new();
        for (labels, samples) in series {
            merged.entry(labels).or_default().extend(samples);
        }
        let mut series: Vec<_> = merged.into_iter().map(|(labels, samples)| store(labels, samples)).collect();
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Self { series }
    }

    /// A source of floats whose timestamp columns may be shared between series.
    #[must_use]
    pub fn from_columns(columns: impl IntoIterator<Item = (Labels, Arc<[i64]>, Vec<f64>)>) -> Self {
        let mut series: Vec<_> = columns
            .into_iter()
            .map(|(labels, timestamps, values)| Stored {
                labels,
                timestamps,
                values,
                starts: Vec::new(),
                histogram_timestamps: Vec::new(),
                histograms: Vec::new(),
                histogram_starts: Vec::new(),
            })
            .collect();
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Self { series }
    }

    /// How many series.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}

fn store(labels: Labels, mut samples: Vec<StoredSample>) -> Stored {
    samples.sort_by_key(|sample| sample.time_ms);
    samples.reverse();
    samples.dedup_by_key(|sample| sample.time_ms);
    samples.reverse();
    let mut stored = Stored {
        labels,
        timestamps: Arc::from([]),
        values: Vec::new(),
        starts: Vec::new(),
        histogram_timestamps: Vec::new(),
        histograms: Vec::new(),
        histogram_starts: Vec::new(),
    };
    let mut timestamps = Vec::new();
    for StoredSample { time_ms, start_ms, point } in samples {
        match point {
            Point::Float(value) => {
                timestamps.push(time_ms);
                stored.values.push(value);
                stored.starts.push(start_ms);
            }
            Point::Histogram(histogram) => {
                stored.histogram_timestamps.push(time_ms);
                stored.histograms.push(histogram);
                stored.histogram_starts.push(start_ms);
            }
        }
    }
    stored.timestamps = timestamps.into();
    for starts in [&mut stored.starts, &mut stored.histogram_starts] {
        if starts.iter().all(|&start| start == 0) {
            starts.clear();
        }
    }
    stored
}

impl SampleSource for MemorySource {
    fn select(&self, selection: &Selection<'_>, each: &mut EachSeries<'_>) -> Result<(), SourceError> {
        for stored in self.series.iter().filter(|stored| all_match(selection.matchers, &stored.labels)) {
            let view = SeriesView {
                labels: &stored.labels,
                floats: Floats {
                    timestamps: &stored.timestamps,
                    values: &stored.values,
                    starts: &stored.starts,
                },
                histograms: Histograms {
                    timestamps: &stored.histogram_timestamps,
                    values: &stored.histograms,
                    starts: &stored.histogram_starts,
                },
            };
            if each(view) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}
