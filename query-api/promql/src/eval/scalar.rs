//! Scalars: one number per step.

use super::Evaluator;
use crate::binary::scalar_operation;
use crate::engine::QueryError;
use crate::functions::{Function, ScalarFunction, math};
use crate::kernels::windows::Grid;
use crate::plan::{NodeId, Op};
use crate::points::is_absent;

impl Evaluator<'_> {
    pub(crate) fn scalar(&self, id: NodeId, grid: Grid) -> Result<Vec<f64>, QueryError> {
        self.budget.work(1)?;
        self.budget.allow_steps(grid.count)?;
        match &self.plan.node(id).op {
            Op::Number(number) => Ok(vec![*number; grid.count]),
            Op::Hoist(inner) => {
                let once = self.scalar(*inner, grid.first())?;
                Ok(vec![once.first().copied().unwrap_or(f64::NAN); grid.count])
            }
            Op::Negate(inner) => Ok(self.scalar(*inner, grid)?.into_iter().map(|x| -x).collect()),
            Op::Binary(binary) => {
                let (lhs, rhs) = (self.scalar(binary.lhs, grid)?, self.scalar(binary.rhs, grid)?);
                Ok(lhs.iter().zip(&rhs).map(|(&a, &b)| scalar_operation(binary.op, a, b)).collect())
            }
            Op::Call(Function::Scalar(function), args) => self.scalar_call(*function, args, grid),
            _ => Err(QueryError::execution("a scalar was expected")),
        }
    }

    fn scalar_call(
        &self,
        function: ScalarFunction,
        args: &[NodeId],
        grid: Grid,
    ) -> Result<Vec<f64>, QueryError> {
        let both = || {
            Ok::<_, QueryError>((
                self.scalar(self.arg(args, 0)?, grid)?,
                self.scalar(self.arg(args, 1)?, grid)?,
            ))
        };
        let zip = |(a, b): (Vec<f64>, Vec<f64>), f: fn(f64, f64) -> f64| {
            a.iter().zip(&b).map(|(&a, &b)| f(a, b)).collect()
        };
        match function {
            ScalarFunction::Time => Ok(grid.times().map(|time| time as f64 / 1000.0).collect()),
            ScalarFunction::MaxOf => Ok(zip(both()?, math::max)),
            ScalarFunction::MinOf => Ok(zip(both()?, math::min)),
            ScalarFunction::Scalar => {
                let mut only = vec![f64::NAN; grid.count];
                let mut found = vec![0u8; grid.count];
                self.stream(self.arg(args, 0)?, grid, &mut |row| {
                    for ((only, found), &x) in only.iter_mut().zip(&mut found).zip(&row.points.floats) {
                        if !is_absent(x) {
                            *found = found.saturating_add(1);
                            *only = if *found == 1 { x } else { f64::NAN };
                        }
                    }
                    Ok(())
                })?;
                Ok(only)
            }
        }
    }
}
