//! Traces on their way out: decoded one after the other, adjusted, written in pieces.
//!
//! Knows: envelopes around traces, streaming. Must not know: which request it answers. Start at [`send`].

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use runtime_service::Pool;

use crate::backend::{Partial, Taken};
use crate::trace::{self, Trace};
use crate::trace_id::TraceId;

use super::pretty::Pretty;
use super::refusal::{ErrorEntry, Refusal, mark_partial};

/// A piece is sent once it is this long: long enough to be cheap, short enough to stream.
const PIECE_BYTES: usize = 64 << 10;

/// What is to be sent, and how.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// The traces in their order, as chunks of OTLP.
    pub(crate) traces: Vec<(TraceId, Vec<Bytes>)>,
    /// Given back to the process' budget when the answer is sent.
    pub(crate) taken: Vec<Taken>,
    /// What the answer lacks.
    pub(crate) partial: Partial,
    /// v1's `errors`, besides what is partial.
    pub(crate) errors: Vec<ErrorEntry>,
    /// One trace was asked for: if it cannot be read, there is no answer at all.
    pub(crate) single: bool,
    /// How it is written.
    pub(crate) style: Style,
}

/// How traces are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// The API version.
    pub(crate) form: Form,
    /// Without adjustments.
    pub(crate) raw: bool,
    /// Indented.
    pub(crate) pretty: bool,
    /// Spans shown of one trace.
    pub(crate) spans_max: usize,
    /// Clocks are moved by at most this.
    pub(crate) clock_skew_max: Duration,
}

/// An API version's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `{"data":[…],…}`.
    V1,
    /// `{"result":{"resourceSpans":[…]}}`.
    V3,
}

/// Writes the answer in `writers`, the first piece before its head is sent, the rest as the client takes it: a slow
/// client holds no worker.
///
/// # Errors
/// When the first piece cannot be written.
pub(crate) async fn send(outgoing: Outgoing, writers: &Pool) -> Result<Response, Refusal> {
    let partial = outgoing.partial.clone();
    let (first, rest) = step(Writer::new(outgoing), writers).await?;
    let body = match rest {
        None => Body::from(first),
        Some(writer) => {
            let writers = writers.clone();
            let tail = stream::unfold(Some(writer), move |writer| {
                let writers = writers.clone();
                async move {
                    match step(writer?, &writers).await {
                        Ok((piece, rest)) => Some((Ok(piece), rest)),
                        Err(refusal) => {
                            Some((Err(std::io::Error::other(refusal.message().to_owned())), None))
                        }
                    }
                }
            });
            Body::from_stream(stream::once(async { Ok(first) }).chain(tail))
        }
    };
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    mark_partial(&mut response, &partial);
    Ok(response)
}

/// Writes one piece on a worker; gives the writer back unless it is done.
async fn step(mut writer: Writer, writers: &Pool) -> Result<(Bytes, Option<Writer>), Refusal> {
    writers.run(move || writer.piece().map(|(piece, done)| (piece, (!done).then_some(writer)))).await?
}

/// An answer under way.
struct Writer {
    traces: std::vec::IntoIter<(TraceId, Vec<Bytes>)>,
    current: Option<TraceWriter>,
    /// Nothing is written yet.
    started: bool,
    /// No element of the list is written yet.
    first: bool,
    errors: Vec<ErrorEntry>,
    single: bool,
    style: Style,
    indent: Option<Pretty>,
    _taken: Vec<Taken>,
}

enum TraceWriter {
    V1(Box<trace::v1::TraceWriter>),
    V3(trace::v3::TraceWriter),
}

impl Writer {
    fn new(outgoing: Outgoing) -> Self {
        let mut errors = outgoing.errors;
        errors.extend(ErrorEntry::of_partial(&outgoing.partial));
        Self {
            traces: outgoing.traces.into_iter(),
            current: None,
            started: false,
            first: true,
            errors,
            single: outgoing.single,
            indent: outgoing.style.pretty.then(Pretty::default),
            style: outgoing.style,
            _taken: outgoing.taken,
        }
    }

    /// The next piece, and whether it is the last.
    fn piece(&mut self) -> Result<(Bytes, bool), Refusal> {
        let mut out = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
        if !std::mem::replace(&mut self.started, true) {
            out.extend_from_slice(match self.style.form {
                Form::V1 => b"{\"data\":[",
                Form::V3 => b"{\"result\":{\"resourceSpans\":[",
            });
        }
        let done = loop {
            if out.len() >= PIECE_BYTES {
                break false;
            }
            match &mut self.current {
                Some(current) => {
                    let written = match current {
                        TraceWriter::V1(writer) => writer.write(&mut out, PIECE_BYTES),
                        TraceWriter::V3(writer) => {
                            writer.write(&mut self.first, &mut out, PIECE_BYTES).map_err(Refusal::internal)?
                        }
                    };
                    if written {
                        self.current = None;
                    }
                }
                None => match self.traces.next() {
                    Some((id, chunks)) => self.open(id, &chunks, &mut out)?,
                    None => {
                        self.finish(&mut out);
                        break true;
                    }
                },
            }
        };
        let Some(indent) = &mut self.indent else { return Ok((out.into(), done)) };
        let mut indented = Vec::with_capacity(out.len() * 2);
        indent.push(&out, &mut indented);
        Ok((indented.into(), done))
    }

    /// Decodes the next trace. A damaged one is named in `errors`, unless it is all that was asked for.
    fn open(&mut self, id: TraceId, chunks: &[Bytes], out: &mut Vec<u8>) -> Result<(), Refusal> {
        let mut trace = match Trace::decode(id, chunks, self.style.spans_max) {
            Ok(trace) => trace,
            Err(damaged) => {
                tracing::error!(error = %damaged, "a trace cannot be read");
                if self.single {
                    return Err(Refusal::internal(damaged.to_string()));
                }
                let trace_id = Some(crate::trace_id::v1_text(id));
                self.errors.push(ErrorEntry { code: Some(206), msg: damaged.to_string(), trace_id });
                return Ok(());
            }
        };
        trace::sanitize::sanitize(&mut trace);
        if !self.style.raw {
            trace::adjust::adjust(&mut trace, self.style.clock_skew_max);
        }
        self.current = Some(match self.style.form {
            Form::V1 => {
                if !std::mem::take(&mut self.first) {
                    out.push(b',');
                }
                TraceWriter::V1(Box::new(trace::v1::TraceWriter::new(trace)))
            }
            Form::V3 => TraceWriter::V3(trace::v3::TraceWriter::new(trace)),
        });
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        match self.style.form {
            Form::V1 => {
                out.extend_from_slice(b"],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":");
                let errors = (!self.errors.is_empty()).then_some(&self.errors);
                out.extend_from_slice(serde_json::to_string(&errors).unwrap_or_default().as_bytes());
                out.push(b'}');
            }
            Form::V3 => out.extend_from_slice(b"]}}"),
        }
    }
}
