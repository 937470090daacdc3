//! `topk` and `bottomk`: for every group and step the k best samples.

use std::collections::BTreeMap;

use super::groups::{Groups, Key};
use super::pick::whole_counts;
use crate::annotation::histogram_ignored_in_aggregation_info;
use crate::ast::{Aggregation, Span};
use crate::engine::QueryError;
use crate::eval::{Evaluator, Sink};
use crate::kernels::windows::Grid;
use crate::labels::Labels;
use crate::plan::Aggregate;
use crate::points::{Points, Row, is_absent};

/// A sample that is among the best so far: its value and the number of its row.
type Candidate = (f64, u32);

/// The best samples of one step, as a heap with the worst on top.
#[derive(Default, Clone)]
struct Best(Vec<Candidate>);

/// Which of two values is the better one; `NaN` is the worst.
#[derive(Clone, Copy)]
struct Order {
    descending: bool,
}

impl Order {
    fn better(self, a: f64, b: f64) -> bool {
        let wins = if self.descending { a > b } else { a < b };
        wins || (b.is_nan() && !a.is_nan())
    }
}

#[expect(clippy::indexing_slicing, reason = "a binary heap in a vector: positions are below its length")]
impl Best {
    fn offer(&mut self, candidate: Candidate, k: usize, order: Order) {
        let heap = &mut self.0;
        if heap.len() < k {
            heap.push(candidate);
            let mut child = heap.len() - 1;
            while child > 0 && order.better(heap[(child - 1) / 2].0, heap[child].0) {
                heap.swap(child, (child - 1) / 2);
                child = (child - 1) / 2;
            }
        } else if order.better(candidate.0, heap[0].0) {
            heap[0] = candidate;
            let mut parent = 0;
            loop {
                let mut worst = parent;
                for child in [2 * parent + 1, 2 * parent + 2] {
                    if child < heap.len() && order.better(heap[worst].0, heap[child].0) {
                        worst = child;
                    }
                }
                if worst == parent {
                    break;
                }
                heap.swap(worst, parent);
                parent = worst;
            }
        }
    }

    /// Best first; rows that came first win ties.
    fn sorted(mut self, order: Order) -> Vec<Candidate> {
        self.0.sort_by(|a, b| {
            let better = order.better(b.0, a.0).cmp(&order.better(a.0, b.0));
            better.then_with(|| a.1.cmp(&b.1))
        });
        self.0
    }
}

impl Evaluator<'_> {
    pub(super) fn top(
        &self,
        aggregate: &Aggregate,
        grid: Grid,
        span: Span,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let (counts, _) = self.parameter(aggregate, grid)?;
        let Some(counts) = whole_counts(&counts)? else { return Ok(()) };
        let order = Order { descending: aggregate.op == Aggregation::Topk };
        let mut groups: Groups<Vec<Best>> = Groups::new(Key::of(aggregate));
        let mut series: Vec<(Labels, bool)> = Vec::new();
        self.stream(aggregate.input, grid, &mut |row| {
            if row.points.histograms.iter().any(Option::is_some) {
                self.annotate(histogram_ignored_in_aggregation_info(aggregate.op.name(), span));
            }
            let number = u32::try_from(series.len()).unwrap_or(u32::MAX);
            self.budget.hold(0)?;
            series.push((row.labels.clone(), row.drop_name));
            let (group, new) = groups.of(&row.labels, || vec![Best::default(); grid.count]);
            if new {
                self.budget.hold(grid.count)?;
            }
            for ((best, &k), &x) in group.iter_mut().zip(&counts).zip(&row.points.floats) {
                if !is_absent(x) && k > 0 {
                    if best.0.len() < k {
                        self.budget.hold(0)?;
                    }
                    best.offer((x, number), k, order);
                }
            }
            Ok(())
        })?;
        for (_, steps) in groups.into_iter() {
            emit(steps, order, &series, sink)?;
        }
        Ok(())
    }
}

/// Makes rows of the best samples; of an instant, best first.
fn emit(
    steps: Vec<Best>,
    order: Order,
    series: &[(Labels, bool)],
    sink: &mut Sink<'_>,
) -> Result<(), QueryError> {
    let count = steps.len();
    let mut rows: BTreeMap<u32, Points> = BTreeMap::new();
    let mut first_step = Vec::new();
    for (step, best) in steps.into_iter().enumerate() {
        for (value, number) in best.sorted(order) {
            if count == 1 {
                first_step.push(number);
            }
            rows.entry(number).or_insert_with(|| Points::absent(count)).set(step, value);
        }
    }
    let in_order = if count == 1 { first_step } else { rows.keys().copied().collect() };
    for number in in_order {
        if let (Some(points), Some((labels, drop_name))) = (rows.remove(&number), series.get(number as usize))
        {
            sink(Row { labels: labels.clone(), drop_name: *drop_name, points })?;
        }
    }
    Ok(())
}
