//! What bad input gets, and the bounds of writes.

use bytes::Bytes;
use prost::Message;
use runtime_service::{Kind, Status};
use tonic::Code;
use tonic::codec::CompressionEncoding::{Gzip, Zstd};
use trace_store::{Config, WriteKeys};

use crate::house::House;
use crate::spans::{batch, id, request, span};

#[tokio::test]
async fn bad_spans_are_a_partial_success_that_names_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(dir.path()).await;
    let mut zero = span(1, 1);
    zero.span_id = vec![0; 8];
    let mut no_trace = span(1, 2);
    no_trace.trace_id = Vec::new();
    let (positions, answer) = house.export(&request("shop", vec![span(1, 0), zero, no_trace])).await;
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 2);
    assert!(partial.error_message.contains("span_id is all zero"), "{}", partial.error_message);
    assert_eq!(house.trace(id(1), &positions).await.len(), 1);
    assert_eq!(house.metric("trace_store_accepted_spans_total").await, 1.0);
    assert_eq!(house.metric("trace_store_rejected_spans_total").await, 2.0);
    house.drain().await;
}

#[tokio::test]
async fn broken_and_large_requests_are_refused_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let writes = WriteKeys { body_bytes_max: "1MiB".parse().unwrap(), ..WriteKeys::default() };
    let house = House::open_with(dir.path(), Config { writes, ..Config::default() }).await;
    let check = async |body: Bytes, zip, code: Code, kind: Kind, text: &str| {
        let status = house.send(body, zip).await.unwrap_err();
        assert_eq!((status.code(), Status::from_grpc(&status).kind), (code, kind), "{status}");
        assert!(status.message().contains(text), "{status}");
    };
    let malformed = Bytes::from_static(b"\x0a\x7f");
    check(malformed, None, Code::InvalidArgument, Kind::Invalid, "malformed OTLP traces at byte").await;
    let mut short = span(1, 1);
    short.trace_id = vec![1; 15];
    let short = request("shop", vec![short]).encode_to_vec().into();
    check(short, None, Code::InvalidArgument, Kind::Invalid, "found 15").await;
    let bomb = Bytes::from(vec![0_u8; 8 << 20]);
    for zip in [None, Some(Gzip), Some(Zstd)] {
        check(bomb.clone(), zip, Code::ResourceExhausted, Kind::TooLarge, "larger than 1048576 bytes").await;
    }
    for zip in [None, Some(Gzip), Some(Zstd)] {
        house.send(batch("shop", 0, 10, 10).encode_to_vec().into(), zip).await.unwrap();
    }
    let empty = house.send(Bytes::new(), None).await.unwrap();
    assert!(empty.metadata().get("x-yc-position").is_none() && empty.into_inner().is_empty());
    assert_eq!(house.metric("trace_store_accepted_spans_total").await, 300.0);
    house.drain().await;
}

#[tokio::test]
async fn over_the_intake_budget_a_write_is_refused_with_a_hint() {
    let dir = tempfile::tempdir().unwrap();
    let writes = WriteKeys { intake_bytes_max: "1KiB".parse().unwrap(), ..WriteKeys::default() };
    let house = House::open_with(dir.path(), Config { writes, ..Config::default() }).await;
    let body: Bytes = batch("shop", 0, 50, 50).encode_to_vec().into();
    let outcomes = futures_util::future::join_all((0..16).map(|_| house.send(body.clone(), None))).await;
    assert!(outcomes.iter().any(Result::is_ok), "one request alone always fits");
    for refused in outcomes.into_iter().filter_map(Result::err) {
        assert!(Status::from_grpc(&refused).retry_after.is_some(), "{refused}");
    }
    assert_eq!(house.metric("trace_store_intake_bytes").await, 0.0);
    house.drain().await;
}
