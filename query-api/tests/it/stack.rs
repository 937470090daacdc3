//! A real `App` over a store in memory, on free ports.

use std::path::PathBuf;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use query_api::Config;
use runtime_service::config::Sources;
use runtime_service::{Context, Running};
use serde_json::Value;

use crate::memory_store::MemoryStore;

/// A second; spans of tests start around 100 s after the epoch.
pub(crate) const S: u64 = 1_000_000_000;

pub(crate) struct Stack {
    pub(crate) store: MemoryStore,
    running: Running,
    http: Client<HttpConnector, Full<Bytes>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) bytes: Bytes,
    /// What is no text is shown with replacement characters.
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }
}

impl Stack {
    /// Starts query-api with `--set` of each of `sets`.
    pub(crate) async fn start(sets: &[&str]) -> Self {
        let store = MemoryStore::default();
        let ctx = Context::ephemeral(PathBuf::new());
        ctx.inproc.register("127.0.0.1:17281", store.service());
        let sets = sets.iter().map(|s| (*s).to_owned()).collect();
        let sources = Sources { service: "query-api", files: Vec::new(), sets, env: Vec::new() };
        let config = Config::load(&sources).unwrap();
        let running = query_api::build(config, ctx).await.unwrap().start();
        Self { store, running, http: Client::builder(TokioExecutor::new()).build_http() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(http::Method::GET, path, headers, Bytes::new()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(http::Method::POST, path, &headers, Bytes::copy_from_slice(body.as_bytes())).await
    }

    async fn send(&self, method: http::Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
        let url = format!("{}{path}", self.running.url("Jaeger HTTP").unwrap());
        let request = http::Request::builder().method(method).uri(url);
        let request = headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
        let response = self.http.request(request.body(Full::new(body)).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
            bytes: body,
        }
    }

    /// The first trace of a v1 answer by id.
    pub(crate) async fn trace(&self, id: u128, params: &str) -> Value {
        let answer = self.get(&format!("/api/traces/{id:032x}?{params}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["data"][0].clone()
    }
}

/// A span of trace `id` that lasts a second from second `100 + n` on; `n` is its id too.
pub(crate) fn span(id: u128, n: u64, parent: u64) -> Span {
    Span {
        trace_id: id.to_be_bytes().to_vec(),
        span_id: n.to_be_bytes().to_vec(),
        parent_span_id: if parent == 0 { Vec::new() } else { parent.to_be_bytes().to_vec() },
        name: format!("op{n}"),
        start_time_unix_nano: (100 + n) * S,
        end_time_unix_nano: (101 + n) * S,
        ..Span::default()
    }
}

/// Spans of one service.
pub(crate) fn sent(service: &str, spans: Vec<Span>) -> TracesData {
    sent_with(vec![attribute("service.name", text(service))], spans)
}

/// Spans of one resource.
pub(crate) fn sent_with(attributes: Vec<KeyValue>, spans: Vec<Span>) -> TracesData {
    let resource = Some(Resource { attributes, ..Resource::default() });
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    TracesData { resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }] }
}

pub(crate) fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub(crate) fn text(text: &str) -> Any {
    Any::StringValue(text.to_owned())
}
