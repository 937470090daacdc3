//! `and`, `or`, `unless`: series come through or not, step by step, by whether their signature is present on the other side.

use super::joins::{Signatures, numbered};
use crate::ast::BinaryOp;
use crate::engine::QueryError;
use crate::eval::{Evaluator, Sink, merge_equal};
use crate::kernels::windows::Grid;
use crate::plan::Binary;
use crate::points::Row;

/// For every signature and step whether a series is present.
struct Presence {
    steps: usize,
    flags: Vec<bool>,
}

impl Presence {
    fn new(rows: &[Row], numbers: &[usize], signatures: usize, steps: usize) -> Self {
        let mut flags = vec![false; signatures * steps];
        for (row, number) in rows.iter().zip(numbers) {
            for (step, flag) in flags.iter_mut().skip(number * steps).take(steps).enumerate() {
                *flag |= row.points.present(step);
            }
        }
        Self { steps, flags }
    }

    fn at(&self, signature: usize, step: usize) -> bool {
        self.flags.get(signature * self.steps + step).copied().unwrap_or(false)
    }
}

impl Evaluator<'_> {
    pub(super) fn set_operation(
        &self,
        binary: &Binary,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let lhs = self.collect(binary.lhs, grid)?;
        let rhs = self.collect(binary.rhs, grid)?;
        let mut signatures = Signatures::new(&binary.matching);
        let left = numbered(&mut signatures, &lhs);
        let right = numbered(&mut signatures, &rhs);
        self.budget.hold(signatures.len() * grid.count / 8)?;
        self.budget.work(1 + (lhs.len() + rhs.len()) * grid.count / 256)?;
        let keep = |rows: Vec<Row>, numbers: Vec<usize>, other: &Presence, wanted: bool| {
            let rows = rows.into_iter().zip(numbers).map(|(mut row, number)| {
                for step in 0..grid.count {
                    if other.at(number, step) != wanted {
                        row.points.clear(step);
                    }
                }
                row
            });
            rows.filter(|row| !row.points.is_empty()).collect::<Vec<_>>()
        };
        self.release(&lhs);
        self.release(&rhs);
        let (count, steps) = (signatures.len(), grid.count);
        self.budget.release(count * steps / 8);
        let rows = match binary.op {
            BinaryOp::Or => {
                let present = Presence::new(&lhs, &left, count, steps);
                let mut rows = lhs;
                rows.extend(keep(rhs, right, &present, false));
                merge_equal(rows)?
            }
            op => {
                let present = Presence::new(&rhs, &right, count, steps);
                keep(lhs, left, &present, op == BinaryOp::And)
            }
        };
        rows.into_iter().try_for_each(sink)
    }
}
