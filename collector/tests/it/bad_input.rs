//! What bad input gets, over both protocols: an answer that names the culprit, and everything else goes on.

use std::io::Write as _;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use prost::Message;

use crate::rig::{NextHop, Rig, attribute, request, span, spans};
use crate::wire::{LOGS, METRICS, TRACES, frame, grpc, grpc_frame, http, raw};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// A protobuf body that nests `depth` deep: key-value lists in an attribute.
fn nested_protobuf(depth: usize) -> Vec<u8> {
    let mut inner: Vec<u8> = Vec::new();
    for _ in 0..depth {
        inner = field(5, &field(1, &inner));
    }
    let attribute = field(9, &[field(1, b"k"), field(2, &inner)].concat());
    let ids = [field(1, &[7; 16]), field(2, &[9; 8])].concat();
    field(1, &field(2, &field(2, &[ids, attribute].concat())))
}

fn field(number: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = body.len();
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap());
    out.extend_from_slice(body);
    out
}

/// A body of `depth` nested arrays as an attribute's value.
fn nested_json(depth: usize) -> Vec<u8> {
    let open = "{\"arrayValue\":{\"values\":[".repeat(depth);
    let close = "]}}".repeat(depth);
    format!(
        "{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{{\"traceId\":\"{}\",\"spanId\":\"{}\",\
         \"attributes\":[{{\"key\":\"k\",\"value\":{open}{{}}{close}}}]}}]}}]}}]}}",
        "07".repeat(16),
        "09".repeat(8)
    )
    .into_bytes()
}

#[tokio::test]
async fn broken_requests_are_refused_by_name_and_good_ones_go_on() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let good = spans(&["good"]);
    let short_id = {
        let mut short = span("short");
        short.span_id = vec![1; 7];
        request(vec![short]).encode_to_vec()
    };
    let cut = good[..good.len() - 3].to_vec();
    let garbage = [good.as_slice(), b"\xff\xff\xff"].concat();
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("an id of a wrong length", short_id, "span_id"),
        ("a message cut short", cut, "malformed OTLP traces"),
        ("garbage behind a message", garbage, "malformed OTLP traces"),
        ("text", b"hello, this is text".to_vec(), "malformed OTLP traces"),
        ("a length that lies", vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], "malformed OTLP traces"),
        ("100 k levels", nested_protobuf(100_000), "malformed OTLP traces"),
    ];
    for (what, body, expect) in rows {
        for port in [&rig.http, &rig.grpc] {
            let answer = http(port, "POST", "/v1/traces", &[PROTOBUF], &body).await;
            assert_eq!(answer.status, 400, "{what}: {answer:?}");
            assert_eq!(answer.header("content-type"), "application/x-protobuf");
            assert!(answer.text().contains(expect), "{what}: {}", answer.text());
        }
        let call = grpc(&rig.grpc, TRACES, &body).await;
        assert_eq!((call.code, call.retry_info), (3, false), "{what}: {call:?}");
        assert!(call.message.contains(expect), "{what}: {}", call.message);
    }
    assert!(next.span_names().is_empty());
    assert_eq!(http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &good).await.status, 200);
    assert_eq!(grpc(&rig.http, TRACES, &good).await.code, 0);
    assert_eq!(next.span_names(), ["good", "good"]);
    rig.drain().await;
}

