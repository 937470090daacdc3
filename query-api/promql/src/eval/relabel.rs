//! `label_replace` and `label_join`.

use super::{Evaluator, Sink, result};
use crate::engine::QueryError;
use crate::kernels::windows::Grid;
use crate::labels::{Builder, Labels, METRIC_NAME};
use crate::plan::NodeId;
use crate::points::Row;
use crate::regex::Pattern;

impl Evaluator<'_> {
    pub(super) fn label_replace(
        &self,
        args: &[NodeId],
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let (target, template) = (self.text(args, 1)?, self.text(args, 2)?);
        let (source, regex) = (self.text(args, 3)?, self.text(args, 4)?);
        let refuse = |what: &str, text: &str| {
            QueryError::Execution(format!("invalid {what} in label_replace(): {text}"))
        };
        let pattern = Pattern::anchored(regex).map_err(|_refused| refuse("regular expression", regex))?;
        if !is_label_name(target) {
            return Err(refuse("destination label name", target));
        }
        self.relabel(self.arg(args, 0)?, grid, target, sink, |labels| {
            pattern.expand(labels.get(source), template)
        })
    }

    pub(super) fn label_join(
        &self,
        args: &[NodeId],
        grid: Grid,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        let (target, separator) = (self.text(args, 1)?, self.text(args, 2)?);
        let sources = (3..args.len()).map(|index| self.text(args, index)).collect::<Result<Vec<_>, _>>()?;
        let refuse = |what: &str, text: &str| {
            QueryError::Execution(format!("invalid {what} label name in label_join(): {text}"))
        };
        if let Some(source) = sources.iter().find(|source| !is_label_name(source)) {
            return Err(refuse("source", source));
        }
        if !is_label_name(target) {
            return Err(refuse("destination", target));
        }
        self.relabel(self.arg(args, 0)?, grid, target, sink, |labels| {
            Some(sources.iter().map(|source| labels.get(source)).collect::<Vec<_>>().join(separator))
        })
    }

    fn relabel(
        &self,
        vector: NodeId,
        grid: Grid,
        target: &str,
        sink: &mut Sink<'_>,
        value: impl Fn(&Labels) -> Option<String>,
    ) -> Result<(), QueryError> {
        let mut rows = Vec::new();
        self.stream(vector, grid, &mut |mut row: Row| {
            if let Some(value) = value(&row.labels) {
                row.labels = Builder::new(&row.labels).set(target, &value).finish();
                row.drop_name &= target != METRIC_NAME;
            }
            self.hold(&mut rows, row)
        })?;
        self.release(&rows);
        result::merge_equal(rows)?.into_iter().try_for_each(sink)
    }
}

/// Any text names a label, but for none; bytes that were no text have become U+FFFD when the query was read.
pub(crate) fn is_label_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::REPLACEMENT_CHARACTER)
}
