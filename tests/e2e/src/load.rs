//! Generated OTLP requests of realistic spans (about 500 bytes, ten attributes), and a client that sends them.
//!
//! Knows: OTLP over HTTP. Must not know: where spans end up. Start at [`request`] and [`Sender`].

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::ledger::SpanKey;

const SERVICES: [&str; 8] =
    ["yc-backend-api", "yc-code-executor", "yc-web", "orders", "payments", "search", "mail", "auth"];
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// A request and the ids of its spans.
pub struct Request {
    /// OTLP protobuf.
    pub body: Bytes,
    /// Its spans, in order.
    pub spans: Vec<SpanKey>,
}

/// A request of `traces` traces with `spans_per_trace` spans each, starting about now.
#[must_use]
pub fn request(random: &mut StdRng, traces: usize, spans_per_trace: usize) -> Request {
    let ids: Vec<[u8; 16]> = (0..traces).map(|_| random.random()).collect();
    request_of(random, &ids, spans_per_trace)
}

/// A request of `spans` further spans of one trace.
#[must_use]
pub fn more_of(random: &mut StdRng, trace_id: [u8; 16], spans: usize) -> Request {
    request_of(random, &[trace_id], spans)
}

fn request_of(random: &mut StdRng, traces: &[[u8; 16]], spans_per_trace: usize) -> Request {
    let mut by_service: Vec<Vec<Span>> = SERVICES.iter().map(|_| Vec::new()).collect();
    let mut keys = Vec::with_capacity(traces.len() * spans_per_trace);
    let now = now_nanos();
    for &trace_id in traces {
        let mut parent = Vec::new();
        for n in 0..spans_per_trace {
            let span = span(random, trace_id, parent, now, n);
            let mut span_id = [0; 8];
            span_id.copy_from_slice(&span.span_id);
            parent = span.span_id.clone();
            keys.push((trace_id, span_id));
            let service = random.random_range(0..SERVICES.len());
            if let Some(spans) = by_service.get_mut(service) {
                spans.push(span);
            }
        }
    }
    let resource_spans = SERVICES.iter().zip(by_service).filter(|(_, s)| !s.is_empty());
    let resource_spans = resource_spans.map(|(service, spans)| resource(service, spans)).collect();
    let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    Request { body: body.into(), spans: keys }
}

fn resource(service: &str, spans: Vec<Span>) -> ResourceSpans {
    let attributes = [
        ("service.name", service),
        ("service.version", "1.2.3"),
        ("host.name", "host-17"),
        ("deployment.environment.name", "production"),
    ];
    let attributes = attributes.map(|(k, v)| attribute(k, Value::StringValue(v.to_owned()))).to_vec();
    let scope = InstrumentationScope { name: "load".into(), version: "1".into(), ..Default::default() };
    ResourceSpans {
        resource: Some(Resource { attributes, ..Default::default() }),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..Default::default() }],
        ..Default::default()
    }
}

fn span(random: &mut StdRng, trace_id: [u8; 16], parent: Vec<u8>, now: u64, n: usize) -> Span {
    let text = |s: String| Value::StringValue(s);
    let method = METHODS.choose(random).copied().unwrap_or("GET");
    let route = format!("/api/v1/things/{{id}}/{}", random.random_range(0..40));
    let failed = random.random_range(0..50) == 0;
    let start = now + n as u64 * 1_000_000 + random.random_range(0..1_000_000);
    let attributes = vec![
        attribute("http.request.method", text(method.into())),
        attribute("http.route", text(route.clone())),
        attribute("url.path", text(format!("/api/v1/things/{}", random.random_range(0..100_000)))),
        attribute("http.response.status_code", Value::IntValue(if failed { 500 } else { 200 })),
        attribute("server.address", text("api.example.com".into())),
        attribute("server.port", Value::IntValue(443)),
        attribute("user.id", text(format!("user-{}", random.random_range(0..50_000)))),
        attribute("network.protocol.version", text("1.1".into())),
        attribute("retries", Value::IntValue(random.random_range(0..3))),
        attribute("cache.hit", Value::BoolValue(random.random())),
    ];
    Span {
        trace_id: trace_id.to_vec(),
        span_id: random.random::<[u8; 8]>().to_vec(),
        parent_span_id: parent,
        name: format!("{method} {route}"),
        kind: random.random_range(1..=5),
        start_time_unix_nano: start,
        end_time_unix_nano: start + random.random_range(10_000..50_000_000),
        attributes,
        status: failed.then(|| Status { message: "upstream timed out".into(), code: 2 }),
        ..Default::default()
    }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

fn now_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or_default()
}

/// What a server said to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Durable.
    Acked,
    /// Refused; to be sent again later.
    Refused {
        /// HTTP status.
        status: u16,
        /// `Retry-After`, if any.
        retry_after: Option<String>,
        /// The answer's body as text.
        body: String,
    },
    /// The connection broke: it may be there or not.
    Unknown,
}

/// Sends OTLP over HTTP on one connection.
pub struct Sender {
    http: reqwest::Client,
    url: String,
}

impl Sender {
    /// A sender to `http://host:port` (`/v1/traces` is added).
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(endpoint: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        Ok(Self { http, url: format!("{endpoint}/v1/traces") })
    }

    /// Sends one request, once.
    pub async fn send(&self, body: Bytes) -> Outcome {
        let request = self.http.post(&self.url).header("content-type", "application/x-protobuf").body(body);
        match request.send().await {
            Err(_) => Outcome::Unknown,
            Ok(answer) if answer.status().is_success() => Outcome::Acked,
            Ok(answer) => Outcome::Refused {
                status: answer.status().as_u16(),
                retry_after: answer
                    .headers()
                    .get("retry-after")
                    .map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()),
                body: answer.text().await.unwrap_or_default(),
            },
        }
    }
}
