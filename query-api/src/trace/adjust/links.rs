//! A link that names no trace leads nowhere.
//!
//! Knows: links. Must not know: what they link. Start at [`remove_empty`].

use crate::trace::{Trace, warnings};

/// Removes links without a trace id and warns their spans.
pub(crate) fn remove_empty(trace: &mut Trace) {
    for span in trace.spans_mut() {
        let before = span.links.len();
        span.links.retain(|link| link.trace_id.iter().any(|b| *b != 0));
        for _ in span.links.len()..before {
            warnings::add(span, "Invalid span link removed");
        }
    }
}
