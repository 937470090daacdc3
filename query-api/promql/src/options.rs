//! What can be switched.
//!
//! Knows: the switches and their defaults. Must not know: who reads them.

/// Which parts of the language are understood; all by default, experimental ones too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    /// Functions and aggregations that Prometheus calls experimental.
    pub experimental_functions: bool,
    /// Arithmetic in ranges, steps and offsets.
    pub duration_expressions: bool,
    /// `anchored` and `smoothed`.
    pub extended_selectors: bool,
    /// `fill`, `fill_left` and `fill_right`.
    pub fill_modifiers: bool,
    /// How deep expressions may nest; everything that walks a tree relies on it.
    pub depth_max: usize,
    /// How long a query's text may be.
    pub text_bytes_max: usize,
}

impl Default for Syntax {
    fn default() -> Self {
        Self {
            experimental_functions: true,
            duration_expressions: true,
            extended_selectors: true,
            fill_modifiers: true,
            depth_max: 500,
            text_bytes_max: 1 << 20,
        }
    }
}

/// How expressions are evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which parts of the language are understood.
    pub syntax: Syntax,
    /// How old the sample of an instant selector may be.
    pub lookback_ms: i64,
    /// Distance of a subquery's evaluations where it names none.
    pub subquery_step_ms: i64,
    /// Metric names are dropped from the result rather than by each operation.
    pub delayed_name_removal: bool,
    /// `rate` and its kin use start timestamps where samples have them.
    pub start_timestamps: bool,
    /// `__type__` and `__unit__` are part of a metric's identity, and leave with its name.
    pub type_and_unit_labels: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            syntax: Syntax::default(),
            lookback_ms: 5 * 60 * 1000,
            subquery_step_ms: 60 * 1000,
            delayed_name_removal: true,
            start_timestamps: true,
            type_and_unit_labels: false,
        }
    }
}
