//! What a segment sums up of each of its spans.
//!
//! Knows: the few fields that operations, `traces` rows, sums and the manifest's entry are made of. Must not know: whether the
//! span came as OTLP or as a row of another segment.

use shared_proto::otlp::view::SpanView;

use crate::names::STATUS_ERROR;

/// One span, as far as sums go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outline<'a> {
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: &'a [u8],
    /// Empty or zero without a parent.
    pub(crate) parent_span_id: &'a [u8],
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) name: &'a str,
    pub(crate) kind: i32,
    /// `Status.StatusCode`, 0 without a status.
    pub(crate) status: i32,
    /// Ordinal in the segment's tables.
    pub(crate) resource: u32,
    /// The span itself, where it is at hand: what says why it failed and whom it called.
    pub(crate) message: Option<&'a SpanView<'a>>,
}

impl Outline<'_> {
    /// Whether it has no parent.
    pub(crate) fn is_root(&self) -> bool {
        self.parent_span_id.iter().all(|&b| b == 0)
    }

    /// How long it lasts in ns; 0 where the end lies before the start.
    pub(crate) fn duration(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it failed.
    pub(crate) fn is_error(&self) -> bool {
        self.status == STATUS_ERROR
    }

    /// Its kind; one that OpenTelemetry does not know is unspecified.
    pub(crate) fn known_kind(&self) -> i32 {
        if (0..=5).contains(&self.kind) { self.kind } else { 0 }
    }

    /// Its status code; one that OpenTelemetry does not know is unset.
    pub(crate) fn known_status(&self) -> i32 {
        if (0..=STATUS_ERROR).contains(&self.status) { self.status } else { 0 }
    }
}
