//! What was acknowledged comes back equal: from heads, after a drain, after a restart.

use std::path::Path;
use std::sync::Arc;

use runtime_files::SystemClock;
use runtime_files::sim::SimFiles;
use runtime_service::{Kind, Status};
use trace_store::Config;

use crate::house::{House, Positions};
use crate::spans::{batch, decode, id, of_trace, request, span};

#[tokio::test]
async fn a_trace_is_read_back_equal_from_the_head_after_a_flush_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let sent = batch("shop", 0, 20, 5);
    let house = House::open(dir.path()).await;
    let (positions, answer) = house.export(&sent).await;
    assert_eq!(answer.partial_success, None);
    assert_eq!(positions.len(), 4, "twenty traces fall into four partitions: {positions:?}");
    for trace in 0..20 {
        assert_eq!(house.trace(id(trace), &positions).await, of_trace(&sent, trace));
    }
    assert_eq!(house.drain().await.failures, Vec::<String>::new());

    let house = House::open(dir.path()).await;
    for trace in 0..20 {
        assert_eq!(house.trace(id(trace), &positions).await, of_trace(&sent, trace));
    }
    assert!(house.metric("trace_store_objects").await >= 4.0, "a drain flushes the heads");
    let (later, _) = house.export(&request("shop", vec![span(3, 77)])).await;
    let (partition, offset) = later.first_key_value().unwrap();
    assert!(offset > &positions[partition], "offsets are never used twice");
    assert_eq!(house.trace(id(3), &later).await.len(), 6);
    house.drain().await;
}

#[tokio::test]
async fn without_a_drain_the_log_is_replayed() {
    let files = SimFiles::new(1);
    let clock = Arc::new(SystemClock::new());
    let dir = Path::new("/data");
    let sent = batch("shop", 0, 8, 3);
    let house = House::open_on(dir, Config::default(), Arc::new(files.clone()), clock.clone()).await;
    let (positions, _) = house.export(&sent).await;
    let after_power_loss = files.power_loss(7);
    let house = House::open_on(dir, Config::default(), Arc::new(after_power_loss), clock).await;
    for trace in 0..8 {
        assert_eq!(house.trace(id(trace), &positions).await, of_trace(&sent, trace));
    }
    house.until("/ready/read", 200).await;
}

#[tokio::test]
async fn a_full_disk_refuses_writes_answers_reads_and_heals() {
    let files = SimFiles::new(2);
    let dir = Path::new("/data");
    let sent = batch("shop", 0, 4, 2);
    let house =
        House::open_on(dir, Config::default(), Arc::new(files.clone()), Arc::new(SystemClock::new())).await;
    let (positions, _) = house.export(&sent).await;
    files.set_capacity(Some(1 << 20));
    let refused = house.send(prost_bytes(&batch("shop", 50, 1, 1)), None).await.unwrap_err();
    let status = Status::from_grpc(&refused);
    assert_eq!(status.kind, Kind::Unavailable, "{refused}");
    assert!(status.retry_after.is_some() && refused.message().contains("disk is full"), "{refused}");
    house.until("/ready/write", 503).await;
    assert_eq!(house.admin("/ready/read").await.0, 200);
    assert_eq!(house.trace(id(1), &positions).await, of_trace(&sent, 1));
    files.set_capacity(None);
    house.until("/ready/write", 200).await;
    let (later, _) = house.export(&batch("shop", 51, 1, 1)).await;
    assert_eq!(house.trace(id(51), &later).await.len(), 1);
    house.drain().await;
}

#[tokio::test]
async fn a_damaged_object_is_set_aside_and_the_rest_is_served_as_partial() {
    let dir = tempfile::tempdir().unwrap();
    let sent = batch("shop", 0, 40, 2);
    let house = House::open(dir.path()).await;
    let (positions, _) = house.export(&sent).await;
    house.drain().await;
    let damaged = largest_file(&dir.path().join("trace-store/objects/traces/2"));
    let mut bytes = std::fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&damaged, bytes).unwrap();

    let house = House::open(dir.path()).await;
    let (mut served, mut partial) = (0, Vec::new());
    for trace in 0..40 {
        for partition in 0..4 {
            let (chunks, state) =
                house.trace_of(partition, id(trace), positions[&partition] + 1).await.unwrap();
            served += decode(&chunks).len();
            if !state.partial.is_empty() {
                partial.push((partition, state.partial));
            }
        }
    }
    assert!(partial.iter().all(|p| *p == (2, "quarantined".to_owned())), "{partial:?}");
    assert!(!partial.is_empty() && (1..80).contains(&served), "{served} of 80 spans");
    assert!(house.metric("trace_store_quarantined").await >= 1.0);
    let (later, _) = house.export(&batch("shop", 90, 8, 1)).await;
    assert_eq!(later.len(), 4, "writes go on");
    house.drain().await;
}

fn largest_file(dir: &Path) -> std::path::PathBuf {
    let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let files = entries.map(|p| if p.is_dir() { largest_file(&p) } else { p });
    files.filter(|p| p.is_file()).max_by_key(|p| p.metadata().unwrap().len()).unwrap_or_default()
}

#[tokio::test]
async fn a_damaged_log_record_is_set_aside_and_the_rest_is_served_as_partial() {
    let files = SimFiles::new(3);
    let clock = Arc::new(SystemClock::new());
    let dir = Path::new("/data");
    let house = House::open_on(dir, Config::default(), Arc::new(files.clone()), clock.clone()).await;
    let mut positions = Positions::new();
    for trace in 0..20 {
        positions.extend(house.export(&batch("shop", trace, 1, 1)).await.0);
    }
    let after = files.power_loss(5);
    let log = after
        .paths()
        .into_iter()
        .find(|p| p.starts_with("/data/trace-store/log") && after.contents(p).unwrap().len() > 2000);
    let log = log.unwrap();
    let bits = after.contents(&log).unwrap().len() * 8;
    assert!(after.flip_bit(&log, bits / 2));
    let house = House::open_on(dir, Config::default(), Arc::new(after), clock).await;
    house.until("/ready/read", 200).await;
    let (mut served, mut partial) = (0, 0);
    for trace in 0..20 {
        for partition in 0..4 {
            let (chunks, state) = house.trace_of(partition, id(trace), 0).await.unwrap();
            served += decode(&chunks).len();
            partial += usize::from(state.partial == "quarantined");
        }
    }
    assert!((1..20).contains(&served) && partial > 0, "{served} of 20 spans, {partial} partial answers");
}

fn prost_bytes(message: &impl prost::Message) -> bytes::Bytes {
    message.encode_to_vec().into()
}

#[tokio::test]
async fn a_data_directory_serves_one_process_and_one_format() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::open(dir.path()).await;
    let again = runtime_service::Context::ephemeral(dir.path());
    let error = trace_store::build(Config::default(), again.clone()).await.unwrap_err();
    assert!(format!("{error:#}").contains("is in use by another process"), "{error:#}");
    house.export(&batch("shop", 0, 40, 1)).await;
    house.drain().await;
    let fewer = Config { partitions: 1, ..Config::default() };
    let error = trace_store::build(fewer, again.clone()).await.unwrap_err();
    assert!(format!("{error:#}").contains("but `partitions` is 1: set it to 2 or more"), "{error:#}");
    let marker = dir.path().join("trace-store/objects/FORMAT");
    std::fs::write(&marker, "yc-objects 0\n").unwrap();
    let error = trace_store::build(Config::default(), again).await.unwrap_err();
    assert!(format!("{error:#}").contains("FORMAT"), "{error:#}");
}
