//! Room card: what the functions of the language are, grouped by how they are evaluated, and what they compute on plain values.
//! Knows numbers and histograms; must not know rows, steps or plans (`eval` does). Start at [`Function`].

pub mod accumulate;
pub mod date;
pub mod histogram;
pub mod math;
pub mod natural;
pub mod trim;

use date::Part;
use histogram::Moment;
use math::Math;

use crate::kernels::extrapolate::Change;

/// A function of the language, by the way it is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// Float in, float out, sample by sample.
    Math(Math),
    /// A part of the date that a sample (or the time) stands for.
    Date(Part),
    /// Histogram in, float out, sample by sample.
    Moment(Moment),
    /// A range vector in, one sample a series out.
    OverTime(OverTime),
    /// A scalar out.
    Scalar(ScalarFunction),
    /// Works on series rather than samples.
    Series(SeriesFunction),
    /// Classic and native histograms in, floats out.
    Distribution(Distribution),
}

/// Functions of a range vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OverTime {
    /// `rate`, `increase`, `delta`.
    Change(Change),
    /// `irate`.
    InstantRate,
    /// `idelta`.
    InstantDelta,
    /// `changes`.
    Changes,
    /// `resets`.
    Resets,
    /// `deriv`.
    Deriv,
    /// `predict_linear`.
    PredictLinear,
    /// `double_exponential_smoothing`.
    DoubleExponentialSmoothing,
    /// `absent_over_time`.
    Absent,
    /// `present_over_time`.
    Present,
    /// `count_over_time`.
    Count,
    /// `sum_over_time`.
    Sum,
    /// `avg_over_time`.
    Avg,
    /// `min_over_time`.
    Min,
    /// `max_over_time`.
    Max,
    /// `stddev_over_time`.
    Stddev,
    /// `stdvar_over_time`.
    Stdvar,
    /// `quantile_over_time`.
    Quantile,
    /// `mad_over_time`.
    Mad,
    /// `first_over_time`.
    First,
    /// `last_over_time`.
    Last,
    /// `ts_of_first_over_time`.
    TimeOfFirst,
    /// `ts_of_last_over_time`.
    TimeOfLast,
    /// `ts_of_min_over_time`.
    TimeOfMin,
    /// `ts_of_max_over_time`.
    TimeOfMax,
}

impl OverTime {
    /// Whether the result keeps the metric name: the result is one of the samples.
    #[must_use]
    pub fn keeps_name(self) -> bool {
        matches!(self, Self::First | Self::Last)
    }
}

/// Functions that give a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarFunction {
    /// `time`.
    Time,
    /// `scalar`.
    Scalar,
    /// `max_of`.
    MaxOf,
    /// `min_of`.
    MinOf,
}

/// Functions that look at labels, order, presence or time rather than at values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SeriesFunction {
    /// `vector`.
    Vector,
    /// `absent`.
    Absent,
    /// `timestamp`.
    Timestamp,
    /// `start_timestamp`.
    StartTimestamp,
    /// `label_replace`.
    LabelReplace,
    /// `label_join`.
    LabelJoin,
    /// `info`.
    Info,
    /// `sort` (ascending) and `sort_desc`.
    Sort {
        /// Whether the largest comes first.
        descending: bool,
    },
    /// `sort_by_label` (ascending) and `sort_by_label_desc`.
    SortByLabel {
        /// Whether the largest comes first.
        descending: bool,
    },
}

/// Functions of distributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// `histogram_quantile`.
    Quantile,
    /// `histogram_quantiles`.
    Quantiles,
    /// `histogram_fraction`.
    Fraction,
}

impl Function {
    /// The function of a name. `start`, `end`, `step`, `range` and `pi` are numbers by the time a plan exists.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Math::named(name)
            .map(Self::Math)
            .or_else(|| Part::named(name).map(Self::Date))
            .or_else(|| Moment::named(name).map(Self::Moment))
            .or_else(|| over_time(name).map(Self::OverTime))
            .or_else(|| other(name))
    }
}

fn over_time(name: &str) -> Option<OverTime> {
    Some(match name {
        "rate" => OverTime::Change(Change::Rate),
        "increase" => OverTime::Change(Change::Increase),
        "delta" => OverTime::Change(Change::Delta),
        "irate" => OverTime::InstantRate,
        "idelta" => OverTime::InstantDelta,
        "changes" => OverTime::Changes,
        "resets" => OverTime::Resets,
        "deriv" => OverTime::Deriv,
        "predict_linear" => OverTime::PredictLinear,
        "double_exponential_smoothing" => OverTime::DoubleExponentialSmoothing,
        "absent_over_time" => OverTime::Absent,
        "present_over_time" => OverTime::Present,
        "count_over_time" => OverTime::Count,
        "sum_over_time" => OverTime::Sum,
        "avg_over_time" => OverTime::Avg,
        "min_over_time" => OverTime::Min,
        "max_over_time" => OverTime::Max,
        "stddev_over_time" => OverTime::Stddev,
        "stdvar_over_time" => OverTime::Stdvar,
        "quantile_over_time" => OverTime::Quantile,
        "mad_over_time" => OverTime::Mad,
        "first_over_time" => OverTime::First,
        "last_over_time" => OverTime::Last,
        "ts_of_first_over_time" => OverTime::TimeOfFirst,
        "ts_of_last_over_time" => OverTime::TimeOfLast,
        "ts_of_min_over_time" => OverTime::TimeOfMin,
        "ts_of_max_over_time" => OverTime::TimeOfMax,
        _ => return None,
    })
}

fn other(name: &str) -> Option<Function> {
    use SeriesFunction as S;
    Some(match name {
        "time" => Function::Scalar(ScalarFunction::Time),
        "scalar" => Function::Scalar(ScalarFunction::Scalar),
        "max_of" => Function::Scalar(ScalarFunction::MaxOf),
        "min_of" => Function::Scalar(ScalarFunction::MinOf),
        "vector" => Function::Series(S::Vector),
        "absent" => Function::Series(S::Absent),
        "timestamp" => Function::Series(S::Timestamp),
        "start_timestamp" => Function::Series(S::StartTimestamp),
        "label_replace" => Function::Series(S::LabelReplace),
        "label_join" => Function::Series(S::LabelJoin),
        "info" => Function::Series(S::Info),
        "sort" => Function::Series(S::Sort { descending: false }),
        "sort_desc" => Function::Series(S::Sort { descending: true }),
        "sort_by_label" => Function::Series(S::SortByLabel { descending: false }),
        "sort_by_label_desc" => Function::Series(S::SortByLabel { descending: true }),
        "histogram_quantile" => Function::Distribution(Distribution::Quantile),
        "histogram_quantiles" => Function::Distribution(Distribution::Quantiles),
        "histogram_fraction" => Function::Distribution(Distribution::Fraction),
        _ => return None,
    })
}
