//! From a client to the next hop and back: acks, refusals, retries, files, drain.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use prost::Message;
use runtime_service::Context;

use crate::rig::{Answer, NextHop, Rig, logs, names, request, span, spans};
use crate::wire::{LOGS, TRACES, grpc, http};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

#[tokio::test]
async fn a_success_is_the_next_hop_s_and_carries_its_position() {
    let next = NextHop::new(|_| Answer::Ok(b"", "traces/1@17,traces/3@18"));
    let rig = Rig::start(&next, "").await;
    let body = spans(&["a", "b"]);
    let answer = http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &body).await;
    assert_eq!((answer.status, answer.header("x-yc-position")), (200, "traces/1@17,traces/3@18"));
    let call = grpc(&rig.grpc, TRACES, &body).await;
    assert_eq!((call.code, call.position.as_str()), (0, "traces/1@17,traces/3@18"));
    let got = next.got.lock().unwrap().clone();
    assert_eq!(got.len(), 2);
    for (path, bytes) in got {
        assert_eq!(path, TRACES);
        assert_eq!(bytes, body, "the very bytes that were sent");
    }
    assert_eq!(rig.metric("otelcol_exporter_sent_spans{exporter=\"otlp_grpc\"}").await, Some(4));
    assert_eq!(
        rig.metric("otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"grpc\"}").await,
        Some(2)
    );
    rig.drain().await;
}

#[tokio::test]
async fn refusals_of_the_next_hop_keep_their_kind_and_hint() {
    let away =
        tonic::Status::from(runtime_service::Status::retryable(runtime_service::Kind::Unavailable, "away"));
    let rows = [
        (tonic::Status::invalid_argument("span 3 is odd"), 400, 3, false),
        (away, 503, 14, true),
        (tonic::Status::resource_exhausted("too large"), 413, 8, false),
        (tonic::Status::internal("broken"), 500, 13, false),
    ];
    for (status, code, grpc_code, hint) in rows {
        let refusal = status.clone();
        let next = NextHop::new(move |_| Answer::Refuse(refusal.clone()));
        let rig = Rig::start(&next, "exporters::otlp_grpc::retry_on_failure::enabled: false").await;
        let answer = http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &spans(&["x"])).await;
        assert_eq!(answer.status, code, "{answer:?}");
        assert_eq!(!answer.header("retry-after").is_empty(), hint, "{answer:?}");
        let call = grpc(&rig.grpc, TRACES, &spans(&["x"])).await;
        assert_eq!((call.code, call.retry_info), (grpc_code, hint), "{call:?}");
        assert_eq!(call.message, status.message());
        let refused = rig.metric("otelcol_exporter_send_failed_spans{exporter=\"otlp_grpc\"}").await;
        assert_eq!(refused, Some(2));
        rig.drain().await;
    }
}

#[tokio::test]
async fn a_short_fault_of_the_next_hop_is_bridged() {
    let next = NextHop::new(|call| match call {
        0 | 1 => Answer::Refuse(tonic::Status::unavailable("starting")),
        _ => Answer::Ok(b"", ""),
    });
    let fast = "exporters::otlp_grpc::retry_on_failure: {initial_interval: 1ms, max_elapsed_time: 20s}";
    let rig = Rig::start(&next, fast).await;
    assert_eq!(grpc(&rig.grpc, TRACES, &spans(&["x"])).await.code, 0);
    assert_eq!(next.got.lock().unwrap().len(), 3);
    rig.drain().await;
}

#[tokio::test]
async fn partial_success_of_the_next_hop_reaches_the_client() {
    let next = NextHop::new(|_| Answer::Ok(b"\x0a\x0a\x08\x01\x12\x06span 7", ""));
    let rig = Rig::start(&next, "").await;
    let json = ("content-type", "application/json");
    let body = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"07070707070707070707070707070707","spanId":"0909090909090909"}]}]}]}"#;
    let answer = http(&rig.http, "POST", "/v1/traces", &[json], body).await;
    assert_eq!(answer.status, 200);
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1");
    assert_eq!(answer["partialSuccess"]["errorMessage"], "span 7");
    let call = grpc(&rig.grpc, TRACES, &spans(&["a", "b"])).await;
    assert_eq!(call.body, b"\0\0\0\0\x0c\x0a\x0a\x08\x01\x12\x06span 7");
    rig.drain().await;
}

