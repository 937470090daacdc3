//! One constructor per kind of remark, with the words that Prometheus' `util/annotations` has for it.
//!
//! Knows: wording. Must not know: anything else.

use super::{Annotation, Level, Monotonicity};
use crate::ast::Span;
use crate::number::general;
use crate::quote::quoted;

/// Which operation over histograms a remark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistogramOperation {
    /// `+`
    Addition,
    /// `-`, and what subtracts inside.
    Subtraction,
    /// `sum`, `avg` and their kin over time.
    Aggregation,
}

impl HistogramOperation {
    fn name(self) -> &'static str {
        match self {
            Self::Addition => "addition",
            Self::Subtraction => "subtraction",
            Self::Aggregation => "aggregation",
        }
    }
}

fn warning(text: String, span: Span) -> Annotation {
    Annotation { level: Level::Warning, text, span, monotonicity: None }
}

fn info(text: String, span: Span) -> Annotation {
    Annotation { level: Level::Info, text, span, monotonicity: None }
}

fn with_name(text: &str, metric: &str) -> String {
    if metric.is_empty() { text.to_owned() } else { format!("{text} for metric name {}", quoted(metric)) }
}

/// A quantile outside 0…1.
#[must_use]
pub fn invalid_quantile_warning(quantile: f64, span: Span) -> Annotation {
    warning(format!("quantile value should be between 0 and 1, got {}", general(quantile)), span)
}

/// A ratio outside -1…1.
#[must_use]
pub fn invalid_ratio_warning(ratio: f64, capped: f64, span: Span) -> Annotation {
    let (ratio, capped) = (general(ratio), general(capped));
    warning(format!("ratio value should be between -1 and 1, got {ratio}, capping to {capped}"), span)
}

/// A bucket without a bound that is a number.
#[must_use]
pub fn bad_bucket_label_warning(metric: &str, label: &str, span: Span) -> Annotation {
    let text = format!("bucket label \"le\" is missing or has a malformed value of {}", quoted(label));
    warning(with_name(&text, metric), span)
}

/// Floats and histograms in one window of a function that takes either.
#[must_use]
pub fn mixed_floats_histograms_warning(metric: &str, span: Span) -> Annotation {
    warning(format!("encountered a mix of histograms and floats for metric name {}", quoted(metric)), span)
}

/// Floats and histograms in one group of an aggregation.
#[must_use]
pub fn mixed_floats_histograms_agg_warning(span: Span) -> Annotation {
    warning("encountered a mix of histograms and floats for aggregation".to_owned(), span)
}

/// A classic and a native histogram of the same name.
#[must_use]
pub fn mixed_classic_native_histograms_warning(metric: &str, span: Span) -> Annotation {
    warning(with_name("vector contains a mix of classic and native histograms", metric), span)
}

/// A counter's function over gauge histograms.
#[must_use]
pub fn native_histogram_not_counter_warning(metric: &str, span: Span) -> Annotation {
    warning(format!("this native histogram metric is not a counter: {}", quoted(metric)), span)
}

/// A gauge's function over counter histograms.
#[must_use]
pub fn native_histogram_not_gauge_warning(metric: &str, span: Span) -> Annotation {
    warning(format!("this native histogram metric is not a gauge: {}", quoted(metric)), span)
}

/// Exponential and custom buckets together.
#[must_use]
pub fn mixed_exponential_custom_histograms_warning(metric: &str, span: Span) -> Annotation {
    let text =
        "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
    warning(format!("{text} {}", quoted(metric)), span)
}

/// Two histograms that an operator cannot bring together.
#[must_use]
pub fn incompatible_bucket_layout_in_bin_op_warning(operator: &str, span: Span) -> Annotation {
    warning(format!("incompatible bucket layout encountered for binary operator {operator}"), span)
}

/// Histograms of which one claims a reset and another denies it.
#[must_use]
pub fn histogram_counter_reset_collision_warning(operation: HistogramOperation, span: Span) -> Annotation {
    warning(format!("conflicting counter resets during histogram {}", operation.name()), span)
}

/// `sort` and its kin where results are always sorted by labels.
#[must_use]
pub fn sort_in_range_query_warning(span: Span) -> Annotation {
    warning(
        "sort is ineffective for range queries since results are always ordered by labels".to_owned(),
        span,
    )
}

/// A sample that claims to have started before the sample in front of it was taken.
#[must_use]
pub fn start_timestamp_overlap_warning(metric: &str, span: Span) -> Annotation {
    let text = "sample has start time that overlaps with previous sample timestamp for metric";
    warning(format!("{text} {}", quoted(metric)), span)
}

/// A counter's function over what is not called like one.
#[must_use]
pub fn possible_non_counter_info(metric: &str, span: Span) -> Annotation {
    let text = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:";
    info(format!("{text} {}", quoted(metric)), span)
}

/// A counter's function over what is not labelled as one.
#[must_use]
pub fn possible_non_counter_label_info(metric: &str, metric_type: &str, span: Span) -> Annotation {
    let text = "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\"";
    info(format!("{text}, got {}: {}", quoted(metric_type), quoted(metric)), span)
}

/// Buckets that were not cumulative.
#[must_use]
pub fn histogram_quantile_forced_monotonicity_info(
    metric: &str,
    span: Span,
    forced: Monotonicity,
) -> Annotation {
    let text = "input to histogram_quantile needed to be fixed for monotonicity \
                (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
    Annotation { monotonicity: Some(forced), ..info(with_name(text, metric), span) }
}

/// An operator over a float and a histogram, or over histograms, that means nothing.
#[must_use]
pub fn incompatible_types_in_bin_op_info(lhs: &str, operator: &str, rhs: &str, span: Span) -> Annotation {
    let text = "incompatible sample types encountered for binary operator";
    info(format!("{text} {}: {lhs} {operator} {rhs}", quoted(operator)), span)
}

/// A histogram where an aggregation takes floats alone.
#[must_use]
pub fn histogram_ignored_in_aggregation_info(aggregation: &str, span: Span) -> Annotation {
    info(format!("ignored histogram in {aggregation} aggregation"), span)
}

/// Histograms in a window of a function that takes floats alone.
#[must_use]
pub fn histogram_ignored_in_mixed_range_info(metric: &str, span: Span) -> Annotation {
    let text = "ignored histograms in a range containing both floats and histograms for metric name";
    info(format!("{text} {}", quoted(metric)), span)
}

/// NaN observations hide the quantile.
#[must_use]
pub fn native_histogram_quantile_nan_result_info(metric: &str, span: Span) -> Annotation {
    info(with_name("input to histogram_quantile has NaN observations, result is NaN", metric), span)
}

/// NaN observations push the quantile up.
#[must_use]
pub fn native_histogram_quantile_nan_skew_info(metric: &str, span: Span) -> Annotation {
    info(with_name("input to histogram_quantile has NaN observations, result is skewed higher", metric), span)
}

/// NaN observations belong to no fraction.
#[must_use]
pub fn native_histogram_fraction_nans_info(metric: &str, span: Span) -> Annotation {
    let text = "input to histogram_fraction has NaN observations, which are excluded from all fractions";
    info(with_name(text, metric), span)
}

/// Custom bounds differed, those in common were kept.
#[must_use]
pub fn mismatched_custom_buckets_histograms_info(operation: HistogramOperation, span: Span) -> Annotation {
    info(format!("mismatched custom buckets were reconciled during {}", operation.name()), span)
}
