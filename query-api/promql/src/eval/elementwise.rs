//! Functions that make one sample of one sample.

use super::{Evaluator, Sink};
use crate::engine::QueryError;
use crate::functions::date::Part;
use crate::functions::histogram::Moment;
use crate::functions::math::{self, Math};
use crate::kernels::windows::Grid;
use crate::labels::Labels;
use crate::plan::NodeId;
use crate::points::{Points, Row, is_absent};
use crate::value::Point;

impl Evaluator<'_> {
    pub(super) fn math(
        &self,
        function: Math,
        args: &[NodeId],
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let vector = self.arg(args, 0)?;
        if let Some(plain) = function.plain() {
            return self
                .stream(vector, grid, &mut |row| sink(Row { points: row.points.map_floats(plain), ..row }));
        }
        let scalars = args.iter().skip(1).map(|&arg| self.scalar(arg, grid));
        let scalars = scalars.collect::<Result<Vec<_>, _>>()?;
        let scalar = |argument: usize, step: usize| scalars.get(argument).and_then(|s| s.get(step)).copied();
        self.stream(vector, grid, &mut |mut row| {
            row.points.histograms = Vec::new();
            for (step, x) in row.points.floats.iter_mut().enumerate().filter(|(_, x)| !is_absent(**x)) {
                let (a, b) = (scalar(0, step), scalar(1, step));
                let value = match function {
                    Math::Round => Some(math::round(*x, a.unwrap_or(1.0))),
                    Math::ClampMin => clamp(*x, a.unwrap_or(f64::NAN), f64::INFINITY),
                    Math::ClampMax => clamp(*x, f64::NEG_INFINITY, a.unwrap_or(f64::NAN)),
                    _ => clamp(*x, a.unwrap_or(f64::NAN), b.unwrap_or(f64::NAN)),
                };
                *x = value.unwrap_or(crate::points::ABSENT);
            }
            sink(row)
        })
    }

    pub(super) fn moment(
        &self,
        moment: Moment,
        args: &[NodeId],
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        self.stream(self.arg(args, 0)?, grid, &mut |row| {
            let mut points = Points::absent(grid.count);
            for (step, histogram) in row.points.histograms.iter().enumerate() {
                if let Some(histogram) = histogram {
                    points.set(step, moment.of(histogram));
                }
            }
            if points.is_empty() { Ok(()) } else { sink(Row { points, ..row }) }
        })
    }

    pub(super) fn date(
        &self,
        part: Part,
        args: &[NodeId],
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let Some(&vector) = args.first() else {
            let floats = grid.times().map(|time| part.of(time.div_euclid(1000) as f64)).collect();
            return sink(Row::new(Labels::empty(), Points { floats, histograms: Vec::new() }));
        };
        self.unnaming(sink, |sink| {
            self.stream(vector, grid, &mut |row| {
                sink(Row { points: row.points.map_floats(|x| part.of(x)), ..row })
            })
        })
    }

    pub(super) fn negate(&self, inner: NodeId, grid: Grid, sink: &mut Sink<'_>) -> Result<(), QueryError> {
        self.unnaming(sink, |sink| {
            self.stream(inner, grid, &mut |mut row| {
                row.points.floats.iter_mut().filter(|x| !is_absent(**x)).for_each(|x| *x = -*x);
                for slot in &mut row.points.histograms {
                    if let Some(histogram) = slot {
                        let mut negated = histogram.as_ref().clone();
                        negated.mul(-1.0);
                        *slot = Some(negated.into());
                    }
                }
                sink(row)
            })
        })
    }
}

fn clamp(x: f64, min: f64, max: f64) -> Option<f64> {
    if max < min { None } else { Some(math::max(min, math::min(max, x))) }
}

impl Points {
    /// Sets either kind of sample.
    pub(crate) fn put(&mut self, step: usize, point: Point) {
        match point {
            Point::Float(value) => self.set(step, value),
            Point::Histogram(histogram) => self.set_histogram(step, histogram),
        }
    }
}
