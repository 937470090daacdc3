//! One trace as columns, from every partition that has some of it.
//!
//! Knows: `GetSkeleton`, the budget. Must not know: what is made of the columns. Start at [`Backend::columns`].

use bytes::Bytes;
use futures_util::future::BoxFuture;
use runtime_service::Status;
use shared_proto::trace_store::v1::{GetSkeletonRequest, SkeletonChunk};

use crate::trace_id::TraceId;

use super::ask::Asked;
use super::reads::part;
use super::{Answer, Backend, Positions, Taken};

/// What a row holds while a skeleton is made of it: the columns as they came, and those that are answered.
const ROW_BYTES: usize = 160;

/// The columns of a trace.
#[derive(Debug)]
pub(crate) struct Columns {
    /// Of each partition, its chunks in order: their tables go on from chunk to chunk.
    pub(crate) parts: Vec<Vec<SkeletonChunk>>,
    /// How many rows there were; more than are kept when the trace is cut.
    pub(crate) found: usize,
    /// Their share of the process' budget.
    pub(crate) taken: Vec<Taken>,
}

impl Backend {
    /// The columns of a trace, at most `rows_max` rows from each partition.
    ///
    /// # Errors
    /// When no partition answers, a position is not reached, or the process holds too many answers already.
    pub(crate) async fn columns(
        &self,
        id: TraceId,
        rows_max: usize,
        at_least: &Positions,
    ) -> Result<Answer<Columns>, Status> {
        let total = self.total.clone();
        let call = |mut asked: Asked| -> BoxFuture<'static, Result<_, tonic::Status>> {
            let mut taken = total.start();
            Box::pin(async move {
                let trace_id = Bytes::copy_from_slice(&id);
                let request = GetSkeletonRequest { scope: Some(asked.scope), trace_id };
                let mut stream = asked.client.get_skeleton(request).await?.into_inner();
                let (mut chunks, mut found) = (Vec::new(), 0_usize);
                while let Some(chunk) = stream.message().await? {
                    if chunk.state.is_some() {
                        return part((chunks, found, taken), chunk.state);
                    }
                    let rows = chunk.span_ids.len();
                    if found < rows_max {
                        taken.take(rows * ROW_BYTES)?;
                        chunks.push(chunk);
                    }
                    found += rows;
                }
                Err(tonic::Status::unavailable("the stream of a skeleton broke off"))
            })
        };
        let answer = self.every_partition(at_least, &call).await?;
        Ok(answer.map(|parts| {
            let mut columns = Columns { parts: Vec::new(), found: 0, taken: Vec::new() };
            for (chunks, found, taken) in parts {
                columns.parts.push(chunks);
                columns.found += found;
                columns.taken.push(taken);
            }
            columns
        }))
    }
}
