//! `trace_store.v1`: scopes, positions, names, searches, streams.

use std::time::Duration;

use bytes::Bytes;
use runtime_service::config::Period;
use shared_proto::trace_store::v1::{
    AttributeEquals, FindTracesRequest, GetOperationsRequest, GetServicesRequest, GetTracesRequest,
    HoldersRequest, ReadScope, TraceKey,
};
use tonic::Code;
use trace_store::{Config, ReadKeys};

use crate::house::{DEADLINE, House, Positions};
use crate::spans::{T0, attribute, batch, id, request, span};

fn scope(partition: u32, positions: &Positions) -> Option<ReadScope> {
    let position_min = positions.get(&partition).map_or(0, |p| p + 1);
    Some(ReadScope { partition, position_min, wait_ms_max: 30_000 })
}

#[tokio::test]
async fn a_position_in_the_future_is_waited_for_and_then_refused_with_the_one_reached() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(dir.path()).await;
    let (positions, _) = house.export(&request("shop", vec![span(1, 0)])).await;
    let (partition, offset) = positions.first_key_value().unwrap();
    let scope = ReadScope { partition: *partition, position_min: offset + 1_000_000, wait_ms_max: 50 };
    let request = GetTracesRequest {
        scope: Some(scope),
        trace_ids: vec![Bytes::copy_from_slice(&id(1))],
        ..Default::default()
    };
    let status = house.reads().get_traces(request).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    let reached = status.metadata().get("x-yc-position").unwrap().to_str().unwrap().to_owned();
    let reached: u64 = reached.split_once('@').unwrap().1.parse().unwrap();
    assert!(reached <= offset + 1, "{reached} {offset}");

    let next = offset + 2;
    let waiting = house.trace_of(*partition, id(1), next);
    let writing = async { while house.export(&batch("shop", 1, 1, 1)).await.0[partition] < next {} };
    let (answer, ()) = tokio::join!(waiting, writing);
    assert!(answer.unwrap().1.position >= next);
    house.drain().await;
}

#[tokio::test]
async fn scopes_and_ids_that_cannot_be_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(dir.path()).await;
    let none = Positions::new();
    let foreign = house.trace_of(4, id(1), 0).await.unwrap_err();
    assert_eq!(foreign.code(), Code::FailedPrecondition);
    assert_eq!(foreign.message(), "partition 4 is not held here, only 0 to 3 are");
    let short = GetTracesRequest {
        scope: scope(0, &none),
        trace_ids: vec![Bytes::from_static(&[1; 15])],
        ..Default::default()
    };
    let status = house.reads().get_traces(short).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::InvalidArgument, "trace_ids: an id is 15 bytes long, expected 16")
    );
    let unlimited = FindTracesRequest { scope: scope(0, &none), ..FindTracesRequest::default() };
    let status = house.reads().find_traces(unlimited).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "limit is 0, expected 1 or more"));
    let huge = FindTracesRequest { scope: scope(0, &none), limit: u32::MAX, ..FindTracesRequest::default() };
    assert_eq!(house.reads().find_traces(huge).await.unwrap_err().code(), Code::InvalidArgument);
    house.drain().await;
}

