//! A trace as columns, streamed.
//!
//! Knows: the messages. Must not know: where rows come from. Start at [`Reader::skeleton`].

use runtime_engine::Error;
use runtime_service::{Kind, Status};
use shared_proto::trace_store::v1::{GetSkeletonRequest, SkeletonChunk, SkeletonResource};
use trace_segments::{Cost, Rows};

use super::scope::Scope;
use super::stream::{ChunkStream, Sender, Streaming};
use super::{Reader, failure, trace_id};

impl Reader {
    pub(super) async fn skeleton(
        &self,
        request: GetSkeletonRequest,
    ) -> Result<ChunkStream<SkeletonChunk>, tonic::Status> {
        let id = trace_id(&request.trace_id)?;
        let scope = Scope::enter(self.store.clone(), request.scope, self.wait_max).await?;
        let streaming = Streaming { stall_max: self.stall_max, metrics: self.metrics.clone() };
        Ok(streaming.start(&self.pool, move |out| send(&scope, id, out)))
    }
}

fn send(scope: &Scope, id: [u8; 16], out: &Sender<SkeletonChunk>) -> Result<(), Status> {
    let mut cost = Cost::default();
    let snapshot = scope.snapshot();
    let mut emit = |rows: Rows| out.send(chunk_of(rows));
    match trace_segments::skeleton(&snapshot, id, &mut emit, &mut cost) {
        Ok(_found) => {}
        Err(Error::Corrupt { .. }) if scope.store.verify(scope.partition) > 0 => {
            // rows are on their way already: the next try is answered by what is left
            let message = "the read met damage, which is set aside now: try again";
            return Err(Status::retryable(Kind::Unavailable, message));
        }
        Err(e) => return Err(out.failed(e, failure)),
    }
    let state = Some(scope.state(&snapshot, cost));
    let _reader_left = out.send(SkeletonChunk { state, ..SkeletonChunk::default() });
    Ok(())
}

fn chunk_of(rows: Rows) -> SkeletonChunk {
    let resources = rows
        .resources
        .into_iter()
        .map(|r| SkeletonResource { resource_spans: r.otlp, service: r.service.to_string() });
    SkeletonChunk {
        state: None,
        resources: resources.collect(),
        names: rows.names,
        span_ids: rows.span_ids,
        parent_ids: rows.parent_ids,
        starts_unix_nano: rows.starts,
        ends_unix_nano: rows.ends,
        resource: rows.resource,
        name: rows.name,
        facts: rows.facts.into(),
    }
}
