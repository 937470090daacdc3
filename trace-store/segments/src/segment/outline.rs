//! What a segment sums up of each of its spans.
//!
//! Knows: the few fields that operations, `traces` rows and the manifest's entry are made of. Must not know: whether the
//! span came as OTLP or as a row of another segment.

/// One span, as far as sums go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outline<'a> {
    pub(crate) trace_id: [u8; 16],
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// It has no parent.
    pub(crate) is_root: bool,
    pub(crate) name: &'a str,
    pub(crate) kind: i32,
    /// `Status.StatusCode`, 0 without a status.
    pub(crate) status: i32,
    /// Ordinal in the segment's tables.
    pub(crate) resource: u32,
}
