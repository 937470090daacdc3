//! What requests mean, by way of prost.

use bytes::Bytes;
use opentelemetry_proto::tonic::logs::v1::LogsData;
use opentelemetry_proto::tonic::metrics::v1::MetricsData;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use prost::Message;
use shared_proto::otlp::Signal;

/// All three signals.
pub(crate) const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Metrics, Signal::Logs];

/// The multiset of (resource, scope, span), each as bytes in prost's order.
pub(crate) fn spans_of(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let data = TracesData::decode(bytes).expect("traces");
    let mut found = Vec::new();
    for mut resource in data.resource_spans {
        let scopes = std::mem::take(&mut resource.scope_spans);
        for mut scope in scopes {
            let spans = std::mem::take(&mut scope.spans);
            for span in spans {
                found.push((resource.encode_to_vec(), scope.encode_to_vec(), span.encode_to_vec()));
            }
        }
    }
    found.sort();
    found
}

/// Every span, in order.
pub(crate) fn each_span(bytes: &[u8]) -> Vec<Span> {
    let data = TracesData::decode(bytes).expect("traces");
    let scopes = data.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

/// Whether prost takes the bytes.
pub(crate) fn prost_takes(signal: Signal, bytes: &[u8]) -> bool {
    match signal {
        Signal::Traces => TracesData::decode(bytes).is_ok(),
        Signal::Metrics => MetricsData::decode(bytes).is_ok(),
        Signal::Logs => LogsData::decode(bytes).is_ok(),
    }
}

/// The request decoded and encoded by prost: its canonical bytes.
pub(crate) fn canonical(signal: Signal, bytes: &[u8]) -> Vec<u8> {
    match signal {
        Signal::Traces => TracesData::decode(bytes).expect("traces").encode_to_vec(),
        Signal::Metrics => MetricsData::decode(bytes).expect("metrics").encode_to_vec(),
        Signal::Logs => LogsData::decode(bytes).expect("logs").encode_to_vec(),
    }
}

/// Items by prost.
pub(crate) fn items(signal: Signal, bytes: &[u8]) -> u64 {
    let count = match signal {
        Signal::Traces => each_span(bytes).len(),
        Signal::Metrics => {
            let data = MetricsData::decode(bytes).expect("metrics");
            let scopes = data.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
            let points = |data: &Data| match data {
                Data::Gauge(data) => data.data_points.len(),
                Data::Sum(data) => data.data_points.len(),
                Data::Histogram(data) => data.data_points.len(),
                Data::ExponentialHistogram(data) => data.data_points.len(),
                Data::Summary(data) => data.data_points.len(),
            };
            scopes
                .flat_map(|scope| &scope.metrics)
                .filter_map(|metric| metric.data.as_ref())
                .map(points)
                .sum()
        }
        Signal::Logs => {
            let data = LogsData::decode(bytes).expect("logs");
            let scopes = data.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
            scopes.map(|scope| scope.log_records.len()).sum()
        }
    };
    count as u64
}

/// A message as a request's bytes.
pub(crate) fn bytes(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}
