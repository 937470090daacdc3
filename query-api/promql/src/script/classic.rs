//! Classic histograms as native ones with custom bounds, for `load_with_nhcb`.
//!
//! Knows: how buckets, count and sum of one time come together (`util/convertnhcb`). Must not know: scripts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::load::{Loaded, Sample};
use crate::histogram::{CUSTOM_SCHEMA, FloatHistogram};
use crate::labels::{BUCKET, Builder, Labels, METRIC_NAME};

/// What is known of a histogram at one time.
#[derive(Default)]
struct Parts {
    /// Cumulative counts by upper bound.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

/// The native histograms that the classic ones among `series` amount to.
pub(super) fn converted(series: &BTreeMap<Labels, Vec<Sample>>) -> BTreeMap<Labels, Vec<Sample>> {
    let mut found: BTreeMap<Labels, BTreeMap<i64, Parts>> = BTreeMap::new();
    for (labels, samples) in series {
        let name = labels.name();
        let suffix = ["_bucket", "_count", "_sum"].into_iter().find(|s| name.ends_with(s));
        let Some((suffix, base)) = suffix.and_then(|s| Some((s, name.strip_suffix(s)?))) else { continue };
        let bound = crate::number::float(labels.get(BUCKET)).filter(|b| !b.is_nan());
        if suffix == "_bucket" && bound.is_none() {
            continue;
        }
        let base = Builder::new(labels).delete(BUCKET).set(METRIC_NAME, base).finish();
        let times = found.entry(base).or_default();
        for (time, _, value) in samples {
            let Loaded::Float(value) = value else { continue };
            let parts = times.entry(*time).or_default();
            match (suffix, bound) {
                ("_bucket", Some(bound)) => parts.buckets.push((bound, *value)),
                ("_count", _) => parts.count = Some(*value),
                _ => parts.sum = *value,
            }
        }
    }
    let histograms = |times: BTreeMap<i64, Parts>| {
        let sample =
            |(time, parts): (i64, Parts)| Some((time, 0, Loaded::Histogram(Arc::new(parts.histogram()?))));
        times.into_iter().filter_map(sample).collect()
    };
    found.into_iter().map(|(labels, times)| (labels, histograms(times))).collect()
}

impl Parts {
    /// The histogram, unless its counts are no histogram's.
    fn histogram(mut self) -> Option<FloatHistogram> {
        self.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.buckets.dedup_by_key(|b| b.0);
        let count = self.count.or_else(|| self.buckets.last().map(|b| b.1)).unwrap_or(0.0);
        if self.buckets.last().is_none_or(|b| b.0 != f64::INFINITY) {
            self.buckets.push((f64::INFINITY, count));
        }
        let bounds = self.buckets.iter().map(|b| b.0).filter(|b| *b != f64::INFINITY).collect();
        let mut below = 0.0;
        let mut counts = Vec::new();
        for (index, (_, cumulative)) in (0..).zip(&self.buckets) {
            if *cumulative < below {
                return None;
            }
            counts.push((index, cumulative - below));
            below = *cumulative;
        }
        if count < below {
            return None;
        }
        Some(FloatHistogram {
            schema: CUSTOM_SCHEMA,
            count,
            sum: self.sum,
            positive: counts.into_iter().collect(),
            custom_values: bounds,
            ..FloatHistogram::default()
        })
    }
}
