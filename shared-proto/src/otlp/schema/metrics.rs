//! Metrics.

use super::attributes::{KEY_VALUE, RESOURCE, SCOPE};
use super::{Kind, Label, Message, Role, field};

const TEMPORALITIES: &[(&str, i32)] = &[
    ("AGGREGATION_TEMPORALITY_UNSPECIFIED", 0),
    ("AGGREGATION_TEMPORALITY_DELTA", 1),
    ("AGGREGATION_TEMPORALITY_CUMULATIVE", 2),
];

pub(super) static REQUEST: Message = Message::new(
    Role::Above,
    &[field(
        1,
        "ExportMetricsServiceRequest.resource_metrics",
        "resourceMetrics",
        Kind::Message(&RESOURCE_METRICS),
        Label::Many,
    )],
);

static RESOURCE_METRICS: Message = Message::new(
    Role::Above,
    &[
        field(1, "ResourceMetrics.resource", "resource", Kind::Message(&RESOURCE), Label::One),
        field(2, "ResourceMetrics.scope_metrics", "scopeMetrics", Kind::Message(&SCOPE_METRICS), Label::Many),
        field(3, "ResourceMetrics.schema_url", "schemaUrl", Kind::Text, Label::One),
    ],
);

static SCOPE_METRICS: Message = Message::new(
    Role::Above,
    &[
        field(1, "ScopeMetrics.scope", "scope", Kind::Message(&SCOPE), Label::One),
        field(2, "ScopeMetrics.metrics", "metrics", Kind::Message(&METRIC), Label::Many),
        field(3, "ScopeMetrics.schema_url", "schemaUrl", Kind::Text, Label::One),
    ],
);

static METRIC: Message = Message::new(
    Role::Above,
    &[
        field(1, "Metric.name", "name", Kind::Text, Label::One),
        field(2, "Metric.description", "description", Kind::Text, Label::One),
        field(3, "Metric.unit", "unit", Kind::Text, Label::One),
        field(5, "Metric.gauge", "gauge", Kind::Message(&GAUGE), Label::OneOf),
        field(7, "Metric.sum", "sum", Kind::Message(&SUM), Label::OneOf),
        field(9, "Metric.histogram", "histogram", Kind::Message(&HISTOGRAM), Label::OneOf),
        field(
            10,
            "Metric.exponential_histogram",
            "exponentialHistogram",
            Kind::Message(&EXPONENTIAL_HISTOGRAM),
            Label::OneOf,
        ),
        field(11, "Metric.summary", "summary", Kind::Message(&SUMMARY), Label::OneOf),
        field(12, "Metric.metadata", "metadata", Kind::Message(&KEY_VALUE), Label::Many),
    ],
);

static GAUGE: Message = Message::new(
    Role::Above,
    &[field(1, "Gauge.data_points", "dataPoints", Kind::Message(&NUMBER_POINT), Label::Many)],
);

static SUM: Message = Message::new(
    Role::Above,
    &[
        field(1, "Sum.data_points", "dataPoints", Kind::Message(&NUMBER_POINT), Label::Many),
        field(
            2,
            "Sum.aggregation_temporality",
            "aggregationTemporality",
            Kind::Enum(TEMPORALITIES),
            Label::One,
        ),
        field(3, "Sum.is_monotonic", "isMonotonic", Kind::Bool, Label::One),
    ],
);

static HISTOGRAM: Message = Message::new(
    Role::Above,
    &[
        field(1, "Histogram.data_points", "dataPoints", Kind::Message(&HISTOGRAM_POINT), Label::Many),
        field(
            2,
            "Histogram.aggregation_temporality",
            "aggregationTemporality",
            Kind::Enum(TEMPORALITIES),
            Label::One,
        ),
    ],
);

static EXPONENTIAL_HISTOGRAM: Message = Message::new(
    Role::Above,
    &[
        field(
            1,
            "ExponentialHistogram.data_points",
            "dataPoints",
            Kind::Message(&EXPONENTIAL_POINT),
            Label::Many,
        ),
        field(
            2,
            "ExponentialHistogram.aggregation_temporality",
            "aggregationTemporality",
            Kind::Enum(TEMPORALITIES),
            Label::One,
        ),
    ],
);

static SUMMARY: Message = Message::new(
    Role::Above,
    &[field(1, "Summary.data_points", "dataPoints", Kind::Message(&SUMMARY_POINT), Label::Many)],
);

static NUMBER_POINT: Message = Message::new(
    Role::Item,
    &[
        field(7, "NumberDataPoint.attributes", "attributes", Kind::Message(&KEY_VALUE), Label::Many),
        field(2, "NumberDataPoint.start_time_unix_nano", "startTimeUnixNano", Kind::Fixed64, Label::One),
        field(3, "NumberDataPoint.time_unix_nano", "timeUnixNano", Kind::Fixed64, Label::One),
        field(4, "NumberDataPoint.as_double", "asDouble", Kind::Double, Label::OneOf),
        field(6, "NumberDataPoint.as_int", "asInt", Kind::SFixed64, Label::OneOf),
        field(5, "NumberDataPoint.exemplars", "exemplars", Kind::Message(&EXEMPLAR), Label::Many),
        field(8, "NumberDataPoint.flags", "flags", Kind::UInt32, Label::One),
    ],
);

