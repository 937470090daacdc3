//! How two samples combine.

use std::sync::Arc;

use crate::annotation::{
    HistogramOperation, histogram_counter_reset_collision_warning,
    incompatible_bucket_layout_in_bin_op_warning, incompatible_types_in_bin_op_info,
    mismatched_custom_buckets_histograms_info,
};
use crate::ast::BinaryOp;
use crate::eval::Remarks;
use crate::functions::trim::{Keep, trim};
use crate::histogram::{FloatHistogram, ResetHint};
use crate::points::Sample;
use crate::value::Point;

/// What came of two samples.
pub(super) enum Outcome {
    /// A sample.
    Value(Point),
    /// A comparison, and whether it holds.
    Holds(bool),
    /// Nothing: the operation means nothing for these kinds.
    Nothing,
}

/// A float operation; comparisons give 0 or 1.
pub(crate) fn scalar_operation(op: BinaryOp, a: f64, b: f64) -> f64 {
    match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Mod => a % b,
        BinaryOp::Pow => a.powf(b),
        BinaryOp::Atan2 => a.atan2(b),
        op => comparison(op).map_or(f64::NAN, |compare| f64::from(u8::from(compare(a, b)))),
    }
}

/// The comparison of two floats that an operator stands for.
pub(super) fn comparison(op: BinaryOp) -> Option<fn(f64, f64) -> bool> {
    Some(match op {
        BinaryOp::Equal => |a, b| a == b,
        BinaryOp::NotEqual => |a, b| a != b,
        BinaryOp::Less => |a, b| a < b,
        BinaryOp::LessEqual => |a, b| a <= b,
        BinaryOp::Greater => |a, b| a > b,
        BinaryOp::GreaterEqual => |a, b| a >= b,
        _ => return None,
    })
}

/// Combines two samples of any kind; what means nothing is annotated.
pub(super) fn combine(op: BinaryOp, lhs: Sample<'_>, rhs: Sample<'_>, remarks: Remarks<'_>) -> Outcome {
    let shared = |histogram: FloatHistogram| Outcome::Value(Point::Histogram(Arc::new(histogram)));
    let nothing = |lhs: &str, rhs: &str| {
        remarks.plain(|span| incompatible_types_in_bin_op_info(lhs, op.symbol(), rhs, span));
        Outcome::Nothing
    };
    match (lhs, rhs) {
        (Sample::Float(_), Sample::Float(_)) if op.is_trim() => nothing("float", "float"),
        (Sample::Float(a), Sample::Float(b)) => match comparison(op) {
            Some(compare) => Outcome::Holds(compare(a, b)),
            None => Outcome::Value(Point::Float(scalar_operation(op, a, b))),
        },
        (Sample::Float(a), Sample::Histogram(b)) => match op {
            BinaryOp::Mul => shared(scaled(b, |h| h.mul(a))),
            _ => nothing("float", "histogram"),
        },
        (Sample::Histogram(a), Sample::Float(b)) => match op {
            BinaryOp::Mul => shared(scaled(a, |h| h.mul(b))),
            BinaryOp::Div => shared(scaled(a, |h| h.div(b))),
            BinaryOp::TrimUpper => shared(trim(a, b, Keep::Below)),
            BinaryOp::TrimLower => shared(trim(a, b, Keep::Above)),
            _ => nothing("histogram", "float"),
        },
        (Sample::Histogram(a), Sample::Histogram(b)) => match op {
            BinaryOp::Add | BinaryOp::Sub => sum(op, a, b, remarks).map_or(Outcome::Nothing, shared),
            BinaryOp::Equal => Outcome::Holds(a.equals(b)),
            BinaryOp::NotEqual => Outcome::Holds(!a.equals(b)),
            _ => nothing("histogram", "histogram"),
        },
    }
}

fn scaled(
    histogram: &FloatHistogram,
    scale: impl FnOnce(&mut FloatHistogram) -> &mut FloatHistogram,
) -> FloatHistogram {
    let mut scaled = histogram.clone();
    scale(&mut scaled).compact();
    scaled
}

fn sum(op: BinaryOp, a: &FloatHistogram, b: &FloatHistogram, remarks: Remarks<'_>) -> Option<FloatHistogram> {
    let mut sum = a.clone();
    let (outcome, operation) = if op == BinaryOp::Add {
        (sum.add(b), HistogramOperation::Addition)
    } else {
        (sum.sub(b), HistogramOperation::Subtraction)
    };
    let Ok(combined) = outcome else {
        remarks.plain(|span| incompatible_bucket_layout_in_bin_op_warning(op.symbol(), span));
        return None;
    };
    if op == BinaryOp::Sub {
        sum.hint = ResetHint::Gauge;
    }
    if combined.reset_collision {
        remarks.plain(|span| histogram_counter_reset_collision_warning(operation, span));
    }
    if combined.bounds_reconciled {
        remarks.plain(|span| mismatched_custom_buckets_histograms_info(operation, span));
    }
    sum.compact();
    Some(sum)
}