#[tokio::test]
async fn broken_json_is_refused_in_json() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("not JSON", b"{\"resourceSpans\": [".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a span id of 7 bytes", b"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"07070707070707070707070707070707\",\"spanId\":\"01020304050607\"}]}]}]}".to_vec()),
        ("trailing garbage", b"{} x".to_vec()),
        ("100 k levels", nested_json(100_000)),
        ("a million brackets", "[".repeat(1_000_000).into_bytes()),
        ("nothing at all", Vec::new()),
    ];
    for (what, body) in rows {
        let answer = http(&rig.http, "POST", "/v1/traces", &[JSON], &body).await;
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/json", "{what}");
        let status: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(status["code"], 3, "{what}");
        assert!(status["message"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
    }
    assert!(next.span_names().is_empty());
    rig.drain().await;
}

#[tokio::test]
async fn methods_types_paths_and_encodings_that_are_not_otlp_are_named() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let body = spans(&["x"]);
    let check = async |method: &str, path: &str, headers: &[(&str, &str)], status: u16, expect: &str| {
        let answer = http(&rig.http, method, path, headers, &body).await;
        assert_eq!(answer.status, status, "{method} {path} {headers:?}: {answer:?}");
        assert!(answer.text().contains(expect), "{method} {path} {headers:?}: {}", answer.text());
        answer
    };
    let answer = check("GET", "/v1/traces", &[JSON], 405, "GET is not supported, use POST").await;
    assert_eq!(answer.header("allow"), "POST");
    check("POST", "/v1/nosuch", &[PROTOBUF], 404, "/v1/traces, /v1/metrics, /v1/logs").await;
    check("POST", "/v1/traces", &[("content-type", "text/plain")], 415, "text/plain").await;
    check("POST", "/v1/traces", &[], 415, "is not supported").await;
    check("POST", "/v1/traces", &[("content-type", "application/grpc-web")], 415, "grpc-web").await;
    let brotli = [PROTOBUF, ("content-encoding", "br")];
    check("POST", "/v1/traces", &brotli, 400, "unsupported Content-Encoding: br, use one of gzip").await;
    check("POST", "/v1/metrics", &[PROTOBUF], 404, "no pipeline takes metrics from receiver otlp").await;
    check("POST", "/v1/traces", &[PROTOBUF, ("content-encoding", "gzip")], 400, "not valid gzip").await;
    check("POST", "/v1/traces", &[PROTOBUF, ("content-encoding", "zstd")], 400, "not valid zstd").await;
    check("POST", "/v1/traces", &[PROTOBUF, ("content-encoding", "deflate")], 400, "not valid deflate").await;

    let call = grpc(&rig.grpc, METRICS, b"").await;
    assert_eq!((call.code, call.message.contains("no pipeline takes metrics")), (12, true), "{call:?}");
    assert_eq!(grpc(&rig.grpc, "/no.such.Service/Export", b"").await.code, 12);
    assert_eq!(grpc(&rig.grpc, LOGS, b"").await.code, 0, "an empty request is a success");
    let check = async |headers: &[(&str, &str)], body: &[u8], code: i32, expect: &str| {
        let call = grpc_frame(&rig.grpc, TRACES, headers, body).await;
        assert_eq!(call.code, code, "{headers:?} {call:?}");
        assert!(call.message.contains(expect), "{call:?}");
    };
    check(&[], b"", 3, "the call has no message").await;
    check(&[], &[0, 0], 3, "the call has no message").await;
    check(&[], &[0, 0, 0, 1, 0, 1], 3, "ends before the 256 bytes").await;
    check(&[], &[0, 0xff, 0xff, 0xff, 0xff, 1], 8, "larger than 16777216 bytes").await;
    check(&[], &[&frame(0, &body)[..], b"more"].concat(), 3, "data after the message").await;
    check(&[], &frame(2, &body), 3, "compressed flag is 2").await;
    check(&[], &frame(1, &body), 3, "grpc-encoding names no coding").await;
    check(&[("grpc-encoding", "snappy")], &frame(1, &body), 12, "\"snappy\" is not supported").await;
    check(&[("grpc-encoding", "gzip")], &frame(1, &body), 3, "not valid gzip").await;
    assert!(next.span_names().is_empty());
    rig.drain().await;
}

