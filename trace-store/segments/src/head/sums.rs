//! What the spans of a head add up to: counted when somebody asks, kept until more spans came.
//!
//! Knows: that spans are counted as a flush counts them, so that both say the same. Must not know: the sums. A write pays
//! nothing for it. Start at [`View::sums`].

use std::sync::{Arc, Mutex, PoisonError};

use runtime_engine::Result;

use super::View;
use crate::flush::in_order;
use crate::red::{Count, Summary};
use crate::segment::{Outline, Repeats};

/// The last summary, with the number of records that it covers.
pub(super) type Kept = Mutex<Option<(usize, Arc<Summary>)>>;

impl View {
    /// The sums of everything in the view, or of a little more that has come since.
    ///
    /// # Errors
    /// Never for spans that were taken.
    pub(crate) fn sums(&self) -> Result<Arc<Summary>> {
        // others that ask at the same time wait for the one who counts
        let mut kept = self.shared.sums.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((records, summary)) = kept.as_ref()
            && *records >= self.records
        {
            return Ok(Arc::clone(summary));
        }
        let summary = Arc::new(self.count()?);
        *kept = Some((self.records, Arc::clone(&summary)));
        Ok(summary)
    }

    fn count(&self) -> Result<Summary> {
        let mut count = Count::default();
        let mut repeats = Repeats::default();
        for row in in_order(self) {
            let span = row.record.span(row.at)?;
            let Some(resource) = self.resource(row.at.resource) else { continue };
            if repeats.is_repeated(row.at.trace_id, &span, row.at.resource, row.at.scope) {
                continue;
            }
            let counted = Outline {
                trace_id: row.at.trace_id,
                span_id: span.span_id,
                parent_span_id: span.parent_span_id,
                start: span.start_unix_nano,
                end: span.end_unix_nano,
                name: span.name,
                kind: span.kind,
                status: row.at.status,
                resource: row.at.resource,
                message: Some(&span),
            };
            count.span(&counted, resource, row.at.operation)?;
        }
        Ok(count.finish())
    }
}
