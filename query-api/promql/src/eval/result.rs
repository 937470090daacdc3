//! From rows to the value of a query: names leave, rows that then have equal labels are merged.

use std::collections::HashMap;
use std::sync::Arc;

use super::Evaluator;
use super::window::column::Live;
use super::window::extended;
use crate::ast::{Ends, ValueType};
use crate::engine::QueryError;
use crate::kernels::windows::{Grid, Windows};
use crate::labels::Labels;
use crate::plan::{NodeId, Op};
use crate::points::{Row, Sample, is_absent};
use crate::value::{Point, Series, Value, VectorSample};

/// Merges rows of equal labels, in the order of their first appearance. Two samples at one step are an error.
pub(crate) fn merge_equal(rows: Vec<Row>) -> Result<Vec<Row>, QueryError> {
    let mut places: HashMap<Labels, usize> = HashMap::with_capacity(rows.len());
    let mut merged: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        let place = *places.entry(row.labels.clone()).or_insert(merged.len());
        let Some(into) = merged.get_mut(place) else {
            merged.push(row);
            continue;
        };
        for step in (0..row.points.steps()).filter(|&step| row.points.present(step)) {
            if into.points.present(step) {
                return Err(QueryError::execution("vector cannot contain metrics with the same labelset"));
            }
            into.points.copy(step, &row.points);
        }
    }
    Ok(merged)
}

impl Evaluator<'_> {
    fn rows(&self) -> Result<Vec<Row>, QueryError> {
        let mut rows = self.collect(self.plan.root(), self.plan.grid)?;
        for row in rows.iter_mut().filter(|row| row.drop_name) {
            row.labels = row.labels.without_metadata();
        }
        rows.retain(|row| !row.points.is_empty());
        merge_equal(rows)
    }

    pub(crate) fn instant_value(&self) -> Result<Value, QueryError> {
        let (root, grid) = (self.plan.root(), self.plan.grid);
        let time_ms = grid.start;
        match self.plan.node(root).value_type {
            ValueType::Scalar => {
                let value = self.scalar(root, grid)?.first().copied().unwrap_or(f64::NAN);
                Ok(Value::Scalar { time_ms, value })
            }
            ValueType::String => Ok(Value::String { time_ms, value: self.text(&[root], 0)?.to_owned() }),
            ValueType::Vector => {
                let sample = |row: Row| {
                    let point = match row.points.at(0)? {
                        Sample::Float(value) => Point::Float(value),
                        Sample::Histogram(histogram) => Point::Histogram(Arc::clone(histogram)),
                    };
                    Some(VectorSample { labels: row.labels, time_ms, point })
                };
                Ok(Value::Vector(self.rows()?.into_iter().filter_map(sample).collect()))
            }
            ValueType::Matrix => Ok(Value::Matrix(self.raw(root, grid)?)),
        }
    }

    pub(crate) fn range_value(&self) -> Result<Value, QueryError> {
        let (root, grid) = (self.plan.root(), self.plan.grid);
        if self.plan.node(root).value_type == ValueType::Scalar {
            let floats = grid.times().zip(self.scalar(root, grid)?).collect();
            return Ok(Value::Matrix(vec![Series { floats, ..Series::default() }]));
        }
        let mut series: Vec<Series> = self.rows()?.into_iter().map(|row| as_series(row, grid)).collect();
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(Value::Matrix(series))
    }

    /// The samples of a range vector on its own.
    fn raw(&self, id: NodeId, grid: Grid) -> Result<Vec<Series>, QueryError> {
        let mut all = Vec::new();
        match &self.plan.node(id).op {
            Op::Hoist(inner) => return self.raw(*inner, grid),
            Op::Range(matchers, window) => {
                let lookback = self.options.lookback_ms;
                let (more, ahead) = match window.ends {
                    Ends::Plain => (0, 0),
                    Ends::Anchored => (lookback, 0),
                    Ends::Smoothed => (lookback, lookback),
                };
                let end = window.reference.time(grid.start);
                let fetch = super::fetch::Fetch {
                    matchers,
                    reference: window.reference,
                    back: window.range.saturating_add(more),
                    ahead,
                    range: window.range,
                    function: "",
                };
                self.fetch(id, &fetch, grid, &mut |view| {
                    let live = Live::new(&view);
                    let scan = |times: &[i64]| {
                        Windows::scan(times, grid, window.reference, fetch.back, ahead).get(0)
                    };
                    let slice = live.slice(scan(live.floats.times()), scan(live.histograms.times()));
                    let floats = if window.ends == Ends::Plain {
                        slice.floats.times.iter().copied().zip(slice.floats.values.iter().copied()).collect()
                    } else if !slice.histograms.is_empty() {
                        return Err(QueryError::execution(
                            "anchored modifier is not supported with histograms",
                        ));
                    } else {
                        let start = end.saturating_sub(window.range);
                        extended::points(&slice.floats, window.ends == Ends::Smoothed, start, end)
                    };
                    let histograms = slice.histograms.times.iter().copied();
                    let histograms = histograms.zip(slice.histograms.values.iter().cloned()).collect();
                    let read = slice.floats.len() + slice.histograms.len();
                    self.keep(&mut all, Series { labels: view.labels.clone(), floats, histograms })?;
                    Ok(read)
                })?;
            }
            Op::Subquery(inner, step, window) => {
                let end = window.reference.time(grid.start);
                let start = end.saturating_sub(window.range).div_euclid(*step).saturating_add(1);
                let grid = Grid::range(start.saturating_mul(*step), end, *step);
                self.stream(*inner, grid, &mut |row| self.keep(&mut all, as_series(row, grid)))?;
            }
            _ => return Err(QueryError::execution("a range vector was expected")),
        }
        all.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(all)
    }

    fn keep(&self, all: &mut Vec<Series>, series: Series) -> Result<(), QueryError> {
        if !series.floats.is_empty() || !series.histograms.is_empty() {
            self.budget.hold(series.floats.len() + series.histograms.len())?;
            all.push(series);
        }
        Ok(())
    }
}

fn as_series(row: Row, grid: Grid) -> Series {
    let mut floats = Vec::with_capacity(row.points.floats.len());
    floats.extend(grid.times().zip(row.points.floats).filter(|(_, x)| !is_absent(*x)));
    let histograms = grid.times().zip(row.points.histograms).filter_map(|(t, h)| Some((t, h?))).collect();
    let labels = if row.drop_name { row.labels.without_metadata() } else { row.labels };
    Series { labels, floats, histograms }
}
