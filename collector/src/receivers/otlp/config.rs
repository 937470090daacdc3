//! The keys of the `otlp` receiver, as the OpenTelemetry Collector spells them.
//!
//! Knows: keys, defaults, checks. Must not know: sockets. Keys of features that this collector lacks (`tls`, `auth`, …)
//! are unknown keys: refused by name, not ignored.

use std::time::Duration;

use serde::Deserialize;

use crate::config::{GoDuration, Section};
use crate::endpoint::Endpoint;

/// DESIGN §9; OTLP recommends 64.
const MESSAGE_MIB_DEFAULT: u64 = 16;
/// One request may not be larger than this whatever the keys say: buffers are addressed in one piece.
const MESSAGE_MIB_MAX: u64 = 1024;
const MIB: u64 = 1 << 20;

/// `receivers::otlp`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OtlpConfig {
    pub(super) protocols: Protocols,
}

/// `protocols`: a protocol is on when its key is there.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Protocols {
    pub(super) grpc: Section<Grpc>,
    pub(super) http: Section<Http>,
}

/// `protocols::grpc`.
#[derive(Debug, Deserialize)]
#[serde(default)]
// Buffer sizes and metadata are accepted; they have no effect on this server.
pub(super) struct Grpc {
    pub(super) endpoint: String,
    transport: String,
    max_recv_msg_size_mib: u64,
    pub(super) max_concurrent_streams: u32,
    read_buffer_size: u64,
    write_buffer_size: u64,
    include_metadata: bool,
    keepalive: Keepalive,
}

impl Default for Grpc {
    fn default() -> Self {
        Grpc {
            endpoint: "localhost:4317".to_owned(),
            transport: "tcp".to_owned(),
            max_recv_msg_size_mib: MESSAGE_MIB_DEFAULT,
            max_concurrent_streams: 256,
            read_buffer_size: 512 << 10,
            write_buffer_size: 0,
            include_metadata: false,
            keepalive: Keepalive::default(),
        }
    }
}

impl Grpc {
    pub(super) fn connection_age_max(&self) -> Option<Duration> {
        let age = self.keepalive.server_parameters.max_connection_age.0;
        (age > Duration::ZERO).then_some(age)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
// The enforcement policy is accepted; the HTTP/2 server has its own.
struct Keepalive {
    server_parameters: ServerParameters,
    enforcement_policy: EnforcementPolicy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
// Accepted; of these only the age has an effect.
struct ServerParameters {
    max_connection_idle: GoDuration,
    max_connection_age: GoDuration,
    max_connection_age_grace: GoDuration,
    time: GoDuration,
    timeout: GoDuration,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
// Accepted; the HTTP/2 server has its own policy.
struct EnforcementPolicy {
    min_time: GoDuration,
    permit_without_stream: bool,
}

/// `protocols::http`.
#[derive(Debug, Deserialize)]
#[serde(default)]
// Time-outs of an idle connection and metadata are accepted; the server has its own.
pub(super) struct Http {
    pub(super) endpoint: String,
    pub(super) traces_url_path: String,
    pub(super) metrics_url_path: String,
    pub(super) logs_url_path: String,
    pub(super) cors: Option<Cors>,
    max_request_body_size: u64,
    compression_algorithms: Option<Vec<String>>,
    read_header_timeout: GoDuration,
    read_timeout: GoDuration,
    write_timeout: GoDuration,
    idle_timeout: GoDuration,
    include_metadata: bool,
    keep_alives_enabled: bool,
}

impl Default for Http {
    fn default() -> Self {
        Http {
            endpoint: "localhost:4318".to_owned(),
            traces_url_path: "/v1/traces".to_owned(),
            metrics_url_path: "/v1/metrics".to_owned(),
            logs_url_path: "/v1/logs".to_owned(),
            cors: None,
            max_request_body_size: 0,
            compression_algorithms: None,
            read_header_timeout: GoDuration(HEADER_TIMEOUT_DEFAULT),
            read_timeout: GoDuration::default(),
            write_timeout: GoDuration(Duration::from_secs(30)),
            idle_timeout: GoDuration(Duration::from_secs(60)),
            include_metadata: false,
            keep_alives_enabled: true,
        }
    }
}

/// A slow-loris client is cut off after this.
const HEADER_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

impl Http {
    pub(super) fn header_timeout(&self) -> Duration {
        let asked = self.read_header_timeout.0;
        if asked > Duration::ZERO { asked } else { HEADER_TIMEOUT_DEFAULT }
    }
}

/// `protocols::http::cors`.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Cors {
    pub(super) allowed_origins: Vec<String>,
    pub(super) allowed_headers: Vec<String>,
    pub(super) exposed_headers: Vec<String>,
    pub(super) max_age: u64,
}

impl OtlpConfig {
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.protocols.grpc.0.is_none() && self.protocols.http.0.is_none() {
            problems.push("must specify at least one protocol when using the OTLP receiver".to_owned());
        }
        let mut endpoint = |text: &str, path: &str| {
            if let Err(what) = Endpoint::parse(text) {
                problems.push(format!("protocols::{path}: {what}"));
            }
        };
        if let Some(grpc) = &self.protocols.grpc.0 {
            endpoint(&grpc.endpoint, "grpc");
        }
        if let Some(http) = &self.protocols.http.0 {
            endpoint(&http.endpoint, "http");
        }
        if let Some(grpc) = &self.protocols.grpc.0 {
            if grpc.transport != "tcp" {
                let transport = &grpc.transport;
                problems
                    .push(format!("protocols::grpc: transport {transport:?} is not available, use \"tcp\""));
            }
            if grpc.max_recv_msg_size_mib > MESSAGE_MIB_MAX {
                problems.push(format!(
                    "protocols::grpc: max_recv_msg_size_mib must be at most {MESSAGE_MIB_MAX}"
                ));
            }
        }
        if let Some(http) = &self.protocols.http.0 {
            if http.max_request_body_size > MESSAGE_MIB_MAX * MIB {
                let max = MESSAGE_MIB_MAX * MIB;
                problems.push(format!("protocols::http: max_request_body_size must be at most {max}"));
            }
            let paths = [&http.traces_url_path, &http.metrics_url_path, &http.logs_url_path];
            for path in paths.into_iter().filter(|path| path.is_empty()) {
                problems
                    .push(format!("protocols::http: a signal's URL path must not be empty, got {path:?}"));
            }
        }
        problems
    }

    /// The largest gRPC message, after decompression.
    pub(super) fn grpc_bytes_max(&self) -> usize {
        let mib = self.protocols.grpc.0.as_ref().map_or(0, |grpc| grpc.max_recv_msg_size_mib);
        bytes(if mib == 0 { MESSAGE_MIB_DEFAULT * MIB } else { mib * MIB })
    }

    /// The largest HTTP body, after decompression.
    pub(super) fn http_bytes_max(&self) -> usize {
        let asked = self.protocols.http.0.as_ref().map_or(0, |http| http.max_request_body_size);
        bytes(if asked == 0 { MESSAGE_MIB_DEFAULT * MIB } else { asked })
    }

    /// Encodings that an HTTP client may use; the key may only narrow them.
    pub(super) fn compressions(&self) -> Option<&[String]> {
        self.protocols.http.0.as_ref().and_then(|http| http.compression_algorithms.as_deref())
    }
}

fn bytes(asked: u64) -> usize {
    usize::try_from(asked.min(MESSAGE_MIB_MAX * MIB)).unwrap_or(usize::MAX)
}
