//! What an expression evaluates to.
//!
//! Knows: scalars, strings, vectors, matrices and their points. Must not know: how they came to be, or how the HTTP
//! API writes them. Start at [`Value`].

use std::sync::Arc;

use crate::ast::ValueType;
use crate::histogram::FloatHistogram;
use crate::labels::Labels;

/// The NaN that marks the end of a series: a bit pattern that no arithmetic gives.
pub const STALE_NAN: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// The NaN that arithmetic and the text `NaN` give.
pub const NORMAL_NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

/// Whether `value` marks the end of a series; equality of floats cannot tell, bits can.
#[must_use]
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN.to_bits()
}

/// One sample's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Point {
    /// A number.
    Float(f64),
    /// A native histogram; shared, because most are only passed on.
    Histogram(Arc<FloatHistogram>),
}

/// A series' one sample in an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorSample {
    /// The series.
    pub labels: Labels,
    /// Milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// The value.
    pub point: Point,
}

/// A series and its samples in time order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// The series.
    pub labels: Labels,
    /// Times in milliseconds since the Unix epoch, and numbers.
    pub floats: Vec<(i64, f64)>,
    /// Times in milliseconds since the Unix epoch, and native histograms.
    pub histograms: Vec<(i64, Arc<FloatHistogram>)>,
}

/// The value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number at a time.
    Scalar {
        /// Milliseconds since the Unix epoch.
        time_ms: i64,
        /// The number.
        value: f64,
    },
    /// A text at a time.
    String {
        /// Milliseconds since the Unix epoch.
        time_ms: i64,
        /// The text.
        value: String,
    },
    /// Series with one sample each, in the order that the query asked for.
    Vector(Vec<VectorSample>),
    /// Series with their samples, sorted by labels.
    Matrix(Vec<Series>),
}

impl Value {
    /// Which kind it is.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Scalar { .. } => ValueType::Scalar,
            Self::String { .. } => ValueType::String,
            Self::Vector(_) => ValueType::Vector,
            Self::Matrix(_) => ValueType::Matrix,
        }
    }
}
