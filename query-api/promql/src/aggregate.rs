//! Room card: aggregations: rows in, fewer rows out. Knows groups and accumulators; must not know where rows come from. Start at
//! [`Evaluator::aggregate`].
//!
//! A row's group is found once, from its labels; after that, aggregation is a loop over steps into the group's columns, without
//! hashing. Sums, means, extrema and their like keep columns of running values and let every row go; `quantile` keeps the rows,
//! `topk` a few candidates per step.

mod groups;
mod histograms;
mod pick;
mod quantile;
mod running;
mod top;
mod values;

use groups::{Groups, Key};
use running::Running;

use crate::ast::{Aggregation, Span};
use crate::engine::QueryError;
use crate::eval::{Evaluator, Sink};
use crate::kernels::windows::Grid;
use crate::plan::{Aggregate, NodeId};
use crate::points::Row;

impl Evaluator<'_> {
    pub(crate) fn aggregate(
        &self,
        id: NodeId,
        aggregate: &Aggregate,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let span = self.plan.node(id).span;
        match aggregate.op {
            Aggregation::Topk | Aggregation::Bottomk => self.top(aggregate, grid, span, sink),
            Aggregation::Limitk => self.limit(aggregate, grid, sink),
            Aggregation::LimitRatio => self.limit_ratio(aggregate, grid, sink),
            Aggregation::CountValues => self.count_values(aggregate, grid, sink),
            Aggregation::Quantile => self.quantile(aggregate, grid, sink),
            _ => self.running(aggregate, grid, sink),
        }
    }

    /// Sums, means, counts, extrema, deviations: what needs only running values.
    fn running(&self, aggregate: &Aggregate, grid: Grid, sink: &mut Sink<'_>) -> Result<(), QueryError> {
        let input = self.plan.node(aggregate.input).span;
        let mut groups: Groups<Running> = Groups::new(Key::of(aggregate));
        self.stream(aggregate.input, grid, &mut |row| {
            let (group, new) = groups.of(&row.labels, || Running::new(aggregate.op, grid.count));
            if new {
                self.budget.hold(grid.count * Running::COLUMNS)?;
            }
            group.add(&row, self.remarks(&row.labels, input));
            Ok(())
        })?;
        for (labels, group) in groups.into_iter() {
            let drop_name = group.drop_name();
            let points = group.finish(self.remarks(&labels, input));
            self.budget.release(grid.count * Running::COLUMNS);
            if !points.is_empty() {
                sink(Row { labels, drop_name, points })?;
            }
        }
        Ok(())
    }

    /// The parameter of an aggregation, one number per step.
    fn parameter(&self, aggregate: &Aggregate, grid: Grid) -> Result<(Vec<f64>, Span), QueryError> {
        let Some(param) = aggregate.param else {
            return Err(QueryError::execution("an aggregation lacks its parameter"));
        };
        Ok((self.scalar(param, grid)?, self.plan.node(param).span))
    }
}
