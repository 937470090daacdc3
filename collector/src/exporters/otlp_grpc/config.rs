//! The keys of the `otlp_grpc` exporter.
//!
//! Knows: keys, defaults, checks. Must not know: gRPC calls.

use std::collections::BTreeMap;
use std::time::Duration;

use runtime_service::Secret;
use serde::Deserialize;
use tonic::codec::CompressionEncoding;

use crate::config::{GoDuration, Section};
use crate::exporters::sending::{QueueConfig, RetryConfig};

/// `exporters::otlp_grpc`.
#[derive(Debug, Deserialize)]
#[serde(default)]
// Buffers, balancing and keep-alive are accepted; the channel has its own.
pub(crate) struct OtlpGrpcConfig {
    /// `host:port`; empty = the trace store of this stack.
    pub(super) endpoint: String,
    compression: Compression,
    tls: Tls,
    pub(super) headers: BTreeMap<String, Secret>,
    pub(super) timeout: GoDuration,
    pub(super) retry_on_failure: RetryConfig,
    pub(super) sending_queue: Section<QueueConfig>,
    wait_for_ready: bool,
    balancer_name: String,
    read_buffer_size: u64,
    write_buffer_size: u64,
    keepalive: Keepalive,
}

impl Default for OtlpGrpcConfig {
    fn default() -> Self {
        OtlpGrpcConfig {
            endpoint: String::new(),
            compression: Compression::None,
            tls: Tls::default(),
            headers: BTreeMap::new(),
            timeout: GoDuration(Duration::from_secs(5)),
            retry_on_failure: RetryConfig::default(),
            sending_queue: Section::default(),
            wait_for_ready: false,
            balancer_name: "round_robin".to_owned(),
            read_buffer_size: 0,
            write_buffer_size: 512 << 10,
            keepalive: Keepalive::default(),
        }
    }
}

/// None by default: the next hop is a neighbour, and compressing costs more than everything else here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Compression {
    None,
    Gzip,
    Zstd,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tls {
    insecure: bool,
    insecure_skip_verify: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
// Accepted; the channel probes idle connections by itself.
struct Keepalive {
    time: GoDuration,
    timeout: GoDuration,
    permit_without_stream: bool,
}

impl OtlpGrpcConfig {
    pub(super) fn compression(&self) -> Option<CompressionEncoding> {
        match self.compression {
            Compression::None => None,
            Compression::Gzip => Some(CompressionEncoding::Gzip),
            Compression::Zstd => Some(CompressionEncoding::Zstd),
        }
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = self.retry_on_failure.validate();
        if let Some(queue) = &self.sending_queue.0 {
            problems.extend(queue.validate());
        }
        if self.tls.insecure_skip_verify && !self.tls.insecure {
            problems.push("tls: TLS is not available yet, set insecure: true".to_owned());
        }
        if self.endpoint.starts_with("https://") && !self.tls.insecure {
            let endpoint = &self.endpoint;
            problems.push(format!("endpoint {endpoint:?} asks for TLS, which is not available: use http://"));
        }
        problems
    }
}
