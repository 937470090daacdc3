//! `otlp_grpc` (deprecated alias `otlp`): OTLP over gRPC to the next hop, the trace store by default.
//!
//! Knows: its keys, OTLP's Export methods, the answer's partial success and position header. Must not know: queueing and
//! retry (`sending`). A batch's bytes go into the frame as they are. Start at [`OtlpGrpcConfig`].

mod answer;
mod config;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::uri::PathAndQuery;
use runtime_service::{Channel, Kind, Status};
use shared_proto::codec::RawCodec;
use shared_proto::otlp::Signal;
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{Ascii, MetadataKey, MetadataMap, MetadataValue};

pub(crate) use config::OtlpGrpcConfig;

use super::sending::{Attempt, Sending};
use crate::component::{Exporter, ExporterConfig, Host};
use crate::config::ComponentId;
use crate::pipeline::{Ack, Batch, Consumer, Outcome};
use crate::processors::Merger;

/// The trace store of the same stack; shifted by the port offset.
const TRACE_STORE_PORT: u16 = 17281;
/// An answer is a partial success; OTLP allows 4 MiB, nothing needs it (response bombs).
const ANSWER_BYTES_MAX: usize = 64 << 10;

impl ExporterConfig for OtlpGrpcConfig {
    fn validate(&self) -> Vec<String> {
        self.problems()
    }

    fn build(&self, id: &ComponentId, host: &Host) -> anyhow::Result<Exporter> {
        let endpoint = match self.endpoint.trim() {
            "" => host.ctx.local_endpoint(TRACE_STORE_PORT),
            named => named.to_owned(),
        };
        let client = Client {
            name: format!("{id} ({endpoint})"),
            ctx: host.ctx.clone(),
            channel: std::sync::OnceLock::new(),
            endpoint,
            compression: self.compression(),
            headers: self.metadata()?,
        };
        client.check()?;
        let queue = self.sending_queue.0.clone().unwrap_or_default();
        let merge = queue.batch.clone();
        let metrics = host.metrics.exporter(id);
        let sending = Sending::new(
            id.to_string(),
            client,
            queue,
            self.retry_on_failure.clone(),
            self.timeout.0,
            metrics,
        );
        let consumer: Arc<dyn Consumer> = Arc::new(sending);
        let Some(merge) = merge else { return Ok(Exporter { consumer, component: None }) };
        let per_signal = PerSignal::new(id, &merge, &consumer, host);
        Ok(Exporter { consumer: Arc::new(per_signal), component: None })
    }
}

/// `sending_queue::batch` merges requests of one signal, never of two.
struct PerSignal([Merger; 3]);

impl PerSignal {
    fn new(
        id: &ComponentId,
        merge: &super::sending::QueueBatch,
        next: &Arc<dyn Consumer>,
        host: &Host,
    ) -> Self {
        let rules = crate::processors::Rules {
            items: merge.min_size,
            items_max: merge.max_size,
            timeout: merge.flush_timeout.0.min(Duration::from_secs(1)),
        };
        let one = || Merger::new(&format!("exporter/{id}"), rules.clone(), next.clone(), host);
        PerSignal([one(), one(), one()])
    }
}

impl Consumer for PerSignal {
    fn consume(&self, batch: Batch) -> BoxFuture<'_, Outcome> {
        let [traces, metrics, logs] = &self.0;
        match batch.signal {
            Signal::Traces => traces.consume(batch),
            Signal::Metrics => metrics.consume(batch),
            Signal::Logs => logs.consume(batch),
        }
    }
}

struct Client {
    name: String,
    ctx: runtime_service::Context,
    /// Made at the first batch: by then a neighbour in this process has registered itself.
    channel: std::sync::OnceLock<Channel>,
    endpoint: String,
    compression: Option<CompressionEncoding>,
    headers: MetadataMap,
}

fn path(signal: Signal) -> PathAndQuery {
    PathAndQuery::from_static(match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    })
}

impl Client {
    /// Whether the endpoint is one at all.
    fn check(&self) -> anyhow::Result<()> {
        let uri = if self.endpoint.contains("://") {
            self.endpoint.clone()
        } else {
            format!("http://{}", self.endpoint)
        };
        let parsed: http::Uri =
            uri.parse().with_context(|| format!("endpoint {:?} is not usable", self.endpoint))?;
        if parsed.scheme_str() == Some("https") {
            anyhow::bail!("endpoint {:?} asks for TLS, which is not available: use http://", self.endpoint);
        }
        if parsed.authority().is_none_or(|authority| authority.port().is_none()) {
            anyhow::bail!("endpoint {:?} has no port: expected host:port", self.endpoint);
        }
        Ok(())
    }

    fn channel(&self) -> Result<Channel, Status> {
        if let Some(channel) = self.channel.get() {
            return Ok(channel.clone());
        }
        let made = runtime_service::connect(&self.ctx, &self.endpoint)
            .map_err(|error| Status::new(Kind::Internal, format!("exporter {}: {error}", self.name)))?;
        Ok(self.channel.get_or_init(|| made).clone())
    }

    async fn export(&self, batch: Batch) -> Outcome {
        let mut grpc = Grpc::new(self.channel()?)
            .max_decoding_message_size(ANSWER_BYTES_MAX)
            .accept_compressed(CompressionEncoding::Gzip);
        if let Some(encoding) = self.compression {
            grpc = grpc.send_compressed(encoding);
        }
        if let Err(error) = grpc.ready().await {
            return Err(self.unreachable(&*error));
        }
        let mut request = tonic::Request::new(batch.bytes);
        *request.metadata_mut() = self.headers.clone();
        match grpc.unary(request, path(batch.signal), RawCodec).await {
            Ok(response) => self.ack(response, batch.items),
            Err(status) if status.source().is_some() => Err(self.unreachable(&status)),
            Err(status) => Err(Status::from_grpc(&status)),
        }
    }

    /// A failure of the transport: the batch may or may not have arrived, and sending it again is safe.
    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> Status {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            text = inner.to_string();
            cause = inner.source();
        }
        Status::retryable(
            Kind::Unavailable,
            format!("exporter {} cannot reach its next hop: {text}", self.name),
        )
    }

    fn ack(&self, response: tonic::Response<Bytes>, items: u64) -> Outcome {
        let positions: Vec<&str> = response
            .metadata()
            .get_all("x-yc-position")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        let positions = (!positions.is_empty()).then(|| Arc::from(positions.join(",")));
        let rejected = answer::partial_success(response.get_ref())
            .map_err(|what| Status::new(Kind::Internal, format!("exporter {}: {what}", self.name)))?;
        if let Some(rejected) = &rejected {
            let (count, first) = (rejected.items, &rejected.first);
            tracing::warn!(exporter = self.name, count, items, first, "the next hop rejected items");
        }
        Ok(Ack { positions, rejected })
    }
}

impl Attempt for Client {
    fn attempt(&self, batch: Batch) -> BoxFuture<'_, Outcome> {
        Box::pin(self.export(batch))
    }
}

impl OtlpGrpcConfig {
    fn metadata(&self) -> anyhow::Result<MetadataMap> {
        let mut map = MetadataMap::new();
        for (name, value) in &self.headers {
            let key: MetadataKey<Ascii> = name
                .to_ascii_lowercase()
                .parse()
                .ok()
                .with_context(|| format!("headers: {name:?} is not a usable header name"))?;
            let value: MetadataValue<Ascii> = value
                .reveal()
                .parse()
                .ok()
                .with_context(|| format!("headers: the value of {name:?} is not usable"))?;
            map.insert(key, value);
        }
        Ok(map)
    }
}