#[tokio::test]
async fn every_encoding_and_media_type_with_parameters_is_taken() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let body = spans(&["x"]);
    let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"07070707070707070707070707070707","spanId":"0909090909090909","name":"x","startTimeUnixNano":"1","unknown":[1]}]}]}]}"#;
    let zstd = zstd::encode_all(&body[..], 3).unwrap();
    let rows: [(&str, &str, &[u8]); 7] = [
        ("application/x-protobuf", "identity", &body),
        ("application/protobuf", "gzip", &gzip(&body)),
        ("application/x-protobuf; charset=x", "zstd", &zstd),
        ("application/x-protobuf", "deflate", &zlib(&body)),
        ("application/json; charset=utf-8", "identity", json),
        ("Application/JSON", "gzip", &gzip(json)),
        ("application/json", "deflate", &zlib(json)),
    ];
    for (kind, encoding, body) in rows {
        let headers = [("content-type", kind), ("content-encoding", encoding)];
        let answer = http(&rig.http, "POST", "/v1/traces", &headers, body).await;
        let is_json = kind.to_ascii_lowercase().starts_with("application/json");
        assert_eq!(answer.status, 200, "{kind} {encoding}: {answer:?}");
        assert_eq!(answer.text(), if is_json { "{}" } else { "" });
        let expect = if is_json { "application/json" } else { "application/x-protobuf" };
        assert_eq!(answer.header("content-type"), expect);
    }
    for (encoding, message) in [("gzip", gzip(&body)), ("zstd", zstd.clone())] {
        let headers = [("grpc-encoding", encoding)];
        assert_eq!(grpc_frame(&rig.grpc, TRACES, &headers, &frame(1, &message)).await.code, 0);
        assert_eq!(grpc_frame(&rig.grpc, TRACES, &headers, &frame(0, &body)).await.code, 0);
    }
    assert_eq!(next.span_names().len(), 11);
    let chunks = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ntransfer-encoding: chunked\r\n\
         connection: close\r\n\r\n{:x}\r\n",
        body.len()
    );
    let answer = raw(&rig.http, &[chunks.as_bytes(), &body, b"\r\n0\r\n\r\n"]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], b"").await.status, 200);
    assert_eq!(next.span_names().len(), 12);
    rig.drain().await;
}

/// Peak resident memory of this process.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn bombs_are_answered_413_within_bounded_memory() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let million = vec![0u8; 1 << 20];
    let member = gzip(&million);
    let frame_zstd = zstd::encode_all(&million[..], 19).unwrap();
    let bombs: Vec<(&str, &str, Vec<u8>)> = vec![
        ("a gzip stream of 64 MiB", "gzip", gzip(&vec![0; 64 << 20])),
        ("1000 gzip members of 1 MiB", "gzip", member.repeat(1000)),
        ("20000 zstd frames of 1 MiB", "zstd", frame_zstd.repeat(20_000)),
        ("a zlib stream of 64 MiB", "deflate", zlib(&vec![0; 64 << 20])),
        ("a zstd stream of 512 MiB", "zstd", {
            let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
            (0..512).for_each(|_| encoder.write_all(&million).unwrap());
            encoder.finish().unwrap()
        }),
    ];
    let plain = vec![0x0a; (16 << 20) + 1];
    let before = peak_bytes();
    for (what, encoding, body) in &bombs {
        let headers = [PROTOBUF, ("content-encoding", encoding)];
        let answer = http(&rig.http, "POST", "/v1/traces", &headers, body).await;
        assert_eq!(answer.status, 413, "{what}: {answer:?}");
        assert_eq!(answer.header("retry-after"), "", "{what} is final");
        if *encoding != "deflate" {
            let call = grpc_frame(&rig.grpc, TRACES, &[("grpc-encoding", encoding)], &frame(1, body)).await;
            assert_eq!((call.code, call.retry_info), (8, false), "{what}: {call:?}");
        }
    }
    let answer = http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &plain).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    let chunked = [PROTOBUF, ("transfer-encoding", "chunked")];
    let chunk = [format!("{:x}\r\n", plain.len()).as_bytes(), &plain, b"\r\n0\r\n\r\n"].concat();
    assert_eq!(http(&rig.http, "POST", "/v1/traces", &chunked, &chunk).await.status, 413);
    let grown = peak_bytes().saturating_sub(before);
    assert!(grown < 200 << 20, "memory grew by {} MiB", grown >> 20);
    assert_eq!(http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &spans(&["x"])).await.status, 200);
    rig.drain().await;
}