#[tokio::test]
async fn names_and_searches_are_answered_per_partition() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(dir.path()).await;
    let mut tagged = span(30, 1);
    tagged
        .attributes
        .push(attribute("order", opentelemetry_proto::tonic::common::v1::any_value::Value::IntValue(42)));
    let mut positions = house.export(&batch("shop", 0, 20, 3)).await.0;
    positions.extend(house.export(&request("cart", vec![tagged])).await.0);
    let (mut services, mut operations, mut found, mut tagged) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for partition in 0..4 {
        let at = scope(partition, &positions);
        services.extend(
            house.reads().get_services(GetServicesRequest { scope: at }).await.unwrap().into_inner().services,
        );
        let asked = GetOperationsRequest { scope: at, service: "shop".into(), span_kind: Some(1) };
        operations.extend(house.reads().get_operations(asked).await.unwrap().into_inner().operations);
        let mut query =
            FindTracesRequest { scope: at, service: "shop".into(), limit: 5, ..FindTracesRequest::default() };
        let first = house.reads().find_traces(query.clone()).await.unwrap().into_inner();
        assert!(first.traces.len() <= 5 && first.traces.is_sorted_by_key(|t| std::cmp::Reverse(t.rank)));
        let mut page = first.traces;
        while let Some(last) = page.last().cloned() {
            found.append(&mut page);
            query.after = Some(TraceKey { ..last });
            page = house.reads().find_traces(query.clone()).await.unwrap().into_inner().traces;
        }
        let by_tag = FindTracesRequest {
            scope: at,
            attributes: vec![AttributeEquals { key: "order".into(), value: "42".into() }],
            start_min_unix_nano: *T0,
            limit: 10,
            ..FindTracesRequest::default()
        };
        tagged.extend(house.reads().find_traces(by_tag).await.unwrap().into_inner().traces);
    }
    services.sort();
    services.dedup();
    assert_eq!(services, ["cart", "shop"]);
    assert!(operations.iter().all(|o| o.name == "op 1" && o.span_kind == 1) && !operations.is_empty());
    let mut ids: Vec<_> = found.iter().map(|t| t.trace_id.to_vec()).collect();
    ids.sort();
    assert_eq!(ids, (0..20).map(|t| id(t).to_vec()).collect::<Vec<_>>());
    assert_eq!(tagged.iter().map(|t| t.trace_id.to_vec()).collect::<Vec<_>>(), [id(30).to_vec()]);
    house.drain().await;
}

#[tokio::test]
async fn holders_tell_positions_and_admin_tells_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(dir.path()).await;
    let (positions, _) = house.export(&batch("shop", 0, 20, 1)).await;
    for (partition, offset) in &positions {
        house.trace_of(*partition, id(0), offset + 1).await.unwrap();
    }
    let holders = house.reads().holders(HoldersRequest {}).await.unwrap().into_inner();
    assert_eq!((holders.partitions, holders.held.len()), (4, 4));
    for holder in holders.held {
        assert!(
            holder.position > positions[&holder.partition] && !holder.replaying && holder.quarantined == 0
        );
    }
    for path in ["/health", "/ready/read", "/ready/write", "/buildinfo"] {
        assert_eq!(house.admin(path).await.0, 200, "{path}");
    }
    assert!(house.admin("/config").await.1.contains("retention: 7d"));
    for name in [
        "log_bytes",
        "head_bytes",
        "root_version",
        "root_epoch",
        "replay_lag_records",
        "flush_age_milliseconds",
        "objects",
        "refused_total",
        "quarantined",
        "ack_seconds_count",
    ] {
        house.metric(&format!("trace_store_{name}")).await;
    }
    house.drain().await;
}

#[tokio::test]
async fn a_long_trace_is_streamed_and_a_reader_that_stalls_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let reads = ReadKeys { stall_max: Period(Duration::from_millis(500)), ..ReadKeys::default() };
    let house = House::open_with(dir.path(), Config { reads, ..Config::default() }).await;
    let mut positions = Positions::new();
    let blob = "x".repeat(100_000);
    for n in 0..30 {
        let spans = (0..10).map(|k| {
            let mut s = span(1, n * 10 + k);
            s.trace_state = blob.clone();
            s
        });
        positions.extend(house.export(&request("shop", spans.collect())).await.0);
    }
    assert_eq!(house.trace(id(1), &positions).await.len(), 300);

    let (partition, position) = positions.first_key_value().unwrap();
    let scope = ReadScope { partition: *partition, position_min: position + 1, wait_ms_max: 0 };
    let request = GetTracesRequest {
        scope: Some(scope),
        trace_ids: vec![Bytes::copy_from_slice(&id(1))],
        ..Default::default()
    };
    let mut stream = house.reads().get_traces(request).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    // four reads of the whole trace, one of each partition, and the one that stalls
    let stalled = async {
        while house.metric("trace_store_reads_total").await < 5.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, stalled).await.unwrap();
    let last = loop {
        match stream.message().await {
            Ok(Some(chunk)) if chunk.state.is_some() => break Ok(()),
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended without a state"),
            Err(status) => break Err(status.code()),
        }
    };
    assert_eq!(last, Err(Code::DeadlineExceeded));
    house.drain().await;
}
