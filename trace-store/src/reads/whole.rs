//! Whole traces, or some of their spans, as OTLP.
//!
//! Knows: that a trace met with damage is read once more over what is left. Must not know: how chunks travel. Start at
//! [`Reader::whole_traces`].

use std::collections::HashSet;

use bytes::Bytes;
use runtime_engine::{Error, Snapshot};
use runtime_service::{Kind, Status};
use shared_proto::trace_store::v1::{GetTracesRequest, TraceChunk};
use trace_segments::{Cost, Traces};

use super::scope::Scope;
use super::stream::{ChunkStream, Sender, Streaming};
use super::{Reader, failure, trace_id};

/// Spans that one request may name.
const SPANS_MAX: usize = 100_000;

/// What is asked for.
struct Wanted {
    ids: Vec<[u8; 16]>,
    /// Empty means every span.
    span_ids: HashSet<[u8; 8]>,
}

impl Reader {
    pub(super) async fn whole_traces(
        &self,
        request: GetTracesRequest,
    ) -> Result<ChunkStream<TraceChunk>, tonic::Status> {
        if request.trace_ids.len() > self.traces_max {
            return Err(self.too_many("traces", request.trace_ids.len()));
        }
        if request.span_ids.len() > SPANS_MAX {
            let asked = request.span_ids.len();
            let message = format!("{asked} spans asked for, at most {SPANS_MAX} are answered");
            return Err(Status::new(Kind::Invalid, message).into());
        }
        let ids = request.trace_ids.iter().map(|id| trace_id(id)).collect::<Result<Vec<_>, _>>()?;
        let span_ids = request.span_ids.iter().map(span_id).collect::<Result<_, _>>()?;
        let wanted = Wanted { ids, span_ids };
        let scope = Scope::enter(self.store.clone(), request.scope, self.wait_max).await?;
        let streaming = Streaming { stall_max: self.stall_max, metrics: self.metrics.clone() };
        Ok(streaming.start(&self.pool, move |out| wanted.send(&scope, out)))
    }
}

fn span_id(bytes: &Bytes) -> Result<[u8; 8], tonic::Status> {
    bytes.as_ref().try_into().map_err(|_wrong_length| {
        let message = format!("span_ids: an id is {} bytes long, expected 8", bytes.len());
        Status::new(Kind::Invalid, message).into()
    })
}

impl Wanted {
    fn send(&self, scope: &Scope, out: &Sender<TraceChunk>) -> Result<(), Status> {
        let mut cost = Cost::default();
        let mut snapshot = scope.snapshot();
        for id in &self.ids {
            let mut outcome = self.emit(&snapshot, *id, out, &mut cost);
            if matches!(outcome, Err(Error::Corrupt { .. })) && scope.store.verify(scope.partition) > 0 {
                snapshot = scope.snapshot();
                outcome = self.emit(&snapshot, *id, out, &mut cost);
            }
            outcome.map_err(|e| out.failed(e, failure))?;
        }
        let state = Some(scope.state(&snapshot, cost));
        let _reader_left = out.send(TraceChunk { state, ..TraceChunk::default() });
        Ok(())
    }

    fn emit(
        &self,
        snapshot: &Snapshot<Traces>,
        id: [u8; 16],
        out: &Sender<TraceChunk>,
        cost: &mut Cost,
    ) -> runtime_engine::Result<bool> {
        let trace_id = Bytes::copy_from_slice(&id);
        let mut send = |traces_data: Bytes| {
            out.send(TraceChunk { state: None, trace_id: trace_id.clone(), traces_data })
        };
        if self.span_ids.is_empty() {
            trace_segments::get_trace(snapshot, id, &mut send, cost)
        } else {
            trace_segments::get_spans(snapshot, id, &self.span_ids, &mut send, cost)
        }
    }
}
