//! A running collector and its next hop.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use collector::{Config, Sources, build_with};
use http::{Request, Response};
use http_body_util::BodyExt;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use runtime_service::{Context, Drained, Running};
use tokio::sync::Semaphore;
use tonic::body::Body;

/// Nothing here takes longer, unless it hangs.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// What the next hop answers.
#[derive(Clone)]
pub(crate) enum Answer {
    /// A success with this message and this position header.
    Ok(&'static [u8], &'static str),
    Refuse(tonic::Status),
}

/// A next hop in this process: keeps what it got, answers from a function, one permit at a time.
#[derive(Clone)]
pub(crate) struct NextHop {
    pub(crate) got: Arc<Mutex<Vec<(String, Bytes)>>>,
    pub(crate) permits: Arc<Semaphore>,
    answer: Arc<dyn Fn(usize) -> Answer + Send + Sync>,
}

impl NextHop {
    /// Answers the n-th call (from 0) with `answer(n)`.
    pub(crate) fn new(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        let permits = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        NextHop { got: Arc::default(), permits, answer: Arc::new(answer) }
    }

    pub(crate) fn fine() -> Self {
        Self::new(|_| Answer::Ok(b"", ""))
    }

    async fn call(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let number = {
            let mut got = self.got.lock().unwrap();
            got.push((path, body.slice(5..)));
            got.len() - 1
        };
        let permit = self.permits.acquire().await.unwrap();
        drop(permit);
        match (self.answer)(number) {
            Answer::Refuse(status) => status.into_http(),
            Answer::Ok(message, position) => {
                let mut frame = vec![0];
                frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
                frame.extend_from_slice(message);
                let trailers = async {
                    let mut trailers = http::HeaderMap::new();
                    trailers.insert("grpc-status", "0".parse().unwrap());
                    Some(Ok(trailers))
                };
                let body = http_body_util::Full::new(Bytes::from(frame)).with_trailers(trailers);
                let mut response = Response::new(Body::new(body));
                response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
                if !position.is_empty() {
                    response.headers_mut().insert("x-yc-position", position.parse().unwrap());
                }
                response
            }
        }
    }

    /// Span names of everything that arrived.
    pub(crate) fn span_names(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        let mut names: Vec<String> = got.iter().flat_map(|(_, body)| names(body)).collect();
        names.sort();
        names
    }
}

/// Names of the spans in a request.
pub(crate) fn names(body: &[u8]) -> Vec<String> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).map(|span| span.name).collect()
}

/// A collector under test.
pub(crate) struct Rig {
    pub(crate) running: Running,
    pub(crate) grpc: String,
    pub(crate) http: String,
    pub(crate) printed: Arc<Mutex<Vec<u8>>>,
    pub(crate) folder: tempfile::TempDir,
}

impl Rig {
    /// The default configuration with `more` laid over it, in front of `next`.
    pub(crate) async fn start(next: &NextHop, more: &str) -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let ctx = Context::ephemeral(folder.path());
        Self::start_in(next, more, ctx, folder).await.unwrap()
    }

    pub(crate) async fn start_in(
        next: &NextHop,
        more: &str,
        ctx: Context,
        folder: tempfile::TempDir,
    ) -> anyhow::Result<Rig> {
        let hop = next.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let hop = hop.clone();
            async move { Ok::<_, std::convert::Infallible>(hop.call(request).await) }
        });
        ctx.inproc.register("127.0.0.1:17281", service);
        let sources = Sources {
            uris: vec![format!("yaml:{}", collector::DEFAULT), format!("yaml:{more}")],
            variables: vec![("YC_DATA_DIR".to_owned(), folder.path().display().to_string())],
            ..Sources::default()
        };
        let printed: Arc<Mutex<Vec<u8>>> = Arc::default();
        let app = build_with(Config::load(&sources)?, ctx, printed.clone()).await?;
        let running = app.start()?;
        let authority =
            |what: &str| running.url(what).unwrap_or_default().trim_start_matches("http://").to_owned();
        let (grpc, http) = (authority("OTLP gRPC"), authority("OTLP HTTP"));
        Ok(Rig { grpc, http, running, printed, folder })
    }

    /// Drains; nothing may fail or hang.
    pub(crate) async fn drain(self) -> tempfile::TempDir {
        let drained = tokio::time::timeout(DEADLINE, self.running.drain()).await.expect("the drain hangs");
        assert_eq!(drained, Drained::default());
        self.folder
    }

    /// The value of one of the collector's own metrics.
    pub(crate) async fn metric(&self, series: &str) -> Option<u64> {
        let url = self.running.url("own metrics").unwrap();
        let authority = url.trim_start_matches("http://").trim_end_matches("/metrics");
        let text = crate::wire::http(authority, "GET", "/metrics", &[], b"").await.text();
        text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
    }
}

/// A request with one span of each name.
pub(crate) fn spans(names: &[&str]) -> Vec<u8> {
    request(names.iter().map(|name| span(name)).collect()).encode_to_vec()
}

pub(crate) fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

pub(crate) fn span(name: &str) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![9; 8],
        name: name.to_owned(),
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_001_000_000_000,
        ..Span::default()
    }
}

pub(crate) fn attribute(key: &str, value: String) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value)) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// A request with one log record.
pub(crate) fn logs(text: &str) -> Vec<u8> {
    let body = Some(AnyValue { value: Some(Value::StringValue(text.to_owned())) });
    let log_records = vec![LogRecord { body, ..LogRecord::default() }];
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }.encode_to_vec()
}
