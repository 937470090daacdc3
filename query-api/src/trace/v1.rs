//! A trace in the JSON of Jaeger's v1 API, written piece by piece.
//!
//! Knows: the shape (`internal/uimodel` of Jaeger: microseconds, processes apart from spans, everything a tag). Must
//! not know: envelopes, HTTP. Start at [`TraceWriter`].

mod span;
mod tags;

use std::collections::HashMap;

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};

use super::{Trace, attributes, sanitize, value_text};

pub(crate) use span::kind_text;

/// Writes one trace; what is written so far can be sent before the rest is written.
#[derive(Debug)]
pub(crate) struct TraceWriter {
    trace: Trace,
    processes: Processes,
    /// Indexes of the next span: resource, scope, span.
    at: (usize, usize, usize),
    /// Number of the resource's process, once its first span is written.
    process: Option<usize>,
    /// What stands before the first span is written.
    opened: bool,
    /// A span is written.
    started: bool,
}

/// Distinct processes in the order of their first span.
#[derive(Debug, Default)]
struct Processes {
    by_json: HashMap<Vec<u8>, usize>,
    json: Vec<Vec<u8>>,
}

impl TraceWriter {
    /// Writes `trace`, which has been sanitized.
    pub(crate) fn new(trace: Trace) -> Self {
        Self {
            trace,
            processes: Processes::default(),
            at: (0, 0, 0),
            process: None,
            opened: false,
            started: false,
        }
    }

    /// Appends to `out` until it holds `bytes` or the trace is written wholly; says whether it is.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, bytes: usize) -> bool {
        if !std::mem::replace(&mut self.opened, true) {
            out.extend_from_slice(b"{\"traceID\":");
            value_text::string(&crate::trace_id::v1_text(self.trace.id), out);
            out.extend_from_slice(b",\"spans\":[");
        }
        while out.len() < bytes {
            let (r, s, n) = self.at;
            let Some(resource) = self.trace.resources.get(r) else {
                self.finish(out);
                return true;
            };
            let Some(scope) = resource.scope_spans.get(s) else {
                self.at = (r + 1, 0, 0);
                self.process = None;
                continue;
            };
            let Some(span) = scope.spans.get(n) else {
                self.at = (r, s + 1, 0);
                continue;
            };
            let process = *self.process.get_or_insert_with(|| self.processes.number(resource));
            if self.started {
                out.push(b',');
            }
            self.started = true;
            span::write(span, scope_of(scope), process, out);
            self.at = (r, s, n + 1);
        }
        false
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"],\"processes\":{");
        for (i, process) in self.processes.json.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            out.extend_from_slice(format!("{comma}\"p{}\":", i + 1).as_bytes());
            out.extend_from_slice(process);
        }
        out.extend_from_slice(b"},\"warnings\":");
        texts_or_null(self.trace.warnings.iter().map(String::as_str), out);
        out.push(b'}');
    }
}

impl Processes {
    /// The number of the resource's process, from 1.
    fn number(&mut self, resource: &ResourceSpans) -> usize {
        let list = resource.resource.as_ref().map(|r| r.attributes.as_slice()).unwrap_or_default();
        let mut json = b"{\"serviceName\":".to_vec();
        value_text::string(attributes::text(list, sanitize::SERVICE_NAME).unwrap_or_default(), &mut json);
        json.extend_from_slice(b",\"tags\":[");
        let mut tags = tags::List::new(&mut json);
        list.iter().filter(|a| a.key != sanitize::SERVICE_NAME).for_each(|a| tags.attribute(a));
        json.extend_from_slice(b"]}");
        let next = self.json.len() + 1;
        let number = *self.by_json.entry(json.clone()).or_insert(next);
        if number == next {
            self.json.push(json);
        }
        number
    }
}

/// Name and version of a scope; empty when it has none.
fn scope_of(scope: &ScopeSpans) -> (&str, &str) {
    scope.scope.as_ref().map_or(("", ""), |s| (s.name.as_str(), s.version.as_str()))
}

/// A JSON list of texts, `null` when there are none.
fn texts_or_null<'a>(texts: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    let mut first = true;
    for text in texts {
        out.push(if first { b'[' } else { b',' });
        first = false;
        value_text::string(text, out);
    }
    out.extend_from_slice(if first { b"null" } else { b"]" });
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::Span;

    use super::*;

    #[test]
    fn pieces_of_any_size_make_up_the_same_trace() {
        let span = |n: u8| Span { trace_id: vec![0; 16], span_id: vec![n; 8], ..Span::default() };
        let scope_spans = vec![
            ScopeSpans { spans: vec![span(1), span(2)], ..ScopeSpans::default() },
            ScopeSpans { spans: vec![span(3)], ..ScopeSpans::default() },
        ];
        let resource = ResourceSpans { scope_spans, ..ResourceSpans::default() };
        let trace = Trace { id: [0; 16], resources: vec![resource.clone(), resource], warnings: Vec::new() };
        let written = |piece_bytes: usize| {
            let (mut writer, mut whole) = (TraceWriter::new(trace.clone()), Vec::new());
            loop {
                let mut piece = Vec::new();
                let done = writer.write(&mut piece, piece_bytes);
                whole.append(&mut piece);
                if done {
                    return String::from_utf8(whole).unwrap();
                }
            }
        };
        let whole = written(usize::MAX);
        assert_eq!(whole.matches("\"spanID\"").count(), 6);
        for piece_bytes in [1, 10, 60, 100, 500] {
            assert_eq!(written(piece_bytes), whole, "{piece_bytes}");
        }
    }
}
