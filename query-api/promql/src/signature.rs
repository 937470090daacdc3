//! The functions of the language: names, arguments and results.
//!
//! Knows: what a call must look like. Must not know: what a function computes. Start at [`find`].

use crate::ast::ValueType;
use ValueType::{Matrix as M, Scalar as S, String as T, Vector as V};

/// What a function takes and gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// The types of its arguments; the last one's is that of all further ones.
    pub args: &'static [ValueType],
    /// How many arguments may follow or be left out, the last type counting among them.
    pub variadic: Variadic,
    /// What it gives.
    pub returns: ValueType,
    /// Whether it needs the switch for experimental functions.
    pub experimental: bool,
}

/// How the number of arguments may vary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variadic {
    /// Not at all.
    No,
    /// One less than there are types, and up to so many more than that.
    Up(usize),
    /// One less than there are types, or any greater number.
    Any,
}

const fn stable(
    name: &'static str,
    args: &'static [ValueType],
    variadic: Variadic,
    returns: ValueType,
) -> Signature {
    Signature { name, args, variadic, returns, experimental: false }
}

const fn experimental(
    name: &'static str,
    args: &'static [ValueType],
    variadic: Variadic,
    returns: ValueType,
) -> Signature {
    Signature { name, args, variadic, returns, experimental: true }
}

const NO: Variadic = Variadic::No;

/// All functions, sorted by name (Prometheus 3.14, `promql/parser/functions.go`).
pub static SIGNATURES: [Signature; 90] = [
    stable("abs", &[V], NO, V),
    stable("absent", &[V], NO, V),
    stable("absent_over_time", &[M], NO, V),
    stable("acos", &[V], NO, V),
    stable("acosh", &[V], NO, V),
    stable("asin", &[V], NO, V),
    stable("asinh", &[V], NO, V),
    stable("atan", &[V], NO, V),
    stable("atanh", &[V], NO, V),
    stable("avg_over_time", &[M], NO, V),
    stable("ceil", &[V], NO, V),
    stable("changes", &[M], NO, V),
    stable("clamp", &[V, S, S], NO, V),
    stable("clamp_max", &[V, S], NO, V),
    stable("clamp_min", &[V, S], NO, V),
    stable("cos", &[V], NO, V),
    stable("cosh", &[V], NO, V),
    stable("count_over_time", &[M], NO, V),
    stable("day_of_month", &[V], Variadic::Up(1), V),
    stable("day_of_week", &[V], Variadic::Up(1), V),
    stable("day_of_year", &[V], Variadic::Up(1), V),
    stable("days_in_month", &[V], Variadic::Up(1), V),
    stable("deg", &[V], NO, V),
    stable("delta", &[M], NO, V),
    stable("deriv", &[M], NO, V),
    experimental("double_exponential_smoothing", &[M, S, S], NO, V),
    experimental("end", &[], NO, S),
    stable("exp", &[V], NO, V),
    stable("first_over_time", &[M], NO, V),
    stable("floor", &[V], NO, V),
    stable("histogram_avg", &[V], NO, V),
    stable("histogram_count", &[V], NO, V),
    stable("histogram_fraction", &[S, S, V], NO, V),
    stable("histogram_quantile", &[S, V], NO, V),
    experimental("histogram_quantiles", &[V, T, S, S], Variadic::Up(9), V),
    stable("histogram_stddev", &[V], NO, V),
    stable("histogram_stdvar", &[V], NO, V),
    stable("histogram_sum", &[V], NO, V),
    stable("hour", &[V], Variadic::Up(1), V),
    stable("idelta", &[M], NO, V),
    stable("increase", &[M], NO, V),
    experimental("info", &[V, V], Variadic::Up(1), V),
    stable("irate", &[M], NO, V),
    stable("label_join", &[V, T, T, T], Variadic::Any, V),
    stable("label_replace", &[V, T, T, T, T], NO, V),
    stable("last_over_time", &[M], NO, V),
    stable("ln", &[V], NO, V),
    stable("log10", &[V], NO, V),
    stable("log2", &[V], NO, V),
    experimental("mad_over_time", &[M], NO, V),
    experimental("max_of", &[S, S], NO, S),
    stable("max_over_time", &[M], NO, V),
    experimental("min_of", &[S, S], NO, S),
    stable("min_over_time", &[M], NO, V),
    stable("minute", &[V], Variadic::Up(1), V),
    stable("month", &[V], Variadic::Up(1), V),
    stable("pi", &[], NO, S),
    stable("predict_linear", &[M, S], NO, V),
    stable("present_over_time", &[M], NO, V),
    stable("quantile_over_time", &[S, M], NO, V),
    stable("rad", &[V], NO, V),
    experimental("range", &[], NO, S),
    stable("rate", &[M], NO, V),
    stable("resets", &[M], NO, V),
    stable("round", &[V, S], Variadic::Up(1), V),
    stable("scalar", &[V], NO, S),
    stable("sgn", &[V], NO, V),
    stable("sin", &[V], NO, V),
    stable("sinh", &[V], NO, V),
    stable("sort", &[V], NO, V),
    experimental("sort_by_label", &[V, T], Variadic::Any, V),
    experimental("sort_by_label_desc", &[V, T], Variadic::Any, V),
    stable("sort_desc", &[V], NO, V),
    stable("sqrt", &[V], NO, V),
    experimental("start", &[], NO, S),
    experimental("start_timestamp", &[V], NO, V),
    stable("stddev_over_time", &[M], NO, V),
    stable("stdvar_over_time", &[M], NO, V),
    experimental("step", &[], NO, S),
    stable("sum_over_time", &[M], NO, V),
    stable("tan", &[V], NO, V),
    stable("tanh", &[V], NO, V),
    stable("time", &[], NO, S),
    stable("timestamp", &[V], NO, V),
    experimental("ts_of_first_over_time", &[M], NO, V),
    experimental("ts_of_last_over_time", &[M], NO, V),
    experimental("ts_of_max_over_time", &[M], NO, V),
    experimental("ts_of_min_over_time", &[M], NO, V),
    stable("vector", &[S], NO, V),
    stable("year", &[V], Variadic::Up(1), V),
];

/// The function of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Signature> {
    let at = SIGNATURES.binary_search_by(|s| s.name.cmp(name)).ok()?;
    SIGNATURES.get(at)
}

#[cfg(test)]
mod tests {
    use super::{SIGNATURES, find};

    #[test]
    fn functions_are_sorted_and_found() {
        assert!(SIGNATURES.is_sorted_by(|a, b| a.name < b.name));
        assert!(SIGNATURES.iter().all(|s| find(s.name) == Some(s)));
        assert_eq!(SIGNATURES.iter().filter(|s| s.experimental).count(), 17);
        assert_eq!(find("rat"), None);
    }
}
