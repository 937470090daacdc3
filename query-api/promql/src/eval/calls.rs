//! Which part of the evaluator a function belongs to.

use super::{Evaluator, Sink};
use crate::engine::QueryError;
use crate::functions::{Function, SeriesFunction};
use crate::kernels::windows::Grid;
use crate::plan::{NodeId, Op};

impl Evaluator<'_> {
    pub(super) fn call(
        &self,
        id: NodeId,
        function: Function,
        args: &[NodeId],
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        match function {
            Function::Math(math) => self.unnaming(sink, |sink| self.math(math, args, grid, sink)),
            Function::Date(part) => self.date(part, args, grid, sink),
            Function::Moment(moment) => self.unnaming(sink, |sink| self.moment(moment, args, grid, sink)),
            Function::OverTime(function) => self.over_time(id, function, args, grid, sink),
            Function::Distribution(distribution) => {
                self.unnaming(sink, |sink| self.distribution(distribution, args, grid, sink))
            }
            Function::Series(function) => self.series(id, function, args, grid, sink),
            Function::Scalar(_) => Err(QueryError::execution("an instant vector was expected")),
        }
    }

    fn series(
        &self,
        id: NodeId,
        function: SeriesFunction,
        args: &[NodeId],
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        match function {
            SeriesFunction::Vector => self.vector(self.arg(args, 0)?, grid, sink),
            SeriesFunction::Absent => self.absent(self.arg(args, 0)?, grid, sink),
            SeriesFunction::Timestamp => {
                self.unnaming(sink, |sink| self.timestamp(self.arg(args, 0)?, grid, sink))
            }
            SeriesFunction::StartTimestamp => {
                self.unnaming(sink, |sink| self.start_timestamp(self.arg(args, 0)?, grid, sink))
            }
            SeriesFunction::LabelReplace => self.label_replace(args, grid, sink),
            SeriesFunction::LabelJoin => self.label_join(args, grid, sink),
            SeriesFunction::Info => self.info(id, args, grid, sink),
            SeriesFunction::Sort { descending } => self.sort(id, self.arg(args, 0)?, descending, grid, sink),
            SeriesFunction::SortByLabel { descending } => {
                self.sort_by_label(id, args, descending, grid, sink)
            }
        }
    }

    /// The node of an argument that the parser has made sure of.
    pub(crate) fn arg(&self, args: &[NodeId], index: usize) -> Result<NodeId, QueryError> {
        args.get(index).copied().ok_or_else(|| QueryError::execution("an argument is missing"))
    }

    /// The text of an argument that the parser has made sure of.
    pub(crate) fn text(&self, args: &[NodeId], index: usize) -> Result<&str, QueryError> {
        let mut id = self.arg(args, index)?;
        while let Op::Hoist(inner) = &self.plan.node(id).op {
            id = *inner;
        }
        match &self.plan.node(id).op {
            Op::Text(text) => Ok(text),
            _ => Err(QueryError::execution("a string was expected")),
        }
    }
}
