//! A running service and its clients.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message;
use runtime_files::{Clock, Files, OsFiles, SystemClock};
use runtime_service::{Channel, Context, Drained, Running, connect};
use shared_proto::codec::RawCodec;
use shared_proto::trace_store::v1::trace_store_client::TraceStoreClient;
use shared_proto::trace_store::v1::{GetTracesRequest, ReadScope, ReadState};
use tonic::Status;
use tonic::codec::CompressionEncoding;
use trace_store::{Config, build_on};

use crate::spans::decode;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// One started service.
pub(crate) struct House {
    running: Running,
    pub(crate) channel: Channel,
}

/// Positions that a write got, by partition.
pub(crate) type Positions = BTreeMap<u32, u64>;

impl House {
    pub(crate) async fn open(dir: &Path) -> Self {
        Self::open_with(dir, Config::default()).await
    }

    pub(crate) async fn open_with(dir: &Path, config: Config) -> Self {
        Self::open_on(dir, config, Arc::new(OsFiles), Arc::new(SystemClock::new())).await
    }

    pub(crate) async fn open_on(
        dir: &Path,
        config: Config,
        files: Arc<dyn Files>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let ctx = Context::ephemeral(dir);
        let running = build_on(config, ctx.clone(), files, clock).await.unwrap().start();
        let channel = connect(&Context::ephemeral(dir), running.url("trace-store gRPC").unwrap()).unwrap();
        Self { running, channel }
    }

    pub(crate) async fn drain(self) -> Drained {
        tokio::time::timeout(DEADLINE, self.running.drain()).await.unwrap()
    }

    pub(crate) async fn send(
        &self,
        body: Bytes,
        zip: Option<CompressionEncoding>,
    ) -> Result<tonic::Response<Bytes>, Status> {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        if let Some(zip) = zip {
            client = client.send_compressed(zip);
        }
        client.ready().await.unwrap();
        client.unary(tonic::Request::new(body), PathAndQuery::from_static(EXPORT), RawCodec).await
    }

    pub(crate) async fn export(
        &self,
        request: &ExportTraceServiceRequest,
    ) -> (Positions, ExportTraceServiceResponse) {
        let answer = self.send(request.encode_to_vec().into(), None).await.unwrap();
        let positions = answer.metadata().get("x-yc-position").map(|v| positions(v.to_str().unwrap()));
        (positions.unwrap_or_default(), ExportTraceServiceResponse::decode(answer.into_inner()).unwrap())
    }

    pub(crate) fn reads(&self) -> TraceStoreClient<Channel> {
        TraceStoreClient::new(self.channel.clone())
    }

    /// A trace from every partition, seeing at least `positions`.
    pub(crate) async fn trace(&self, id: [u8; 16], positions: &Positions) -> Vec<ResourceSpans> {
        let mut chunks = Vec::new();
        for partition in 0..4 {
            let (more, state) =
                self.trace_of(partition, id, positions.get(&partition).map_or(0, |p| p + 1)).await.unwrap();
            assert_eq!(state.partial, "");
            chunks.extend(more);
        }
        decode(&chunks)
    }

    pub(crate) async fn trace_of(
        &self,
        partition: u32,
        id: [u8; 16],
        position_min: u64,
    ) -> Result<(Vec<Bytes>, ReadState), Status> {
        let scope = ReadScope { partition, position_min, wait_ms_max: 30_000 };
        let request = GetTracesRequest {
            scope: Some(scope),
            trace_ids: vec![Bytes::copy_from_slice(&id)],
            ..Default::default()
        };
        let mut stream = self.reads().get_traces(request).await?.into_inner();
        let mut chunks = Vec::new();
        while let Some(chunk) = stream.message().await? {
            if let Some(state) = chunk.state {
                return Ok((chunks, state));
            }
            assert_eq!(chunk.trace_id.as_ref(), id);
            chunks.push(chunk.traces_data);
        }
        panic!("the stream ended without a state");
    }

    /// Status and body of an admin endpoint.
    pub(crate) async fn admin(&self, path: &str) -> (u16, String) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let addr = self.running.url("trace-store admin").unwrap().trim_start_matches("http://").to_owned();
        let mut stream = tokio::net::TcpStream::connect(&addr).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.admin("/metrics").await;
        let rows = text.lines().filter(|l| l.split(['{', ' ']).next() == Some(name));
        let values: Vec<f64> = rows.map(|l| l.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert!(!values.is_empty(), "no metric {name} in\n{text}");
        values.iter().sum()
    }

    /// Waits until an admin endpoint answers with `status`.
    pub(crate) async fn until(&self, path: &str, status: u16) {
        let waiting = async {
            while self.admin(path).await.0 != status {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting)
            .await
            .unwrap_or_else(|_| panic!("{path} never became {status}"));
    }
}

fn positions(header: &str) -> Positions {
    let one = |text: &str| {
        let (partition, offset) = text.strip_prefix("traces/").unwrap().split_once('@').unwrap();
        (partition.parse().unwrap(), offset.parse().unwrap())
    };
    header.split(',').map(one).collect()
}
