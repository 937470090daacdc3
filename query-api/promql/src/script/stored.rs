//! What Prometheus' storage gives back of the samples that a script loads.
//!
//! Knows: how hints about counter resets come to be in storage (`tsdb/chunkenc/float_histogram.go`). Must not know:
//! evaluation. Storage puts a series' histograms into chunks that hold no reset: within a chunk every sample but the
//! first says "not reset". The first one says nothing, not even if its chunk was begun because of a reset
//! (prometheus/prometheus#15346). Gauges have chunks of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::load::{Loaded, Sample};
use crate::histogram::{FloatHistogram, ResetHint};
use crate::labels::Labels;
use crate::source::memory::{MemorySource, StoredSample};
use crate::value::{Point, is_stale};

/// All that a script has loaded since it last forgot.
#[derive(Debug, Default)]
pub(super) struct Stored {
    series: BTreeMap<Labels, BTreeMap<i64, (i64, Loaded)>>,
}

impl Stored {
    pub(super) fn add(&mut self, series: &BTreeMap<Labels, Vec<Sample>>) {
        for (labels, samples) in series {
            let stored = self.series.entry(labels.clone()).or_default();
            for (time, start, value) in samples {
                stored.insert(*time, (*start, value.clone()));
            }
        }
    }

    pub(super) fn source(&self) -> MemorySource {
        MemorySource::new(self.series.iter().map(|(labels, samples)| (labels.clone(), hinted(samples))))
    }
}

fn hinted(samples: &BTreeMap<i64, (i64, Loaded)>) -> Vec<StoredSample> {
    let mut before: Option<Arc<FloatHistogram>> = None;
    let point = |value: &Loaded| match value {
        Loaded::Float(v) => {
            // a number between histograms ends their chunk; the end of a series marks histograms as well
            if !is_stale(*v) {
                before = None;
            }
            Point::Float(*v)
        }
        Loaded::Histogram(h) => {
            let hint = hint(h, before.as_deref());
            let stored = Arc::new(FloatHistogram { hint, ..(**h).clone() });
            before = Some(h.clone());
            Point::Histogram(stored)
        }
    };
    let mut point = point;
    let sample = |(time, (start, value)): (&i64, &(i64, Loaded))| StoredSample {
        time_ms: *time,
        start_ms: *start,
        point: point(value),
    };
    samples.iter().map(sample).collect()
}

fn hint(now: &FloatHistogram, before: Option<&FloatHistogram>) -> ResetHint {
    if now.hint == ResetHint::Gauge {
        return ResetHint::Gauge;
    }
    let Some(before) = before.filter(|b| b.hint != ResetHint::Gauge) else { return ResetHint::Unknown };
    let asked = FloatHistogram { hint: ResetHint::Unknown, ..now.clone() };
    let same_layout = now.schema == before.schema
        && now.zero_threshold == before.zero_threshold
        && now.custom_values == before.custom_values;
    if now.hint != ResetHint::Reset && same_layout && !asked.detect_reset(before) {
        ResetHint::NotReset
    } else {
        ResetHint::Unknown
    }
}
