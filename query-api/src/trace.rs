//! One whole trace between the stores and an answer: decoded, repaired, adjusted, written.
//!
//! Knows: OTLP's types, what Jaeger repairs and adjusts. Must not know: HTTP, stores, partitions. Start at [`Trace`];
//! what is repaired always is in `sanitize`, what only a reader who did not ask for `raw` gets in `adjust`.

pub(crate) mod adjust;
pub(crate) mod attributes;
pub(crate) mod sanitize;
pub(crate) mod skeleton;
pub(crate) mod v1;
pub(crate) mod v3;
pub(crate) mod value_text;
pub(crate) mod warnings;

use bytes::Bytes;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, TracesData};
use prost::Message;

use crate::trace_id::TraceId;

/// The spans of one trace, grouped as they were sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trace {
    /// Whose spans these are.
    pub(crate) id: TraceId,
    /// Its spans.
    pub(crate) resources: Vec<ResourceSpans>,
    /// What a reader should know about the trace as a whole.
    pub(crate) warnings: Vec<String>,
}

/// Bytes that came from a store and are no `TracesData`.
#[derive(Debug, thiserror::Error)]
#[error("trace {} holds {bytes} bytes that are no OTLP", crate::trace_id::v1_text(*.id))]
pub(crate) struct Damaged {
    id: TraceId,
    bytes: usize,
    #[source]
    source: prost::DecodeError,
}

impl Trace {
    /// Decodes the chunks of a trace, keeping at most `spans_max` spans: the trace says so when it had more.
    ///
    /// # Errors
    /// When a chunk is damaged.
    pub(crate) fn decode(id: TraceId, chunks: &[Bytes], spans_max: usize) -> Result<Self, Damaged> {
        let mut trace = Self { id, resources: Vec::new(), warnings: Vec::new() };
        let (mut kept, mut found) = (0_usize, 0_usize);
        for chunk in chunks {
            let data = TracesData::decode(chunk.as_ref()).map_err(|source| Damaged {
                id,
                bytes: chunk.len(),
                source,
            })?;
            for mut resource in data.resource_spans {
                for scope in &mut resource.scope_spans {
                    found += scope.spans.len();
                    scope.spans.truncate(spans_max - kept);
                    kept += scope.spans.len();
                }
                resource.scope_spans.retain(|scope| !scope.spans.is_empty());
                if !resource.scope_spans.is_empty() {
                    trace.resources.push(resource);
                }
            }
        }
        if found > kept {
            trace.warn(format!(
                "trace has {found} spans, more than the limit of {spans_max}: the rest is left out"
            ));
        }
        Ok(trace)
    }

    /// Adds a warning about the whole trace; a form of answer without a place for it finds it on the first span.
    pub(crate) fn warn(&mut self, text: String) {
        if let Some(span) = self.spans_mut().next() {
            warnings::add(span, &text);
        }
        self.warnings.push(text);
    }

    pub(crate) fn spans(&self) -> impl Iterator<Item = &Span> {
        self.resources.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans)
    }

    fn spans_mut(&mut self) -> impl Iterator<Item = &mut Span> {
        self.resources.iter_mut().flat_map(|r| &mut r.scope_spans).flat_map(|s| &mut s.spans)
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::ScopeSpans;

    use super::*;

    fn chunk(names: &[&str]) -> Bytes {
        let spans = names.iter().map(|name| Span { name: (*name).to_owned(), ..Span::default() }).collect();
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
        TracesData { resource_spans }.encode_to_vec().into()
    }

    #[test]
    fn chunks_are_put_together_up_to_the_limit() {
        let check = |spans_max: usize, names: &[&str], warned: bool| {
            let trace = Trace::decode([0; 16], &[chunk(&["a", "b"]), chunk(&["c"])], spans_max).unwrap();
            assert_eq!(trace.spans().map(|s| s.name.as_str()).collect::<Vec<_>>(), names);
            assert_eq!(trace.warnings.len(), usize::from(warned));
        };
        check(3, &["a", "b", "c"], false);
        check(2, &["a", "b"], true);
        check(1, &["a"], true);
    }

    #[test]
    fn a_damaged_trace_is_named() {
        let id = 0xabc_u128.to_be_bytes();
        let damaged = Trace::decode(id, &[chunk(&["a"]), Bytes::from_static(b"\xff")], 9).unwrap_err();
        assert_eq!(damaged.to_string(), "trace 0000000000000abc holds 1 bytes that are no OTLP");
    }
}
