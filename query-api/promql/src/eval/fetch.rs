//! Reading from the source: every selector goes through here.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

use super::Evaluator;
use crate::engine::QueryError;
use crate::kernels::windows::{Grid, Reference};
use crate::labels::Matcher;
use crate::plan::NodeId;
use crate::source::{Hints, Selection, SeriesView};

impl Evaluator<'_> {
    /// Calls `each` for every series that matches and may have samples in `(reference - back, reference + ahead]` of any step;
    /// `each` returns how many samples it read.
    pub(super) fn fetch(
        &self,
        id: NodeId,
        what: &Fetch<'_>,
        grid: Grid,
        each: &mut dyn FnMut(SeriesView<'_>) -> Result<usize, QueryError>,
    ) -> Result<(), QueryError> {
        let (first, last) = (what.reference.time(grid.start), what.reference.time(grid.end()));
        let selection = Selection {
            matchers: what.matchers,
            start: first.saturating_sub(what.back).saturating_add(1),
            end: last.saturating_add(what.ahead),
            hints: Hints { step: grid.step, range: what.range, function: what.function },
        };
        let mut failed = None;
        let mut series = 0;
        let before = self.budget.samples();
        let outcome = self.source.select(&selection, &mut |view| {
            series += 1;
            let read = each(view).and_then(|samples| {
                self.budget.read(samples)?;
                self.budget.work(1 + (samples + grid.count) / 256)
            });
            match read {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        self.series.set(self.series.get() + series);
        let samples = self.budget.samples() - before;
        self.note_work(id, |work| {
            (work.series, work.samples) = (work.series + series, work.samples + samples)
        });
        match failed {
            Some(error) => Err(error),
            None => outcome.map_err(QueryError::Source),
        }
    }
}

/// What is read, and how far around each step.
pub(super) struct Fetch<'a> {
    pub(super) matchers: &'a [Matcher],
    pub(super) reference: Reference,
    pub(super) back: i64,
    pub(super) ahead: i64,
    pub(super) range: i64,
    pub(super) function: &'a str,
}

/// More columns than this in one selection share nothing worth keeping.
const COLUMNS_KEPT: usize = 1024;

/// A column, kept alive so that its address stays its own, and what was derived from it.
type Known<T> = (Arc<[i64]>, Rc<T>);

/// What was derived from timestamp columns, by the identity of the column.
pub(super) struct ByColumn<T> {
    known: RefCell<HashMap<*const i64, Known<T>>>,
}

impl<T> ByColumn<T> {
    pub(super) fn new() -> Self {
        Self { known: RefCell::default() }
    }

    /// What `derive` makes of `column`, computed once per column.
    pub(super) fn get(&self, column: &Arc<[i64]>, derive: impl FnOnce(&[i64]) -> T) -> Rc<T> {
        let mut known = self.known.borrow_mut();
        if let Some((_, derived)) = known.get(&column.as_ptr()) {
            return Rc::clone(derived);
        }
        if known.len() >= COLUMNS_KEPT {
            known.clear();
        }
        let derived = Rc::new(derive(column));
        known.insert(column.as_ptr(), (Arc::clone(column), Rc::clone(&derived)));
        derived
    }
}
