//! A trace in the JSON of Jaeger's API v3, which is OTLP/JSON, written piece by piece.
//!
//! Knows: that a piece is one `ResourceSpans` (stores hand out at most about 1 MiB each). Must not know: how OTLP/JSON
//! is written (`shared_proto::otlp::json`). Start at [`TraceWriter`].

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, TracesData};
use prost::Message;
use shared_proto::otlp::json::encode_traces;

use super::Trace;

/// What surrounds the elements of `TracesData` in JSON.
const OPEN: &[u8] = b"{\"resourceSpans\":[";
const CLOSE: &[u8] = b"]}";

/// Writes the elements of `resourceSpans`; what is written so far can be sent before the rest is written.
#[derive(Debug)]
pub(crate) struct TraceWriter {
    resources: std::vec::IntoIter<ResourceSpans>,
}

impl TraceWriter {
    /// Writes `trace`, which has been sanitized.
    pub(crate) fn new(trace: Trace) -> Self {
        Self { resources: trace.resources.into_iter() }
    }

    /// Appends elements to `out`, with a comma before each but the very first of the answer, until it holds `bytes` or
    /// the trace is written wholly; says whether it is.
    ///
    /// # Errors
    /// When OTLP that we encoded ourselves is refused, or not written in the form that we rely on.
    pub(crate) fn write(
        &mut self,
        first: &mut bool,
        out: &mut Vec<u8>,
        bytes: usize,
    ) -> Result<bool, String> {
        let mut json = Vec::new();
        while out.len() < bytes {
            let Some(resource) = self.resources.next() else { return Ok(true) };
            json.clear();
            let encoded = TracesData { resource_spans: vec![resource] }.encode_to_vec();
            encode_traces(&encoded, &mut json).map_err(|e| e.to_string())?;
            let elements = json.strip_prefix(OPEN).and_then(|rest| rest.strip_suffix(CLOSE));
            let elements = elements.ok_or("TracesData is not written as an object of resourceSpans alone")?;
            if !std::mem::take(first) {
                out.push(b',');
            }
            out.extend_from_slice(elements);
        }
        Ok(false)
    }
}
