//! What an evaluation has to say besides its value: warnings and infos.
//!
//! Knows: every kind that Prometheus has, word for word. Must not know: when they are due. Start at [`Annotations`].

mod kinds;

pub use kinds::{
    HistogramOperation, bad_bucket_label_warning, histogram_counter_reset_collision_warning,
    histogram_ignored_in_aggregation_info, histogram_ignored_in_mixed_range_info,
    histogram_quantile_forced_monotonicity_info, incompatible_bucket_layout_in_bin_op_warning,
    incompatible_types_in_bin_op_info, invalid_quantile_warning, invalid_ratio_warning,
    mismatched_custom_buckets_histograms_info, mixed_classic_native_histograms_warning,
    mixed_exponential_custom_histograms_warning, mixed_floats_histograms_agg_warning,
    mixed_floats_histograms_warning, native_histogram_fraction_nans_info,
    native_histogram_not_counter_warning, native_histogram_not_gauge_warning,
    native_histogram_quantile_nan_result_info, native_histogram_quantile_nan_skew_info,
    possible_non_counter_info, possible_non_counter_label_info, sort_in_range_query_warning,
    start_timestamp_overlap_warning,
};

use std::collections::HashSet;

use crate::ast::Span;

/// How grave an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// The result may be wrong.
    Warning,
    /// The query may be.
    Info,
}

/// One remark.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// How grave it is.
    pub level: Level,
    /// What it says, without its level and place.
    pub text: String,
    /// The part of the query that it is about.
    pub span: Span,
    /// How far the worst bucket was from being monotonic, where that is what the remark is about.
    pub monotonicity: Option<Monotonicity>,
}

/// How much monotonicity had to be forced onto the buckets of a classic histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Monotonicity {
    /// Times (milliseconds) of the first and the last evaluation concerned.
    pub time_ms: (i64, i64),
    /// Lowest and highest bound concerned.
    pub bucket: (f64, f64),
    /// The greatest difference that was smoothed out.
    pub difference_max: f64,
    /// How many more times than once it happened.
    pub count: u64,
}

impl Annotation {
    /// The remark without its place, which is also what identifies it.
    #[must_use]
    pub fn message(&self) -> String {
        match self.level {
            Level::Warning => format!("PromQL warning: {}", self.text),
            Level::Info => format!("PromQL info: {}", self.text),
        }
    }

    /// The remark as the API shows it, with its place in `query`.
    #[must_use]
    pub fn render(&self, query: &str) -> String {
        let details = self.monotonicity.map(|m| m.to_string()).unwrap_or_default();
        format!("{}{details} ({})", self.message(), self.span.position(query))
    }
}

impl std::fmt::Display for Monotonicity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use crate::number::{general, rfc3339, significant};
        let time = |ms: i64| rfc3339(ms.div_euclid(1000));
        write!(
            f,
            ", from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
            general(self.bucket.0),
            general(self.bucket.1),
            significant(self.difference_max, 2),
            self.count + 1,
            time(self.time_ms.0),
            time(self.time_ms.1),
        )
    }
}

/// The remarks of an evaluation: each said once, in the order in which they came up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    list: Vec<Annotation>,
    seen: HashSet<(Level, String)>,
}

impl Annotations {
    /// Adds a remark, unless it was made already.
    pub fn add(&mut self, annotation: Annotation) {
        if self.seen.insert((annotation.level, annotation.text.clone())) {
            self.list.push(annotation);
        } else if let Some(new) = annotation.monotonicity {
            let same = |a: &&mut Annotation| a.level == annotation.level && a.text == annotation.text;
            if let Some(old) = self.list.iter_mut().find(same).and_then(|a| a.monotonicity.as_mut()) {
                old.merge(&new);
            }
        }
    }

    /// Adds all remarks of another evaluation.
    pub fn merge(&mut self, other: Self) {
        other.list.into_iter().for_each(|a| self.add(a));
    }

    /// The remarks.
    pub fn iter(&self) -> impl Iterator<Item = &Annotation> {
        self.list.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Moves the place of every remark, for an expression that was evaluated in another's stead.
    pub fn shift(&mut self, place: impl Fn(Span) -> Span) {
        self.list.iter_mut().for_each(|a| a.span = place(a.span));
    }

    /// Warnings and infos as the API shows them, at most `max` of each and a line that counts the rest.
    #[must_use]
    pub fn render(&self, query: &str, max: usize) -> (Vec<String>, Vec<String>) {
        let of = |level, word| {
            let all: Vec<_> = self.list.iter().filter(|a| a.level == level).collect();
            let mut lines: Vec<_> = all.iter().take(max).map(|a| a.render(query)).collect();
            if all.len() > max {
                lines.push(format!("{} more {word} annotations omitted", all.len() - max));
            }
            lines
        };
        (of(Level::Warning, "warning"), of(Level::Info, "info"))
    }
}

impl Monotonicity {
    fn merge(&mut self, other: &Self) {
        self.time_ms = (self.time_ms.0.min(other.time_ms.0), self.time_ms.1.max(other.time_ms.1));
        self.bucket = (self.bucket.0.min(other.bucket.0), self.bucket.1.max(other.bucket.1));
        self.difference_max = self.difference_max.max(other.difference_max);
        self.count += other.count + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Annotations, invalid_quantile_warning, possible_non_counter_info};
    use crate::ast::Span;

    #[test]
    fn each_remark_is_made_once_and_names_its_place() {
        let mut all = Annotations::default();
        all.add(invalid_quantile_warning(2.0, Span::new(9, 10)));
        all.add(invalid_quantile_warning(2.0, Span::new(0, 1)));
        all.add(possible_non_counter_info("x", Span::new(2, 3)));
        let (warnings, infos) = all.render("quantile(\n2, x)", 10);
        assert_eq!(warnings, ["PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"]);
        assert_eq!(
            infos,
            [
                r#"PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "x" (1:3)"#
            ]
        );
    }
}