#[tokio::test]
async fn an_absent_next_hop_is_answered_with_a_retry_hint() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    let more =
        format!("exporters::otlp_grpc: {{endpoint: \"{free}\", retry_on_failure: {{enabled: false}}}}");
    let rig = Rig::start(&NextHop::fine(), &more).await;
    let answer = http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &spans(&["x"])).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(!answer.header("retry-after").is_empty());
    assert!(
        answer.text().contains(&format!("exporter otlp_grpc ({free}) cannot reach its next hop")),
        "{answer:?}"
    );
    rig.drain().await;
}

#[tokio::test]
async fn two_collectors_in_a_row_pass_everything_on_over_sockets() {
    let next = NextHop::new(|_| Answer::Ok(b"", "traces/0@1"));
    let back = Rig::start(&next, "").await;
    for compression in ["none", "gzip", "zstd"] {
        let more = format!(
            "exporters::otlp_grpc: {{endpoint: \"http://{}\", compression: {compression}, headers: {{X-Tenant: t}}}}",
            back.grpc
        );
        let front = Rig::start(&NextHop::fine(), &more).await;
        let call = grpc(&front.grpc, TRACES, &spans(&[compression])).await;
        assert_eq!((call.code, call.position.as_str()), (0, "traces/0@1"), "{call:?}");
        front.drain().await;
    }
    assert_eq!(next.span_names(), ["gzip", "none", "zstd"]);
    back.drain().await;
}

#[tokio::test]
async fn requests_during_an_export_are_merged_and_all_arrive() {
    let next = NextHop::fine();
    next.permits.forget_permits(tokio::sync::Semaphore::MAX_PERMITS);
    let rig = Rc::new(Rig::start(&next, "processors::batch::timeout: 1h").await);
    let calls: Vec<_> = (0..40)
        .map(|n| {
            let rig = rig.clone();
            async move {
                let name = format!("span {n:02}");
                grpc(&rig.grpc, TRACES, &spans(&[name.as_str()])).await.code
            }
        })
        .collect();
    let opening = async {
        let in_flight = "otelcol_processor_incoming_items{processor=\"batch\"}";
        while rig.metric(in_flight).await.unwrap_or(0) < 40 {
            tokio::task::yield_now().await;
        }
        next.permits.add_permits(1000);
    };
    let (codes, ()) = tokio::join!(futures_util::future::join_all(calls), opening);
    assert_eq!(codes, vec![0; 40]);
    let mut expect: Vec<String> = (0..40).map(|n| format!("span {n:02}")).collect();
    expect.sort();
    assert_eq!(next.span_names(), expect);
    let exports = next.got.lock().unwrap().len();
    assert_eq!(exports, 2, "the first alone, the rest merged");
    Rc::into_inner(rig).unwrap().drain().await;
}

#[tokio::test]
async fn a_drain_loses_nothing_that_was_acknowledged() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let acked: Arc<Mutex<Vec<String>>> = Arc::default();
    let stopped = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let (authority, acked, stopped) = (rig.grpc.clone(), acked.clone(), stopped.clone());
            async move {
                let endpoint =
                    tonic::transport::Endpoint::from_shared(format!("http://{authority}")).unwrap();
                let mut client_of = tonic::client::Grpc::new(endpoint.connect_lazy());
                for n in 0.. {
                    if stopped.load(std::sync::atomic::Ordering::Relaxed) {
                        return n;
                    }
                    let name = format!("{client}/{n}");
                    let body = bytes::Bytes::from(spans(&[name.as_str()]));
                    if client_of.ready().await.is_err() {
                        return n;
                    }
                    let path = http::uri::PathAndQuery::from_static(TRACES);
                    let codec = shared_proto::codec::RawCodec;
                    match client_of.unary(tonic::Request::new(body), path, codec).await {
                        Ok(_) => acked.lock().unwrap().push(name),
                        Err(_) => return n,
                    }
                }
                0
            }
        })
        .collect();
    let stopping = async {
        while acked.lock().unwrap().len() < 200 {
            tokio::task::yield_now().await;
        }
        let folder = rig.drain().await;
        stopped.store(true, std::sync::atomic::Ordering::Relaxed);
        folder
    };
    let (sent, _folder) = tokio::join!(futures_util::future::join_all(clients), stopping);
    let arrived = next.span_names();
    let acked = acked.lock().unwrap();
    for name in acked.iter() {
        assert!(arrived.binary_search(name).is_ok(), "{name} was acknowledged and is lost");
    }
    let total: usize = sent.iter().map(|n| n + 1).sum();
    assert!(arrived.len() <= total, "{} arrived of {total}", arrived.len());
}

