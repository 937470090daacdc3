//! `quantile`: keeps the floats of all rows of a group and selects, step by step.

use super::groups::{Groups, Key};
use crate::annotation::{histogram_ignored_in_aggregation_info, invalid_quantile_warning};
use crate::engine::QueryError;
use crate::eval::{Evaluator, Sink};
use crate::kernels::order;
use crate::kernels::windows::Grid;
use crate::plan::Aggregate;
use crate::points::{Points, Row, is_absent};

#[derive(Default)]
struct Group {
    drop_name: bool,
    rows: Vec<Vec<f64>>,
}

/// Steps that are gathered together: what one cache line of a row holds.
const BLOCK: usize = 8;

impl Evaluator<'_> {
    pub(super) fn quantile(
        &self,
        aggregate: &Aggregate,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let (quantiles, place) = self.parameter(aggregate, grid)?;
        let input = self.plan.node(aggregate.input).span;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &q in &quantiles {
            (low, high) = (low.min(q), high.max(q));
        }
        if quantiles.iter().any(|q| q.is_nan()) {
            self.annotate(invalid_quantile_warning(f64::NAN, place));
        }
        if high > 1.0 {
            self.annotate(invalid_quantile_warning(high, place));
        }
        if low < 0.0 {
            self.annotate(invalid_quantile_warning(low, place));
        }
        let mut groups: Groups<Group> = Groups::new(Key::of(aggregate));
        self.stream(aggregate.input, grid, &mut |row| {
            if row.points.histograms.iter().any(Option::is_some) {
                self.annotate(histogram_ignored_in_aggregation_info("quantile", input));
            }
            let (group, _) = groups.of(&row.labels, Group::default);
            if row.points.floats.iter().all(|&x| is_absent(x)) {
                return Ok(());
            }
            self.budget.hold(grid.count)?;
            group.drop_name |= row.drop_name;
            group.rows.push(row.points.floats);
            Ok(())
        })?;
        for (labels, group) in groups.into_iter() {
            let mut points = Points::absent(grid.count);
            self.select_quantiles(&group.rows, &quantiles, &mut points)?;
            group.rows.iter().for_each(|row| self.budget.release(row.len()));
            if !points.is_empty() {
                sink(Row { labels, drop_name: group.drop_name, points })?;
            }
        }
        Ok(())
    }

    fn select_quantiles(
        &self,
        rows: &[Vec<f64>],
        quantiles: &[f64],
        points: &mut Points,
    ) -> Result<(), QueryError> {
        let mut columns: [Vec<u64>; BLOCK] = std::array::from_fn(|_| Vec::with_capacity(rows.len()));
        for start in (0..points.steps()).step_by(BLOCK) {
            self.budget.work(1 + rows.len() * BLOCK / 256)?;
            columns.iter_mut().for_each(Vec::clear);
            for row in rows {
                for (column, &x) in columns.iter_mut().zip(row.iter().skip(start)) {
                    if !is_absent(x) {
                        column.push(order::key(x));
                    }
                }
            }
            for (column, (step, &q)) in columns.iter_mut().zip(quantiles.iter().enumerate().skip(start)) {
                if !column.is_empty() {
                    points.set(step, order::quantile_of_keys(q, column));
                }
            }
        }
        Ok(())
    }
}
