//! The memory limiter: bytes are admitted before they are read, and come back.

use tokio::io::AsyncWriteExt;

use crate::rig::{NextHop, Rig, spans};
use crate::wire::{TRACES, frame, grpc, grpc_frame, http};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const USED: &str = "otelcol_processor_memory_limiter_used_bytes{processor=\"memory_limiter\"}";

async fn wait_for(rig: &Rig, series: &str, wanted: impl Fn(u64) -> bool) {
    let waiting = async {
        while !rig.metric(series).await.is_some_and(&wanted) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::rig::DEADLINE, waiting).await.expect("the metric never got there");
}

#[tokio::test]
async fn announced_bytes_are_refused_before_they_are_read_and_freed_with_the_connection() {
    let next = NextHop::fine();
    let limit = "processors::memory_limiter: {limit_mib: 10, spike_limit_mib: 2}";
    let rig = Rig::start(&next, limit).await;
    let mut holder = tokio::net::TcpStream::connect(&rig.http).await.unwrap();
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 8388608\r\n\r\n";
    holder.write_all(head.as_bytes()).await.unwrap();
    wait_for(&rig, USED, |used| used == 8 << 20).await;

    let answer = http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &spans(&["x"])).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(!answer.header("retry-after").is_empty());
    assert!(answer.text().contains("data refused due to high memory usage"), "{}", answer.text());
    let call = grpc(&rig.grpc, TRACES, &spans(&["x"])).await;
    assert_eq!((call.code, call.retry_info), (14, true), "{call:?}");

    drop(holder);
    wait_for(&rig, USED, |used| used == 0).await;
    assert_eq!(http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &spans(&["x"])).await.status, 200);
    wait_for(&rig, USED, |used| used == 0).await;
    rig.drain().await;
}

#[tokio::test]
async fn inflated_bytes_are_admitted_too() {
    let next = NextHop::fine();
    let rig = Rig::start(&next, "processors::memory_limiter: {limit_mib: 2, spike_limit_mib: 1}").await;
    let bomb = zstd::encode_all(&vec![0u8; 8 << 20][..], 1).unwrap();
    let headers = [PROTOBUF, ("content-encoding", "zstd")];
    let answer = http(&rig.http, "POST", "/v1/traces", &headers, &bomb).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    let call = grpc_frame(&rig.grpc, TRACES, &[("grpc-encoding", "zstd")], &frame(1, &bomb)).await;
    assert_eq!((call.code, call.retry_info), (14, true), "{call:?}");
    wait_for(&rig, USED, |used| used == 0).await;
    rig.drain().await;
}

#[tokio::test]
async fn bytes_are_held_until_the_next_hop_answered() {
    let next = NextHop::fine();
    next.permits.forget_permits(tokio::sync::Semaphore::MAX_PERMITS);
    let rig = Rig::start(&next, "").await;
    let body = spans(&["held"]);
    let size = u64::try_from(body.len()).unwrap();
    let sending = http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &body);
    let watching = async {
        wait_for(&rig, USED, |used| used == size).await;
        next.permits.add_permits(10);
    };
    let (answer, ()) = tokio::join!(sending, watching);
    assert_eq!(answer.status, 200);
    wait_for(&rig, USED, |used| used == 0).await;
    rig.drain().await;
}

#[tokio::test]
async fn an_overload_is_refused_at_once_and_ends_without_a_restart() {
    let next = NextHop::fine();
    next.permits.forget_permits(tokio::sync::Semaphore::MAX_PERMITS);
    let rig = Rig::start(&next, "processors::memory_limiter: {limit_mib: 5, spike_limit_mib: 1}").await;
    let names: Vec<String> = (0..1000).map(|n| format!("{n:01000}")).collect();
    let body = spans(&names.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(body.len() > 1 << 20 && body.len() < 2 << 20, "{}", body.len());
    let fit = (4 << 20) / body.len();
    let refused = std::cell::Cell::new(0);
    let clients = (0..64).map(|_| async {
        let answer = http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &body).await;
        if answer.status == 503 {
            assert!(!answer.header("retry-after").is_empty());
            refused.set(refused.get() + 1);
        }
        answer.status
    });
    let opening = async {
        while refused.get() < 64 - fit {
            assert!(rig.metric(USED).await.unwrap() <= 4 << 20);
        }
        next.permits.add_permits(1000);
    };
    let (statuses, ()) = tokio::join!(futures_util::future::join_all(clients), opening);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), fit);
    assert_eq!(next.span_names().len(), fit * 1000);
    assert_eq!(http(&rig.http, "POST", "/v1/traces", &[PROTOBUF], &body).await.status, 200);
    rig.drain().await;
}
