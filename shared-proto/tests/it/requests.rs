//! Random requests of prost's types.

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
    Metric, MetricsData, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint,
    exemplar, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z.]{0,12}",
        1 => any::<String>(),
        1 => "[a-z]{120,140}",
        1 => "[é日😀\"\\\\/\n\u{0}\u{7f}\u{2028}]{0,6}",
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(-0.0),
        Just(0.0),
        Just(2.0),
        Just(1e22)
    ]
}

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        text().prop_map(|v| Some(Value::StringValue(v))),
        any::<bool>().prop_map(|v| Some(Value::BoolValue(v))),
        any::<i64>().prop_map(|v| Some(Value::IntValue(v))),
        (-3i64..300).prop_map(|v| Some(Value::IntValue(v))),
        number().prop_map(|v| Some(Value::DoubleValue(v))),
        vec(any::<u8>(), 0..9).prop_map(|v| Some(Value::BytesValue(v))),
        any::<i32>().prop_map(|v| Some(Value::StringValueStrindex(v))),
    ];
    let leaf = leaf.prop_map(|value| AnyValue { value });
    leaf.prop_recursive(4, 12, 4, |inner| {
        let entry = (text(), of(inner.clone()));
        let entry = entry.prop_map(|(key, value)| KeyValue { key, value, key_strindex: 0 });
        prop_oneof![
            vec(inner, 0..4).prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            vec(entry, 0..4).prop_map(|values| Value::KvlistValue(KeyValueList { values })),
        ]
        .prop_map(|value| AnyValue { value: Some(value) })
    })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec((text(), of(any_value()), prop_oneof![3 => Just(0), 1 => any::<i32>()]), 0..4).prop_map(|all| {
        all.into_iter().map(|(key, value, key_strindex)| KeyValue { key, value, key_strindex }).collect()
    })
}

fn resource() -> impl Strategy<Value = Resource> {
    let reference = (text(), text(), vec(text(), 0..3)).prop_map(|(schema_url, r#type, id_keys)| EntityRef {
        schema_url,
        r#type,
        description_keys: id_keys.clone(),
        id_keys,
    });
    (attributes(), any::<u32>(), vec(reference, 0..2)).prop_map(
        |(attributes, dropped_attributes_count, entity_refs)| Resource {
            attributes,
            dropped_attributes_count,
            entity_refs,
        },
    )
}

fn scope() -> impl Strategy<Value = InstrumentationScope> {
    (text(), text(), attributes(), 0u32..3).prop_map(|(name, version, attributes, dropped)| {
        InstrumentationScope { name, version, attributes, dropped_attributes_count: dropped }
    })
}

/// An id that is present and not zero.
fn id(len: usize) -> impl Strategy<Value = Vec<u8>> {
    // few different ones, so that traces have several spans
    (1u8..20).prop_map(move |byte| vec![byte; len])
}

fn id_or_none(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(vec![]), Just(vec![0; len]), id(len)]
}

fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), text(), attributes(), 0u32..3).prop_map(|(time_unix_nano, name, attributes, dropped)| {
        Event { time_unix_nano, name, attributes, dropped_attributes_count: dropped }
    })
}

