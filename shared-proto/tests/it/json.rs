//! OTLP/JSON: what it means, in both directions.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogsData;
use opentelemetry_proto::tonic::metrics::v1::MetricsData;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point;
use opentelemetry_proto::tonic::trace::v1::{Span, Status, TracesData};
use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};
use prost::Message;
use shared_proto::otlp::{Limits, Signal, admit, json};

use crate::model::{bytes, canonical, each_span};
use crate::requests::traces;

fn decode(signal: Signal, body: &str) -> Result<Vec<u8>, String> {
    json::decode(signal, body.as_bytes()).map(|bytes| bytes.to_vec()).map_err(|error| error.to_string())
}

fn encode(data: &TracesData) -> String {
    let mut out = Vec::new();
    json::encode_traces(&bytes(data), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn traces_survive_the_way_to_json_and_back(data in traces()) {
        let back = json::decode(Signal::Traces, encode(&data).as_bytes()).unwrap();
        let mut expect = data;
        for resource in &mut expect.resource_spans {
            for span in resource.scope_spans.iter_mut().flat_map(|scope| &mut scope.spans) {
                span.status.get_or_insert_default(); // always written
            }
        }
        // compared as bytes: NaN differs from itself
        prop_assert_eq!(canonical(Signal::Traces, &back), expect.encode_to_vec());
    }
}

/// The one span of a JSON body with these members.
fn span(members: &str) -> Result<Span, String> {
    let body = format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{{{members}}}]}}]}}]}}");
    decode(Signal::Traces, &body).map(|bytes| each_span(&bytes).remove(0))
}

