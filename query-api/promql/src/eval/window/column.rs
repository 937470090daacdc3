//! Columns without stale markers, and slices of them.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::histogram::{FloatHistogram, ResetHint};
use crate::source::SeriesView;
use crate::value::is_stale;

/// Samples of one kind in time order; start timestamps are one per sample or none.
#[derive(Clone, Debug)]
pub(in crate::eval) struct Column<'a, V: Clone> {
    /// Shared with the source if nothing had to go.
    pub(in crate::eval) timestamps: Cow<'a, Arc<[i64]>>,
    pub(in crate::eval) values: Cow<'a, [V]>,
    pub(in crate::eval) starts: Cow<'a, [i64]>,
}

impl<V: Clone> Column<'_, V> {
    pub(in crate::eval) fn times(&self) -> &[i64] {
        &self.timestamps
    }

    pub(in crate::eval) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(in crate::eval) fn slice(&self, range: Range<usize>) -> ColumnSlice<'_, V> {
        ColumnSlice {
            times: self.timestamps.get(range.clone()).unwrap_or_default(),
            values: self.values.get(range.clone()).unwrap_or_default(),
            starts: self.starts.get(range).unwrap_or_default(),
        }
    }
}

/// A run of a column.
#[derive(Debug)]
pub(in crate::eval) struct ColumnSlice<'a, V> {
    pub(in crate::eval) times: &'a [i64],
    pub(in crate::eval) values: &'a [V],
    pub(in crate::eval) starts: &'a [i64],
}

impl<V> Clone for ColumnSlice<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for ColumnSlice<'_, V> {}

impl<'a, V> ColumnSlice<'a, V> {
    pub(in crate::eval) fn len(&self) -> usize {
        self.values.len()
    }

    pub(in crate::eval) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(in crate::eval) fn at(&self, index: usize) -> Option<(&'a i64, &'a V)> {
        Some((self.times.get(index)?, self.values.get(index)?))
    }

    /// The start timestamp of a sample; 0 = unknown.
    pub(in crate::eval) fn start(&self, index: usize) -> i64 {
        self.starts.get(index).copied().unwrap_or(0)
    }
}

/// The samples of one series in one window.
#[derive(Clone, Copy, Debug)]
pub(in crate::eval) struct Slice<'a> {
    pub(in crate::eval) floats: ColumnSlice<'a, f64>,
    pub(in crate::eval) histograms: ColumnSlice<'a, Arc<FloatHistogram>>,
}

impl Slice<'_> {
    pub(in crate::eval) fn is_empty(&self) -> bool {
        self.floats.is_empty() && self.histograms.is_empty()
    }
}

/// One series without its stale markers.
#[derive(Clone, Debug)]
pub(in crate::eval) struct Live<'a> {
    pub(in crate::eval) floats: Column<'a, f64>,
    pub(in crate::eval) histograms: Column<'a, Arc<FloatHistogram>>,
}

impl<'a> Live<'a> {
    pub(in crate::eval) fn new(view: &SeriesView<'a>) -> Self {
        let floats = &view.floats;
        // one pass that a compiler can vectorise decides whether a second one is needed
        let some_nan =
            floats.values.chunks(8).any(|block| block.iter().fold(false, |any, x| any | x.is_nan()));
        let floats = if some_nan && floats.values.iter().any(|&x| is_stale(x)) {
            filtered(floats.timestamps, floats.values, floats.starts, |&x| is_stale(x))
        } else {
            Column {
                timestamps: Cow::Borrowed(floats.timestamps),
                values: Cow::Borrowed(floats.values),
                starts: Cow::Borrowed(floats.starts),
            }
        };
        let found = &view.histograms;
        let histograms = filtered(found.timestamps, found.values, found.starts, |h| is_stale(h.sum));
        Self { floats, histograms }
    }

    /// Keeps only count and sum of histograms, with hints that say what the buckets would have said about resets.
    pub(in crate::eval) fn summarise(&mut self) {
        self.histograms.values = Cow::Owned(summaries(&self.histograms.values));
    }

    pub(in crate::eval) fn slice(&self, floats: Range<usize>, histograms: Range<usize>) -> Slice<'_> {
        Slice { floats: self.floats.slice(floats), histograms: self.histograms.slice(histograms) }
    }
}

fn filtered<'a, V: Clone>(
    timestamps: &[i64],
    values: &[V],
    starts: &[i64],
    stale: impl Fn(&V) -> bool,
) -> Column<'a, V> {
    let live: Vec<usize> = values.iter().enumerate().filter(|(_, v)| !stale(v)).map(|(i, _)| i).collect();
    let take = |all: &[i64]| live.iter().filter_map(|&i| all.get(i).copied()).collect::<Vec<_>>();
    Column {
        timestamps: Cow::Owned(take(timestamps).into()),
        values: Cow::Owned(live.iter().filter_map(|&i| values.get(i).cloned()).collect()),
        starts: Cow::Owned(take(starts)),
    }
}

/// Count and sum of histograms. A hint that says nothing is replaced by what comparing with the histogram before says.
pub(in crate::eval) fn summaries(histograms: &[Arc<FloatHistogram>]) -> Vec<Arc<FloatHistogram>> {
    let mut previous: Option<&FloatHistogram> = None;
    let mut summaries = Vec::with_capacity(histograms.len());
    for histogram in histograms {
        let mut hint = histogram.hint;
        if !is_stale(histogram.sum) {
            if let (ResetHint::Unknown, Some(previous)) = (hint, previous) {
                hint = if histogram.detect_reset(previous) { ResetHint::Reset } else { ResetHint::NotReset };
            }
            previous = Some(histogram);
        }
        summaries.push(Arc::new(FloatHistogram {
            hint,
            count: histogram.count,
            sum: histogram.sum,
            schema: histogram.schema,
            custom_values: Arc::clone(&histogram.custom_values),
            ..FloatHistogram::default()
        }));
    }
    summaries
}