fn link() -> impl Strategy<Value = Link> {
    (id_or_none(16), id_or_none(8), text(), attributes(), 0u32..3, any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    (text(), -1i32..4).prop_map(|(message, code)| Status { message, code })
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (id(16), id(8), id_or_none(8), text(), any::<u32>());
    let what = (text(), -1i32..7, any::<u64>(), any::<u64>(), attributes());
    let below = (vec(event(), 0..3), vec(link(), 0..3), of(status()), 0u32..3, any::<u32>(), 0u32..3);
    (ids, what, below).prop_map(|(ids, what, below)| Span {
        trace_id: ids.0,
        span_id: ids.1,
        parent_span_id: ids.2,
        trace_state: ids.3,
        flags: ids.4,
        name: what.0,
        kind: what.1,
        start_time_unix_nano: what.2,
        end_time_unix_nano: what.3,
        attributes: what.4,
        events: below.0,
        links: below.1,
        status: below.2,
        dropped_attributes_count: below.3,
        dropped_events_count: below.4,
        dropped_links_count: below.5,
    })
}

/// Traces in order.
pub(crate) fn traces() -> impl Strategy<Value = TracesData> {
    let scope_spans = (of(scope()), vec(span(), 0..5), text())
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let resource_spans = (of(resource()), vec(scope_spans, 0..3), text())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(resource_spans, 0..4).prop_map(|resource_spans| TracesData { resource_spans })
}

fn log_record() -> impl Strategy<Value = LogRecord> {
    let what = (any::<u64>(), any::<u64>(), 0i32..25, text(), of(any_value()), attributes());
    let ids = (0u32..3, any::<u32>(), id_or_none(16), id_or_none(8), text());
    (what, ids).prop_map(|(what, ids)| LogRecord {
        time_unix_nano: what.0,
        observed_time_unix_nano: what.1,
        severity_number: what.2,
        severity_text: what.3,
        body: what.4,
        attributes: what.5,
        dropped_attributes_count: ids.0,
        flags: ids.1,
        trace_id: ids.2,
        span_id: ids.3,
        event_name: ids.4,
    })
}

/// Logs in order.
pub(crate) fn logs() -> impl Strategy<Value = LogsData> {
    let scope_logs = (of(scope()), vec(log_record(), 0..4), text())
        .prop_map(|(scope, log_records, schema_url)| ScopeLogs { scope, log_records, schema_url });
    let resource_logs = (of(resource()), vec(scope_logs, 0..3), text())
        .prop_map(|(resource, scope_logs, schema_url)| ResourceLogs { resource, scope_logs, schema_url });
    vec(resource_logs, 0..3).prop_map(|resource_logs| LogsData { resource_logs })
}

fn exemplars() -> impl Strategy<Value = Vec<Exemplar>> {
    let value = prop_oneof![
        number().prop_map(exemplar::Value::AsDouble),
        any::<i64>().prop_map(exemplar::Value::AsInt)
    ];
    let exemplar = (attributes(), any::<u64>(), id_or_none(8), id_or_none(16), of(value)).prop_map(
        |(filtered_attributes, time_unix_nano, span_id, trace_id, value)| Exemplar {
            filtered_attributes,
            time_unix_nano,
            span_id,
            trace_id,
            value,
        },
    );
    vec(exemplar, 0..2)
}

fn number_points() -> impl Strategy<Value = Vec<NumberDataPoint>> {
    let value = prop_oneof![
        number().prop_map(number_data_point::Value::AsDouble),
        any::<i64>().prop_map(number_data_point::Value::AsInt)
    ];
    let point = (attributes(), any::<u64>(), any::<u64>(), exemplars(), 0u32..2, of(value)).prop_map(
        |(attributes, start_time_unix_nano, time_unix_nano, exemplars, flags, value)| NumberDataPoint {
            attributes,
            start_time_unix_nano,
            time_unix_nano,
            exemplars,
            flags,
            value,
        },
    );
    vec(point, 0..4)
}

fn histogram_points() -> impl Strategy<Value = Vec<HistogramDataPoint>> {
    let what = (attributes(), any::<u64>(), any::<u64>(), of(number()), of(number()), of(number()));
    let buckets = (vec(any::<u64>(), 0..4), vec(number(), 0..4), exemplars(), 0u32..2);
    let point = (what, buckets).prop_map(|(what, buckets)| HistogramDataPoint {
        attributes: what.0,
        start_time_unix_nano: what.1,
        time_unix_nano: what.2,
        count: what.1,
        sum: what.3,
        min: what.4,
        max: what.5,
        bucket_counts: buckets.0,
        explicit_bounds: buckets.1,
        exemplars: buckets.2,
        flags: buckets.3,
    });
    vec(point, 0..3)
}

fn exponential_points() -> impl Strategy<Value = Vec<ExponentialHistogramDataPoint>> {
    let buckets = || {
        of((any::<i32>(), vec(any::<u64>(), 0..4))
            .prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts }))
    };
    let what = (attributes(), any::<u64>(), any::<i32>(), buckets(), buckets(), exemplars());
    let point = (what, of(number()), number()).prop_map(|(what, sum, zero_threshold)| {
        ExponentialHistogramDataPoint {
            attributes: what.0,
            start_time_unix_nano: what.1,
            time_unix_nano: 7,
            count: 3,
            sum,
            scale: what.2,
            zero_count: what.1,
            positive: what.3,
            negative: what.4,
            flags: 1,
            exemplars: what.5,
            min: sum,
            max: None,
            zero_threshold,
        }
    });
    vec(point, 0..3)
}

fn data() -> impl Strategy<Value = Data> {
    let quantile = (number(), number()).prop_map(|(quantile, value)| ValueAtQuantile { quantile, value });
    let summary_point = (attributes(), any::<u64>(), number(), vec(quantile, 0..3)).prop_map(
        |(attributes, count, sum, quantile_values)| SummaryDataPoint {
            attributes,
            start_time_unix_nano: 1,
            time_unix_nano: 2,
            count,
            sum,
            quantile_values,
            flags: 0,
        },
    );
    prop_oneof![
        number_points().prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        (number_points(), 0i32..3, any::<bool>()).prop_map(
            |(data_points, aggregation_temporality, is_monotonic)| {
                Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic })
            }
        ),
        (histogram_points(), 0i32..3).prop_map(|(data_points, aggregation_temporality)| Data::Histogram(
            Histogram { data_points, aggregation_temporality }
        )),
        (exponential_points(), 0i32..3).prop_map(|(data_points, aggregation_temporality)| {
            Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality })
        }),
        vec(summary_point, 0..3).prop_map(|data_points| Data::Summary(Summary { data_points })),
    ]
}

/// Metrics in order.
pub(crate) fn metrics() -> impl Strategy<Value = MetricsData> {
    let metric = (text(), text(), text(), attributes(), of(data())).prop_map(
        |(name, description, unit, metadata, data)| Metric { name, description, unit, metadata, data },
    );
    let scope_metrics = (of(scope()), vec(metric, 0..4), text())
        .prop_map(|(scope, metrics, schema_url)| ScopeMetrics { scope, metrics, schema_url });
    let resource_metrics = (of(resource()), vec(scope_metrics, 0..3), text()).prop_map(
        |(resource, scope_metrics, schema_url)| ResourceMetrics { resource, scope_metrics, schema_url },
    );
    vec(resource_metrics, 0..3).prop_map(|resource_metrics| MetricsData { resource_metrics })
}