#[test]
fn every_spelling_of_a_member_is_read() {
    let rows: &[(&str, Span)] = &[
        (
            r#""traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174""#,
            Span {
                trace_id: vec![
                    0x5b, 0x8e, 0xff, 0xf7, 0x98, 3, 0x81, 3, 0xd2, 0x69, 0xb6, 0x33, 0x81, 0x3f, 0xc6, 0x0c,
                ],
                span_id: vec![0xee, 0xe1, 0x9b, 0x7e, 0xc3, 0xc1, 0xb1, 0x74],
                ..Span::default()
            },
        ),
        (r#""trace_id":"","parent_span_id":"","name":null,"attributes":null,"kind":null"#, Span::default()),
        (
            r#""startTimeUnixNano":"1544712660000000000","endTimeUnixNano":1544712661000000000"#,
            Span {
                start_time_unix_nano: 1_544_712_660_000_000_000,
                end_time_unix_nano: 1_544_712_661_000_000_000,
                ..Span::default()
            },
        ),
        (
            r#""start_time_unix_nano":"18446744073709551615","end_time_unix_nano":1e3"#,
            Span { start_time_unix_nano: u64::MAX, end_time_unix_nano: 1000, ..Span::default() },
        ),
        (
            r#""kind":2,"status":{"code":2,"message":"x"},"flags":257"#,
            Span {
                kind: 2,
                flags: 257,
                status: Some(Status { code: 2, message: "x".into() }),
                ..Span::default()
            },
        ),
        (
            r#""kind":"SPAN_KIND_CLIENT","status":{"code":"STATUS_CODE_OK"},"droppedEventsCount":"3""#,
            Span {
                kind: 3,
                dropped_events_count: 3,
                status: Some(Status { code: 1, message: String::new() }),
                ..Span::default()
            },
        ),
        (
            r#""kind":99,"unknown":[{"a":[1,2,{}]},"x"],"name":"a","name":"b","":{}"#,
            Span { kind: 99, name: "b".into(), ..Span::default() },
        ),
        (
            r#""name":"\u00e9\ud83d\ude00\n\"\\\/\b\f\r\t" , "traceState" : "a=b""#,
            Span { name: "é😀\n\"\\/\u{8}\u{c}\r\t".into(), trace_state: "a=b".into(), ..Span::default() },
        ),
        (
            r#""name":"lone \ud83d, \ude00 and \ud83d\u0041""#,
            Span { name: "lone \u{fffd}, \u{fffd} and \u{fffd}A".into(), ..Span::default() },
        ),
    ];
    for (members, expect) in rows {
        assert_eq!(span(members).as_ref(), Ok(expect), "{members}");
    }
}

#[test]
fn every_kind_of_value_is_read() {
    let rows: &[(&str, Option<Value>)] = &[
        (r#"{"stringValue":""}"#, Some(Value::StringValue(String::new()))),
        (r#"{"boolValue":false}"#, Some(Value::BoolValue(false))),
        (r#"{"intValue":"-9223372036854775808"}"#, Some(Value::IntValue(i64::MIN))),
        (r#"{"intValue":9007199254740993}"#, Some(Value::IntValue(9_007_199_254_740_993))),
        (r#"{"intValue":12.0}"#, Some(Value::IntValue(12))),
        (r#"{"int_value":0}"#, Some(Value::IntValue(0))),
        (r#"{"doubleValue":"-Infinity"}"#, Some(Value::DoubleValue(f64::NEG_INFINITY))),
        (r#"{"doubleValue":"1.5"}"#, Some(Value::DoubleValue(1.5))),
        (r#"{"doubleValue":-0.0}"#, Some(Value::DoubleValue(-0.0))),
        (r#"{"doubleValue":1e400}"#, Some(Value::DoubleValue(f64::INFINITY))),
        (r#"{"bytesValue":"AAH+/w=="}"#, Some(Value::BytesValue(vec![0, 1, 0xfe, 0xff]))),
        (r#"{"bytesValue":"AAH-_w"}"#, Some(Value::BytesValue(vec![0, 1, 0xfe, 0xff]))),
        (r#"{"bytesValue":""}"#, Some(Value::BytesValue(vec![]))),
        (r#"{"arrayValue":{}}"#, Some(Value::ArrayValue(Default::default()))),
        (r#"{"kvlistValue":{"values":null}}"#, Some(Value::KvlistValue(Default::default()))),
        (r#"{"stringValue":null}"#, None),
        (r#"{}"#, None),
    ];
    for (value, expect) in rows {
        let span = span(&format!(r#""attributes":[{{"key":"k","value":{value}}}]"#)).unwrap();
        let found = span.attributes[0].value.as_ref().and_then(|value| value.value.clone());
        assert_eq!(format!("{found:?}"), format!("{expect:?}"), "{value}");
    }
    let nan = span(r#""attributes":[{"key":"k","value":{"doubleValue":"NaN"}},null]"#).unwrap();
    assert!(
        matches!(nan.attributes[0].value.as_ref().unwrap().value, Some(Value::DoubleValue(v)) if v.is_nan())
    );
    assert_eq!(nan.attributes.len(), 2, "null in an array is the default");
}

#[test]
fn metrics_read_what_with_serde_drops_silently() {
    let body = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":"s","sum":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_CUMULATIVE","isMonotonic":true,
          "dataPoints":[{"asDouble":"NaN","timeUnixNano":"5"},{"asInt":"-7"},{"asInt":8}]}},
        {"name":"e","exponentialHistogram":{"dataPoints":[{"count":"3","scale":-2,"zeroThreshold":0.5,
          "positive":{"offset":-1,"bucketCounts":["1",2]}}]}},
        {"name":"h","histogram":{"aggregationTemporality":1,"dataPoints":[{"bucketCounts":["1","0"],
          "explicitBounds":[0.5,"Infinity"],"sum":0}]}}]}]}]}"#;
    let bytes = decode(Signal::Metrics, body).unwrap();
    assert_eq!(admit(Signal::Metrics, bytes.clone().into(), &Limits::default()).unwrap().items, 5);
    let data = MetricsData::decode(&*bytes).unwrap();
    let metrics = &data.resource_metrics[0].scope_metrics[0].metrics;
    let Some(Data::Sum(sum)) = &metrics[0].data else { panic!("{metrics:?}") };
    assert_eq!((sum.aggregation_temporality, sum.is_monotonic), (2, true));
    assert!(matches!(sum.data_points[0].value, Some(number_data_point::Value::AsDouble(v)) if v.is_nan()));
    assert_eq!(sum.data_points[1].value, Some(number_data_point::Value::AsInt(-7)));
    let Some(Data::ExponentialHistogram(exponential)) = &metrics[1].data else { panic!("{metrics:?}") };
    let point = &exponential.data_points[0];
    assert_eq!((point.count, point.scale, point.zero_threshold), (3, -2, 0.5));
    let buckets = point.positive.as_ref().unwrap();
    assert_eq!((buckets.offset, &*buckets.bucket_counts), (-1, &[1, 2][..]));
    let Some(Data::Histogram(histogram)) = &metrics[2].data else { panic!("{metrics:?}") };
    let point = &histogram.data_points[0];
    assert_eq!((&*point.bucket_counts, &*point.explicit_bounds), (&[1, 0][..], &[0.5, f64::INFINITY][..]));
    assert_eq!(point.sum, Some(0.0), "an optional zero is kept");
}

#[test]
fn logs_are_read() {
    let body = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[
        {"body":{"stringValue":"hi"},"severityNumber":"SEVERITY_NUMBER_WARN2","traceId":"","eventName":"e"}]}]}]}"#;
    let data = LogsData::decode(&*decode(Signal::Logs, body).unwrap()).unwrap();
    let record = &data.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!((record.severity_number, record.event_name.as_str()), (14, "e"));
}

#[test]
fn a_wrong_body_is_refused_by_its_place() {
    let rows = [
        ("", "at byte 0: expected a value, found the end of the body"),
        ("[]", "at byte 0: expected an object, found an array"),
        ("{} x", "at byte 3: expected the end of the body, found 'x'"),
        ("{\"resourceSpans\":{}}", "at byte 18, resourceSpans: expected an array, found an object"),
        ("{\"resourceSpans\":[1]}", "at byte 19, resourceSpans[0]: expected an object, found a number"),
        (
            "{\"resourceSpans\":[{},{\"schemaUrl\":1}]}",
            "at byte 35, resourceSpans[1].schemaUrl: expected a string, found a number",
        ),
        ("{\"a\":1,}", "at byte 7: expected another member after ',', found '}'"),
        ("{\"a\" 1}", "at byte 5: expected ':', found '1'"),
        ("{a:1}", "at byte 1: expected a key in quotes, found 'a'"),
        ("{\"a\":tru}", "at byte 5: expected true, false or null, found 't'"),
        ("{\"a\":01}", "at byte 5: a number starts with 0"),
        ("{\"a\":\"\\x\"}", "at byte 6: an escape is unknown"),
        ("{\"a\":\"\n\"}", "at byte 6: a control character in a string has to be escaped"),
        ("{\"a\":\"", "at byte 6: a string does not end"),
        ("{\"a\":[1 2]}", "at byte 8: expected ',' or ']', found '2'"),
    ];
    for (body, expect) in rows {
        assert_eq!(decode(Signal::Traces, body), Err(format!("malformed OTLP/JSON {expect}")), "{body}");
    }
    let rows = [
        (r#""traceId":"0af""#, "traceId: expected 32 hex digits or none, found 3 characters"),
        (r#""spanId":"zz12345678901234""#, "spanId: expected hex digits, found \"zz\""),
        (r#""spanId":"+112345678901234""#, "spanId: expected hex digits, found \"+1\""),
        (r#""kind":"SPAN_KIND_NEW""#, "kind: expected an integer, found \"SPAN_KIND_NEW\""),
        (r#""kind":1.5"#, "kind: expected an integer, found \"1.5\""),
        (r#""flags":-1"#, "flags: \"-1\" is out of range"),
        (
            r#""startTimeUnixNano":"18446744073709551616""#,
            "startTimeUnixNano: \"18446744073709551616\" is out of range",
        ),
        (
            r#""attributes":[{"value":{"boolValue":"true"}}]"#,
            "attributes[0].value.boolValue: expected true or false, found a string",
        ),
        (
            r#""attributes":[{"value":{"doubleValue":"nan"}}]"#,
            "attributes[0].value.doubleValue: expected a number, found \"nan\"",
        ),
        (
            r#""attributes":[{},{"value":{"arrayValue":{"values":[{},{"intValue":"x"}]}}}]"#,
            "attributes[1].value.arrayValue.values[1].intValue: expected an integer, found \"x\"",
        ),
        (
            r#""attributes":[{"value":{"bytesValue":"*"}}]"#,
            "attributes[0].value.bytesValue: expected base64: ",
        ),
    ];
    for (members, expect) in rows {
        let error = span(members).unwrap_err();
        let expect = format!("resourceSpans[0].scopeSpans[0].spans[0].{expect}");
        assert!(error.contains(&expect), "{error} does not contain {expect}");
    }
}

#[test]
fn text_that_is_not_utf8_is_left_for_admission_to_repair() {
    let mut body =
        br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"01010101010101010101010101010101",
        "spanId":"0101010101010101","name":"a"#
            .to_vec();
    body.extend_from_slice(b"\xff\"}]}]}]}");
    let bytes = json::decode(Signal::Traces, &body).unwrap();
    let admitted = admit(Signal::Traces, bytes, &Limits::default()).unwrap();
    assert_eq!((admitted.items, admitted.repaired_texts), (1, 1));
    assert_eq!(each_span(&admitted.bytes)[0].name, "a\u{fffd}");
}

#[test]
fn json_is_written_as_the_specification_has_it() {
    let body = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a\"b\u0001"}}],"droppedAttributesCount":2},"scopeSpans":[{"scope":{"name":"lib"},"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","flags":257,"name":"é","kind":2,"startTimeUnixNano":"1","endTimeUnixNano":"18446744073709551615","attributes":[{"key":"i","value":{"intValue":"-1"}},{"key":"d","value":{"doubleValue":2.5}},{"key":"w","value":{"doubleValue":2}},{"key":"n","value":{"doubleValue":"NaN"}},{"key":"b","value":{"bytesValue":"AAH+/w=="}},{"key":"f","value":{"boolValue":false}},{"key":"a","value":{"arrayValue":{"values":[{},{"intValue":"1"}]}}},{"key":"m","value":{"kvlistValue":{}}},{"key":"z"}],"events":[{"timeUnixNano":"5","name":"e"}],"links":[{"traceId":"0102030405060708090a0b0c0d0e0f10"}],"status":{"message":"m","code":2}},{"status":{}}],"schemaUrl":"s"}]}]}"#;
    let bytes = decode(Signal::Traces, body).unwrap();
    let mut out = Vec::new();
    json::encode_traces(&bytes, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), body);
}
