//! Functions that look at presence, order or time rather than at values.

use std::cmp::Ordering;

use super::{Evaluator, Sink};
use crate::annotation::sort_in_range_query_warning;
use crate::engine::QueryError;
use crate::functions::natural;
use crate::kernels::windows::Grid;
use crate::labels::{Labels, METRIC_NAME, MatchOp, Matcher};
use crate::plan::{NodeId, Op, Select};
use crate::points::{ABSENT, Points, Row, is_absent};

impl Evaluator<'_> {
    pub(super) fn vector(&self, scalar: NodeId, grid: Grid, sink: &mut Sink<'_>) -> Result<(), QueryError> {
        let points = Points { floats: self.scalar(scalar, grid)?, histograms: Vec::new() };
        sink(Row::new(Labels::empty(), points))
    }

    pub(super) fn absent(&self, vector: NodeId, grid: Grid, sink: &mut Sink<'_>) -> Result<(), QueryError> {
        let mut absent = vec![1.0; grid.count];
        self.stream(vector, grid, &mut |row| {
            for (step, slot) in absent.iter_mut().enumerate() {
                if row.points.present(step) {
                    *slot = ABSENT;
                }
            }
            Ok(())
        })?;
        let points = Points { floats: absent, histograms: Vec::new() };
        if points.is_empty() {
            return Ok(());
        }
        let labels =
            self.selected(vector).map_or_else(Labels::empty, |select| absent_labels(&select.matchers));
        sink(Row::new(labels, points))
    }

    /// The selector that a node is, hoisted or not.
    pub(super) fn selected(&self, id: NodeId) -> Option<&Select> {
        match &self.plan.node(id).op {
            Op::Select(select) => Some(select),
            Op::Hoist(inner) => match &self.plan.node(*inner).op {
                Op::Select(select) => Some(select),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn timestamp(
        &self,
        vector: NodeId,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        if let Some(select) = self.selected(vector).filter(|s| s.ends != crate::ast::Ends::Smoothed) {
            return self.sample_times(vector, select, false, grid, sink);
        }
        self.stream(vector, grid, &mut |row| {
            let mut points = Points::absent(grid.count);
            for (step, time) in grid.times().enumerate().filter(|(step, _)| row.points.present(*step)) {
                points.set(step, time as f64 / 1000.0);
            }
            sink(Row { points, ..row })
        })
    }

    /// Only samples that were stored have a start timestamp: any other vector gives nothing.
    pub(super) fn start_timestamp(
        &self,
        vector: NodeId,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        match self.selected(vector) {
            Some(select) if self.options.start_timestamps => {
                self.sample_times(vector, select, true, grid, sink)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn sort(
        &self,
        id: NodeId,
        vector: NodeId,
        descending: bool,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let floats = |row: Row| Row { points: row.points.map_floats(|x| x), ..row };
        if self.warn_of_sorting(id, grid) {
            return self.stream(vector, grid, &mut |row| sink(floats(row)));
        }
        let mut rows: Vec<Row> = self.collect(vector, grid)?;
        self.release(&rows);
        rows.retain(|row| row.points.floats.first().is_some_and(|x| !is_absent(*x)));
        let value = |row: &Row| row.points.floats.first().copied().unwrap_or(f64::NAN);
        rows.sort_by(|a, b| {
            let (a, b) = (value(a), value(b));
            let order = a.partial_cmp(&b).map(|order| if descending { order.reverse() } else { order });
            order.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
        });
        rows.into_iter().try_for_each(|row| sink(floats(row)))
    }

    pub(super) fn sort_by_label(
        &self,
        id: NodeId,
        args: &[NodeId],
        descending: bool,
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let vector = self.arg(args, 0)?;
        if self.warn_of_sorting(id, grid) {
            return self.stream(vector, grid, sink);
        }
        let names = (1..args.len()).map(|index| self.text(args, index)).collect::<Result<Vec<_>, _>>()?;
        let mut rows = self.collect(vector, grid)?;
        self.release(&rows);
        rows.sort_by(|a, b| {
            let by_name = |name: &&str| natural::compare(a.labels.get(name), b.labels.get(name));
            let order = names.iter().map(by_name).find(|order| order.is_ne()).unwrap_or(Ordering::Equal);
            let order = order.then_with(|| a.labels.cmp(&b.labels));
            if descending { order.reverse() } else { order }
        });
        rows.into_iter().try_for_each(sink)
    }

    /// The result of a range query is sorted by labels, whatever the query says.
    fn warn_of_sorting(&self, id: NodeId, grid: Grid) -> bool {
        if grid.count > 1 {
            self.annotate(sort_in_range_query_warning(self.plan.node(id).span));
        }
        grid.count > 1
    }
}

/// The labels that a series would have to have: those that exactly one `=` matcher asks for.
pub(super) fn absent_labels(matchers: &[Matcher]) -> Labels {
    let of = |name: &str| matchers.iter().filter(|m| m.name == name).count();
    let sure =
        matchers.iter().filter(|m| m.op == MatchOp::Equal && m.name != METRIC_NAME && of(&m.name) == 1);
    Labels::from_pairs(sure.map(|m| (&m.name, &m.value)))
}