#[tokio::test]
async fn bad_spans_are_left_out_and_counted_and_the_rest_is_kept() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let zero = |name: &str| {
        let mut zero = span(name);
        zero.trace_id = vec![0; 16];
        zero
    };
    let huge = {
        let mut huge = span("huge");
        huge.attributes = vec![attribute("k", "x".repeat(6 << 20))];
        huge
    };
    let odd = {
        let mut odd = span("odd");
        odd.end_time_unix_nano = 1;
        odd.parent_span_id = odd.span_id.clone();
        let list = AnyValue { value: Some(Value::ArrayValue(ArrayValue { values: Vec::new() })) };
        odd.attributes = vec![KeyValue { key: String::new(), value: Some(list), ..KeyValue::default() }];
        odd
    };
    let body = request(vec![zero("z1"), span("kept"), huge, zero("z2"), odd]).encode_to_vec();
    let answer = http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body[..4], [0x0a, answer.body[1], 0x08, 3], "3 spans are rejected");
    let call = grpc(&rig.grpc, TRACES, &body).await;
    assert_eq!((call.code, call.body[7]), (0, 0x08), "{call:?}");
    assert_eq!(next.span_names(), ["kept", "kept", "odd", "odd"]);
    let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000000","spanId":"0909090909090909","name":"x"}]}]}]}"#;
    let answer = http(&rig.http, "POST", "/v1/traces", &[JSON], json).await;
    assert_eq!(answer.status, 200);
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["partialSuccess"]["rejectedSpans"], "1");
    assert!(!body["partialSuccess"]["errorMessage"].as_str().unwrap().is_empty());
    assert_eq!(
        rig.metric("otelcol_receiver_refused_spans{receiver=\"otlp\",transport=\"http\"}").await,
        Some(4)
    );
    rig.drain().await;
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_repaired_and_counted() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let mut body = spans(&["name-?-end"]);
    let at = body.windows(3).position(|window| window == b"-?-").unwrap();
    body[at + 1] = 0xff;
    assert_eq!(http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &body).await.status, 200);
    assert_eq!(next.span_names(), ["name-\u{fffd}-end"]);
    assert_eq!(rig.metric("otelcol_receiver_repaired_texts{receiver=\"otlp\"}").await, Some(1));
    rig.drain().await;
}

#[tokio::test]
async fn a_slow_header_is_cut_off_and_others_are_served() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let next = NextHop::fine();
    let rig = Rig::start(&next, "receivers::otlp::protocols::http::read_header_timeout: 200ms").await;
    let mut slow = tokio::net::TcpStream::connect(&rig.http).await.unwrap();
    slow.write_all(b"POST /v1/traces HTTP/1.1\r\nx-slow: ").await.unwrap();
    assert_eq!(http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &spans(&["x"])).await.status, 200);
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(crate::rig::DEADLINE, slow.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "the connection stays open");
    rig.drain().await;
}

/// A small generator of numbers (xorshift64), so that a failure can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below).unwrap()).unwrap()
    }
}

#[tokio::test]
async fn mutated_requests_are_taken_or_refused_and_never_break_anything() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let json = nested_json(3);
    let good = request(vec![span("a"), span("b")]).encode_to_vec();
    for seed in 1..=150_u64 {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let (kind, mut body) = if seed % 3 == 0 { (JSON, json.clone()) } else { (PROTOBUF, good.clone()) };
        for _ in 0..=dice.roll(4) {
            let at = dice.roll(body.len());
            match dice.roll(3) {
                0 => body[at] = u8::try_from(dice.roll(256)).unwrap(),
                1 => body.truncate(at.max(1)),
                _ => body.insert(at, u8::try_from(dice.roll(256)).unwrap()),
            }
        }
        let answer = http(&rig.http, "POST", "/v1/traces", &[kind], &body).await;
        assert!(matches!(answer.status, 200 | 400), "seed {seed}: {answer:?}");
        let call = grpc(&rig.grpc, TRACES, &body).await;
        assert!(matches!(call.code, 0 | 3), "seed {seed}: {call:?}");
        let mut framed = frame(0, &body);
        let at = dice.roll(5);
        framed[at] = u8::try_from(dice.roll(256)).unwrap();
        let call = grpc_frame(&rig.grpc, TRACES, &[], &framed).await;
        assert!(matches!(call.code, 0 | 3 | 8), "seed {seed}: {call:?}");
    }
    assert_eq!(http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &good).await.status, 200);
    rig.drain().await;
}
