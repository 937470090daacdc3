//! Room card: binary operations. Knows how two samples combine and how two vectors meet; must not know where rows come from. Start at
//! [`Evaluator::binary`].
//!
//! Vectors meet by signature: the labels that are matched on. Every series gets the number of its signature once; when a signature
//! has one series on each side, which is the rule, the operation is one loop over two columns. Only signatures with several series
//! are looked at step by step.

mod joins;
mod samples;
mod sets;

pub(crate) use samples::scalar_operation;
use samples::{Outcome, combine};

use crate::ast::{BinaryOp, ValueType};
use crate::engine::QueryError;
use crate::eval::{Evaluator, Sink};
use crate::kernels::windows::Grid;
use crate::plan::{Binary, NodeId};
use crate::points::{ABSENT, Points, Row, Sample, is_absent};

impl Evaluator<'_> {
    pub(crate) fn binary(
        &self,
        id: NodeId,
        binary: &Binary,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let kind = |node: NodeId| self.plan.node(node).value_type;
        match (kind(binary.lhs), kind(binary.rhs)) {
            (ValueType::Vector, ValueType::Scalar) => self.with_scalar(id, binary, false, grid, sink),
            (ValueType::Scalar, ValueType::Vector) => self.with_scalar(id, binary, true, grid, sink),
            _ if binary.op.is_set() => self.set_operation(binary, grid, sink),
            _ => self.join(id, binary, grid, sink),
        }
    }

    /// A vector and a scalar; `swapped` if the scalar stands on the left.
    fn with_scalar(
        &self,
        id: NodeId,
        binary: &Binary,
        swapped: bool,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let (vector, scalar) = if swapped { (binary.rhs, binary.lhs) } else { (binary.lhs, binary.rhs) };
        let scalar = self.scalar(scalar, grid)?;
        let unnames = changes_meaning(binary.op) || binary.return_bool;
        let span = self.plan.node(id).span;
        let each = |sink: &mut Sink<'_>| {
            self.stream(vector, grid, &mut |row| {
                let Row { labels, drop_name, points } = row;
                let remarks = self.remarks(&labels, span);
                let points = match fast(binary, swapped, points, &scalar) {
                    Ok(done) => done,
                    Err(points) => {
                        let mut out = Points::absent(grid.count);
                        for (step, &scalar) in scalar.iter().enumerate() {
                            let Some(sample) = points.at(step) else { continue };
                            let scalar = Sample::Float(scalar);
                            let (lhs, rhs) = if swapped { (scalar, sample) } else { (sample, scalar) };
                            let outcome = combine(binary.op, lhs, rhs, remarks);
                            finish(binary, outcome, sample, step, &mut out);
                        }
                        out
                    }
                };
                if points.is_empty() { Ok(()) } else { sink(Row { labels, drop_name, points }) }
            })
        };
        if unnames { self.unnaming(sink, each) } else { each(sink) }
    }
}

/// Stores what an operation with a scalar gave; a comparison that holds keeps the vector's sample.
fn finish(binary: &Binary, outcome: Outcome, sample: Sample<'_>, step: usize, out: &mut Points) {
    match outcome {
        Outcome::Value(point) => out.put(step, point),
        Outcome::Holds(holds) if binary.return_bool => out.set(step, f64::from(u8::from(holds))),
        Outcome::Holds(true) => match sample {
            Sample::Float(value) => out.set(step, value),
            Sample::Histogram(histogram) => out.set_histogram(step, std::sync::Arc::clone(histogram)),
        },
        Outcome::Holds(false) | Outcome::Nothing => {}
    }
}

/// Floats and a scalar, column by column; gives the points back if they are not floats alone.
fn fast(binary: &Binary, swapped: bool, mut points: Points, scalar: &[f64]) -> Result<Points, Points> {
    if !points.histograms.is_empty() || binary.op.is_trim() {
        return Err(points);
    }
    let columns = points.floats.iter_mut().zip(scalar);
    if let Some(compare) = samples::comparison(binary.op) {
        for (x, &s) in columns.filter(|(x, _)| !is_absent(**x)) {
            let holds = if swapped { compare(s, *x) } else { compare(*x, s) };
            *x = match (binary.return_bool, holds) {
                (true, holds) => f64::from(u8::from(holds)),
                (false, true) => *x,
                (false, false) => ABSENT,
            };
        }
        return Ok(points);
    }
    match binary.op {
        BinaryOp::Add => columns.for_each(|(x, &s)| put(x, *x + s)),
        BinaryOp::Mul => columns.for_each(|(x, &s)| put(x, *x * s)),
        BinaryOp::Sub if !swapped => columns.for_each(|(x, &s)| put(x, *x - s)),
        BinaryOp::Div if !swapped => columns.for_each(|(x, &s)| put(x, *x / s)),
        op if swapped => columns.for_each(|(x, &s)| put(x, scalar_operation(op, s, *x))),
        op => columns.for_each(|(x, &s)| put(x, scalar_operation(op, *x, s))),
    }
    Ok(points)
}

/// Stores a result where there was a sample.
#[inline]
fn put(slot: &mut f64, value: f64) {
    *slot = if is_absent(*slot) { ABSENT } else { value };
}

/// Whether the result is no longer what the metric's name says.
fn changes_meaning(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::Mod
            | BinaryOp::Pow
            | BinaryOp::Atan2
    )
}
