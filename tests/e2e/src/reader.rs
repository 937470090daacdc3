//! Reads everything back over `trace_store.v1`, a thousand traces a call.
//!
//! Knows: the store's read protocol. Must not know: Jaeger's. Start at [`read_traces`].

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message;
use shared_proto::trace_store::v1::trace_store_client::TraceStoreClient;
use shared_proto::trace_store::v1::{GetTracesRequest, HoldersRequest, ReadScope};

use crate::ledger::SpanKey;

const TRACES_PER_CALL: usize = 1_000;

/// How often each span of these traces is there, over all partitions. Fails when an answer is partial.
///
/// # Errors
/// When the store does not answer or its answer is partial.
pub async fn read_traces(endpoint: &str, traces: &[[u8; 16]]) -> Result<HashMap<SpanKey, usize>> {
    let mut client =
        TraceStoreClient::connect(endpoint.to_owned()).await.context("connect to trace-store")?;
    let partitions = client.holders(HoldersRequest {}).await?.into_inner().partitions;
    ensure!(partitions > 0, "the store says that it has no partitions");
    let mut present = HashMap::new();
    for partition in 0..partitions {
        for ids in traces.chunks(TRACES_PER_CALL) {
            let request = GetTracesRequest {
                scope: Some(ReadScope { partition, ..Default::default() }),
                trace_ids: ids.iter().map(|id| Bytes::copy_from_slice(id)).collect(),
                ..Default::default()
            };
            let mut stream = client.get_traces(request).await?.into_inner();
            let mut whole = false;
            while let Some(chunk) = stream.message().await? {
                if let Some(state) = chunk.state {
                    ensure!(state.partial.is_empty(), "partition {partition} is partial: {}", state.partial);
                    whole = true;
                }
                count_spans(&chunk.traces_data, &mut present)?;
            }
            ensure!(whole, "the stream of partition {partition} ended without its state");
        }
    }
    Ok(present)
}

fn count_spans(traces_data: &[u8], present: &mut HashMap<SpanKey, usize>) -> Result<()> {
    let data = TracesData::decode(traces_data)?;
    let scopes = data.resource_spans.into_iter().flat_map(|r| r.scope_spans);
    for span in scopes.flat_map(|s| s.spans) {
        let trace_id = span.trace_id.as_slice().try_into()?;
        let span_id = span.span_id.as_slice().try_into()?;
        *present.entry((trace_id, span_id)).or_default() += 1;
    }
    Ok(())
}
