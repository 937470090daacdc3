//! Room card: evaluates the nodes of a plan. Knows how each kind of node makes rows from rows; must not know the text of the query
//! or the shape of the answer. Start at [`Evaluator::stream`].
//!
//! Evaluation pushes: a node is given a grid and a sink, and hands the sink one row after the other. A selector decodes one series,
//! a function turns its row into another, an aggregation adds it to its groups and lets it go: so a sum over a million series holds
//! one series at a time. Only what must see all rows at once (joins, sorting, quantiles) collects them, and that is what the budget
//! counts. Scalars are not rows: [`Evaluator::scalar`] gives one number per step.

mod calls;
mod distribution;
mod elementwise;
mod fetch;
mod info;
mod over_time;
mod relabel;
mod result;
mod scalar;
mod select;
mod series;
mod window;

pub(crate) use relabel::is_label_name;
pub(crate) use result::merge_equal;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::annotation::{Annotation, Annotations};
use crate::ast::Span;
use crate::engine::QueryError;
use crate::kernels::windows::Grid;
use crate::labels::Labels;
use crate::limits::Budget;
use crate::options::Options;
use crate::plan::{NodeId, Op, Plan};
use crate::points::Row;
use crate::source::SampleSource;
use crate::statistics::{Statistics, Work};

/// What receives rows.
pub(crate) type Sink<'s> = dyn FnMut(Row) -> Result<(), QueryError> + 's;