static HISTOGRAM_POINT: Message = Message::new(
    Role::Item,
    &[
        field(9, "HistogramDataPoint.attributes", "attributes", Kind::Message(&KEY_VALUE), Label::Many),
        field(2, "HistogramDataPoint.start_time_unix_nano", "startTimeUnixNano", Kind::Fixed64, Label::One),
        field(3, "HistogramDataPoint.time_unix_nano", "timeUnixNano", Kind::Fixed64, Label::One),
        field(4, "HistogramDataPoint.count", "count", Kind::Fixed64, Label::One),
        field(5, "HistogramDataPoint.sum", "sum", Kind::Double, Label::Optional),
        field(6, "HistogramDataPoint.bucket_counts", "bucketCounts", Kind::Fixed64, Label::Many),
        field(7, "HistogramDataPoint.explicit_bounds", "explicitBounds", Kind::Double, Label::Many),
        field(8, "HistogramDataPoint.exemplars", "exemplars", Kind::Message(&EXEMPLAR), Label::Many),
        field(10, "HistogramDataPoint.flags", "flags", Kind::UInt32, Label::One),
        field(11, "HistogramDataPoint.min", "min", Kind::Double, Label::Optional),
        field(12, "HistogramDataPoint.max", "max", Kind::Double, Label::Optional),
    ],
);

static EXPONENTIAL_POINT: Message = Message::new(
    Role::Item,
    &[
        field(
            1,
            "ExponentialHistogramDataPoint.attributes",
            "attributes",
            Kind::Message(&KEY_VALUE),
            Label::Many,
        ),
        field(
            2,
            "ExponentialHistogramDataPoint.start_time_unix_nano",
            "startTimeUnixNano",
            Kind::Fixed64,
            Label::One,
        ),
        field(3, "ExponentialHistogramDataPoint.time_unix_nano", "timeUnixNano", Kind::Fixed64, Label::One),
        field(4, "ExponentialHistogramDataPoint.count", "count", Kind::Fixed64, Label::One),
        field(5, "ExponentialHistogramDataPoint.sum", "sum", Kind::Double, Label::Optional),
        field(6, "ExponentialHistogramDataPoint.scale", "scale", Kind::SInt32, Label::One),
        field(7, "ExponentialHistogramDataPoint.zero_count", "zeroCount", Kind::Fixed64, Label::One),
        field(8, "ExponentialHistogramDataPoint.positive", "positive", Kind::Message(&BUCKETS), Label::One),
        field(9, "ExponentialHistogramDataPoint.negative", "negative", Kind::Message(&BUCKETS), Label::One),
        field(10, "ExponentialHistogramDataPoint.flags", "flags", Kind::UInt32, Label::One),
        field(
            11,
            "ExponentialHistogramDataPoint.exemplars",
            "exemplars",
            Kind::Message(&EXEMPLAR),
            Label::Many,
        ),
        field(12, "ExponentialHistogramDataPoint.min", "min", Kind::Double, Label::Optional),
        field(13, "ExponentialHistogramDataPoint.max", "max", Kind::Double, Label::Optional),
        field(14, "ExponentialHistogramDataPoint.zero_threshold", "zeroThreshold", Kind::Double, Label::One),
    ],
);

static BUCKETS: Message = Message::new(
    Role::Part,
    &[
        field(1, "Buckets.offset", "offset", Kind::SInt32, Label::One),
        field(2, "Buckets.bucket_counts", "bucketCounts", Kind::UInt64, Label::Many),
    ],
);

static SUMMARY_POINT: Message = Message::new(
    Role::Item,
    &[
        field(7, "SummaryDataPoint.attributes", "attributes", Kind::Message(&KEY_VALUE), Label::Many),
        field(2, "SummaryDataPoint.start_time_unix_nano", "startTimeUnixNano", Kind::Fixed64, Label::One),
        field(3, "SummaryDataPoint.time_unix_nano", "timeUnixNano", Kind::Fixed64, Label::One),
        field(4, "SummaryDataPoint.count", "count", Kind::Fixed64, Label::One),
        field(5, "SummaryDataPoint.sum", "sum", Kind::Double, Label::One),
        field(6, "SummaryDataPoint.quantile_values", "quantileValues", Kind::Message(&QUANTILE), Label::Many),
        field(8, "SummaryDataPoint.flags", "flags", Kind::UInt32, Label::One),
    ],
);

static QUANTILE: Message = Message::new(
    Role::Part,
    &[
        field(1, "ValueAtQuantile.quantile", "quantile", Kind::Double, Label::One),
        field(2, "ValueAtQuantile.value", "value", Kind::Double, Label::One),
    ],
);

static EXEMPLAR: Message = Message::new(
    Role::Part,
    &[
        field(
            7,
            "Exemplar.filtered_attributes",
            "filteredAttributes",
            Kind::Message(&KEY_VALUE),
            Label::Many,
        ),
        field(2, "Exemplar.time_unix_nano", "timeUnixNano", Kind::Fixed64, Label::One),
        field(3, "Exemplar.as_double", "asDouble", Kind::Double, Label::OneOf),
        field(6, "Exemplar.as_int", "asInt", Kind::SFixed64, Label::OneOf),
        field(4, "Exemplar.span_id", "spanId", Kind::SpanId, Label::One),
        field(5, "Exemplar.trace_id", "traceId", Kind::TraceId, Label::One),
    ],
);
