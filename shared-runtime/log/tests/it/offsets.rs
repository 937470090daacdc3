//! Offsets are never used twice, and time may jump.

use std::sync::Arc;
use std::time::Duration;

use runtime_engine::{Offset, Partition, Time};
use runtime_files::sim::{Operation, SimClock, SimFiles};
use runtime_log::{LocalLog, LogReader, NewRecord};

use crate::world::{World, config};

fn record(text: &str) -> NewRecord {
    NewRecord {
        partition: Partition(0),
        tenant: "default".into(),
        encoding: 7,
        payload: text.as_bytes().to_vec().into(),
    }
}

fn open(files: &SimFiles, clock: &SimClock, floor: u64) -> LocalLog {
    LocalLog::open(Arc::new(files.clone()), Arc::new(clock.clone()), config(), Offset(floor)).unwrap()
}

#[test]
fn an_empty_log_continues_above_the_highest_root() {
    let log = open(&SimFiles::new(1), &SimClock::new(1), 500);
    assert_eq!(log.durable_end(), Offset(500));
    assert!(log.read(Partition(0), Offset(500), 100).unwrap().records.is_empty());
    assert!(log.read(Partition(0), Offset(300), 100).is_err(), "what was below is gone, and that is damage");
    assert_eq!(log.append_now(&[record("a"), record("b")]).unwrap(), [Offset(500), Offset(501)]);
    log.raise_floor(Offset(600));
    assert_eq!(log.append_now(&[record("c")]).unwrap(), [Offset(600)]);
}

#[test]
fn refused_offsets_stay_unused_also_after_a_restart() {
    let mut world = World::new(2);
    world.open().unwrap();
    world.append().unwrap();
    let end = world.log().durable_end();
    world.files.fail_next(Operation::Sync, 1);
    assert!(!world.append().unwrap());
    assert_eq!((world.log().durable_end(), world.log().stats().poisoned_files), (end, 1));
    world.clock.advance(Duration::from_secs(1));
    assert!(world.append().unwrap());
    let first = world.acknowledged().into_keys().find(|offset| *offset >= end).unwrap();
    assert!(first > end, "{first} had been given to a refused record");
    world.check_trace().unwrap();
    world.survive(Some(3)).unwrap();
}

#[test]
fn a_torn_record_does_not_give_its_offset_to_another() {
    let (files, clock) = (SimFiles::new(3), SimClock::new(1));
    let log = open(&files, &clock, 0);
    let last = *log.append_now(&[record("one"), record("two")]).unwrap().last().unwrap();
    drop(log);
    let path = files.paths().into_iter().find(|p| p.extension().is_some_and(|e| e == "log")).unwrap();
    let files = files.reboot();
    let bits = files.contents(&path).unwrap().len() * 8;
    assert!(files.flip_bit(&path, bits - 1), "rot in a record that was acknowledged");
    let log = open(&files, &clock, 0);
    assert!(log.stats().cut_tail_bytes > 0);
    assert!(log.append_now(&[record("three")]).unwrap()[0] > last);
}

#[test]
fn records_carry_the_time_at_which_the_log_took_them_even_if_it_jumps() {
    let (files, clock) = (SimFiles::new(4), SimClock::new(1_000));
    let log = open(&files, &clock, 0);
    for now in [1_000, 5, u64::MAX, 7] {
        clock.set(now);
        log.append_now(&[record("x")]).unwrap();
    }
    log.close();
    drop(log);
    let log = open(&files, &clock, 0);
    let times: Vec<Time> =
        log.read(Partition(0), Offset(0), 1000).unwrap().records.iter().map(|r| r.time).collect();
    assert_eq!(times, [Time(1_000), Time(5), Time(u64::MAX), Time(7)]);
}