/// The evaluation of one plan.
pub(crate) struct Evaluator<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) source: &'a dyn SampleSource,
    pub(crate) options: &'a Options,
    pub(crate) budget: Budget<'a>,
    annotations: RefCell<Annotations>,
    /// Rows of nodes that have twins, by the first of them.
    shared: RefCell<HashMap<NodeId, Rc<[Row]>>>,
    series: Cell<u64>,
    work: RefCell<Vec<Work>>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        source: &'a dyn SampleSource,
        options: &'a Options,
        budget: Budget<'a>,
    ) -> Self {
        Self {
            plan,
            source,
            options,
            budget,
            annotations: RefCell::default(),
            shared: RefCell::default(),
            series: Cell::new(0),
            work: RefCell::new(vec![Work::default(); plan.nodes().len()]),
        }
    }

    pub(crate) fn statistics(&self) -> Statistics {
        Statistics {
            samples: self.budget.samples(),
            series: self.series.get(),
            points_peak: self.budget.points_peak(),
            elapsed: self.budget.elapsed(),
        }
    }

    pub(crate) fn work(&self) -> Vec<Work> {
        self.work.borrow().clone()
    }

    pub(crate) fn into_annotations(self) -> Annotations {
        self.annotations.into_inner()
    }

    pub(crate) fn annotate(&self, annotation: Annotation) {
        self.annotations.borrow_mut().add(annotation);
    }

    pub(crate) fn remarks<'r>(&'r self, labels: &'r Labels, span: Span) -> Remarks<'r> {
        Remarks { annotations: &self.annotations, labels, span }
    }

    fn note_work(&self, id: NodeId, note: impl FnOnce(&mut Work)) {
        if let Some(work) = self.work.borrow_mut().get_mut(id.index()) {
            note(work);
        }
    }

    /// Hands every row of an instant vector to `sink`. Rows may be empty; none is handed twice.
    ///
    /// # Errors
    /// What evaluation or the sink says.
    pub(crate) fn stream(&self, id: NodeId, grid: Grid, sink: &mut Sink<'_>) -> Result<(), QueryError> {
        self.budget.work(1)?;
        if grid.count == 0 {
            return Ok(());
        }
        self.budget.allow_steps(grid.count)?;
        let node = self.plan.node(id);
        let first = node.twin.unwrap_or(id);
        if !node.shared && node.twin.is_none() {
            return self.evaluate(id, grid, &mut |row| {
                self.note_work(id, |work| work.rows += 1);
                sink(row)
            });
        }
        let known = self.shared.borrow().get(&first).cloned();
        let rows = match known {
            Some(rows) => rows,
            None => {
                let mut rows = Vec::new();
                self.evaluate(first, grid, &mut |row| self.hold(&mut rows, row))?;
                let rows: Rc<[Row]> = rows.into();
                self.shared.borrow_mut().insert(first, Rc::clone(&rows));
                rows
            }
        };
        self.note_work(id, |work| work.rows += rows.len() as u64);
        rows.iter().try_for_each(|row| sink(row.clone()))
    }

    /// All rows of an instant vector; give them back with [`Self::release`].
    pub(crate) fn collect(&self, id: NodeId, grid: Grid) -> Result<Vec<Row>, QueryError> {
        let mut rows = Vec::new();
        self.stream(id, grid, &mut |row| self.hold(&mut rows, row))?;
        Ok(rows)
    }

    pub(crate) fn hold(&self, rows: &mut Vec<Row>, row: Row) -> Result<(), QueryError> {
        self.budget.hold(row.points.steps())?;
        rows.push(row);
        Ok(())
    }

    /// Gives back what [`Self::collect`] holds.
    pub(crate) fn release(&self, rows: &[Row]) {
        rows.iter().for_each(|row| self.budget.release(row.points.steps()));
    }

    fn evaluate(&self, id: NodeId, grid: Grid, sink: &mut Sink<'_>) -> Result<(), QueryError> {
        match &self.plan.node(id).op {
            Op::Select(select) => self.select(id, select, grid, sink),
            Op::Call(function, args) => self.call(id, *function, args, grid, sink),
            Op::Aggregate(aggregate) => self.aggregate(id, aggregate, grid, sink),
            Op::Binary(binary) => self.binary(id, binary, grid, sink),
            Op::Negate(inner) => self.negate(*inner, grid, sink),
            Op::Hoist(inner) => self.stream(*inner, grid.first(), &mut |row| {
                sink(Row { points: row.points.repeated(grid.count), ..row })
            }),
            Op::Number(_) | Op::Text(_) | Op::Range(..) | Op::Subquery(..) => {
                Err(QueryError::execution("an instant vector was expected"))
            }
        }
    }

    /// A row whose name leaves: at once, or, with delayed name removal, when the query ends.
    pub(crate) fn unnamed(&self, mut row: Row) -> Row {
        if self.options.delayed_name_removal {
            row.drop_name = true;
        } else {
            row.labels = row.labels.without_metadata();
        }
        row
    }

    /// Runs `produce`, whose rows lose their names, and passes them on. Names that leave at once may make labels equal: such rows
    /// are merged.
    pub(crate) fn unnaming(
        &self,
        sink: &mut Sink<'_>,
        produce: impl FnOnce(&mut Sink<'_>) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        if self.options.delayed_name_removal {
            return produce(&mut |row| sink(self.unnamed(row)));
        }
        let mut rows = Vec::new();
        produce(&mut |row| self.hold(&mut rows, self.unnamed(row)))?;
        self.release(&rows);
        result::merge_equal(rows)?.into_iter().try_for_each(sink)
    }
}

/// Where annotations about one series and one part of the query go.
#[derive(Clone, Copy)]
pub(crate) struct Remarks<'a> {
    annotations: &'a RefCell<Annotations>,
    labels: &'a Labels,
    pub(crate) span: Span,
}

impl Remarks<'_> {
    /// Adds an annotation that names the metric.
    pub(crate) fn named(self, annotation: impl FnOnce(&str, Span) -> Annotation) {
        self.annotations.borrow_mut().add(annotation(self.labels.name(), self.span));
    }

    /// Adds an annotation that names none.
    pub(crate) fn plain(self, annotation: impl FnOnce(Span) -> Annotation) {
        self.annotations.borrow_mut().add(annotation(self.span));
    }
}