#[tokio::test]
async fn logs_of_the_default_configuration_are_in_a_file_when_acknowledged() {
    let rig = Rig::start(&NextHop::fine(), "").await;
    let answer = http(&rig.http, "POST", "/v1/logs", &[PROTOBUF], &logs("first")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let path = rig.folder.path().join("collector/logs.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("first"), "{text}");
    assert_eq!(grpc(&rig.grpc, LOGS, &logs("second")).await.code, 0);
    let _folder = rig.drain().await;
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let body = |line: &serde_json::Value| {
        line["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["body"]["stringValue"].clone()
    };
    assert_eq!(lines.iter().map(body).collect::<Vec<_>>(), ["first", "second"]);
}

#[tokio::test]
async fn a_fan_out_succeeds_when_all_did_and_debug_prints() {
    let more = "{exporters: {debug: {verbosity: normal}, file/spans: {path: \"${env:YC_DATA_DIR}/spans.bin\", format: proto}}, \
                service: {pipelines: {traces: {exporters: [otlp_grpc, debug, file/spans]}}}}";
    let next = NextHop::new(|call| match call {
        0 => Answer::Ok(b"", "traces/0@1"),
        _ => Answer::Refuse(tonic::Status::invalid_argument("no")),
    });
    let rig = Rig::start(&next, more).await;
    let body = spans(&["one"]);
    let answer = http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &body).await;
    assert_eq!((answer.status, answer.header("x-yc-position")), (200, "traces/0@1"));
    let printed = String::from_utf8(rig.printed.lock().unwrap().clone()).unwrap();
    assert!(printed.contains("\tinfo\tTraces\t{\"exporter\": \"debug\", \"spans\": 1}\n"), "{printed}");
    assert!(printed.contains("\"name\":\"one\""), "{printed}");
    let file = std::fs::read(rig.folder.path().join("spans.bin")).unwrap();
    assert_eq!(file[..4], u32::try_from(body.len()).unwrap().to_be_bytes());
    assert_eq!(names(&file[4..]), ["one"]);
    let answer = http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &body).await;
    assert_eq!(answer.status, 400, "one branch refused: {answer:?}");
    rig.drain().await;
}

#[tokio::test]
async fn a_taken_port_is_named_before_anything_starts() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let ctx = Context::new(folder.path());
    let more = format!("receivers::otlp::protocols: {{grpc: {{endpoint: \"127.0.0.1:{port}\"}}}}");
    let error = Rig::start_in(&NextHop::fine(), &more, ctx, folder).await.err().unwrap().to_string();
    assert!(error.contains(&format!("port {port} (OTLP gRPC) on 127.0.0.1 is taken")), "{error}");
}

#[tokio::test]
async fn a_request_with_many_spans_passes_in_one_piece() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "").await;
    let body = request((0..60_000).map(|n| span(&format!("s{n}"))).collect()).encode_to_vec();
    let answer = http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(grpc(&rig.grpc, TRACES, &body).await.code, 0);
    let got = next.got.lock().unwrap().clone();
    assert!(got.iter().all(|(_, bytes)| *bytes == body), "{}", got.len());
    rig.drain().await;
}

#[tokio::test]
async fn listening_ports_follow_the_offset() {
    // held on one loopback address, so nobody else is handed the same port on the other
    let held = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = held.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let mut ctx = Context::new(folder.path());
    ctx.port_offset = 7;
    let more = format!(
        "{{receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.2:{}\"}}, http: {{endpoint: \"127.0.0.1:0\"}}}}}}}}, \
         extensions: {{health_check: {{endpoint: \"127.0.0.1:0\"}}}}, service: {{telemetry: {{metrics: {{level: none}}}}}}}}",
        port - 7
    );
    let rig = Rig::start_in(&NextHop::fine(), &more, ctx, folder).await.unwrap();
    assert_eq!(rig.grpc, format!("127.0.0.2:{port}"));
    assert!(rig.running.url("own metrics").is_none());
    rig.drain().await;
}
