//! Torn tails, flipped bits, zeroed pages, missing and foreign files.

use std::collections::BTreeMap;
use std::sync::Arc;

use runtime_engine::{Offset, Partition};
use runtime_files::Files;
use runtime_files::sim::{SimClock, SimFiles};
use runtime_log::{LocalLog, LogReader, OpenError, ReadError};

use crate::world::{PARTITIONS, World, config, dir, number};

const HEADER_BYTES: usize = 40;

/// What a reader gets from a set of files.
struct Reading {
    records: BTreeMap<Offset, u64>,
    damaged: u64,
    quarantined: u64,
    cut_tail_bytes: u64,
}

fn read_all(files: &SimFiles, floor: Offset) -> Reading {
    let log = LocalLog::open(Arc::new(files.clone()), Arc::new(SimClock::new(1)), config(), floor).unwrap();
    let (mut records, mut damaged) = (BTreeMap::new(), 0);
    for partition in (0..PARTITIONS).map(Partition) {
        let mut at = log.stats().oldest;
        loop {
            let batch = log.read(partition, at, 1 << 20).unwrap();
            damaged += batch.damaged;
            at = batch.next;
            if batch.records.is_empty() {
                break;
            }
            records.extend(batch.records.iter().map(|r| (r.offset, number(&r.payload))));
        }
    }
    let stats = log.stats();
    Reading { records, damaged, quarantined: stats.quarantined_records, cut_tail_bytes: stats.cut_tail_bytes }
}

/// The files of a killed (or closed) log, and what was in it.
fn written(seed: u64, appends: usize, close: bool) -> (World, BTreeMap<Offset, u64>) {
    let mut world = World::new(seed);
    world.open().unwrap();
    for _ in 0..appends {
        assert!(world.append().unwrap());
    }
    let whole = world.acknowledged();
    if close {
        world.log().close();
    }
    world.log = None;
    world.files = world.files.reboot();
    (world, whole)
}

/// A file system that holds these files alone.
fn copy_of(world: &World) -> SimFiles {
    let copy = SimFiles::new(0);
    copy.create_dir_all(&dir()).unwrap();
    for path in world.log_files() {
        copy.put(&path, world.files.contents(&path).unwrap()).unwrap();
    }
    copy
}

#[test]
fn a_tail_torn_at_every_byte_of_the_last_record_costs_that_record_alone() {
    // three records at least, so that the last append is a frame of its own
    let (world, whole) = written(21, 9, false);
    let last = world.log_files().pop().unwrap();
    let bytes = world.files.contents(&last).unwrap();
    let last_offset = *whole.last_key_value().unwrap().0;
    let mut cases = 0;
    for cut in HEADER_BYTES..bytes.len() {
        let copy = copy_of(&world);
        copy.put(&last, bytes[..cut].to_vec()).unwrap();
        let got = read_all(&copy, Offset(0));
        assert_eq!((got.damaged, got.quarantined), (0, 0), "cut at {cut}");
        assert!(got.records.iter().all(|(offset, n)| whole.get(offset) == Some(n)));
        assert!(got.records.keys().eq(whole.keys().take(got.records.len())), "cut at {cut}: not a prefix");
        if got.records.len() + 1 == whole.len() {
            cases += 1;
            assert!(!got.records.contains_key(&last_offset));
            // what was cut stays cut
            let again = read_all(&copy.reboot(), Offset(0));
            assert_eq!((again.records, again.cut_tail_bytes), (got.records, 0));
        }
    }
    println!("{cases} cuts inside the last record, {} in all", bytes.len() - HEADER_BYTES);
    assert!(cases > 44);
}

#[test]
fn one_flipped_bit_at_each_of_ten_thousand_places_is_noticed_and_contained() {
    const SEED: u64 = 22;
    for close in [true, false] {
        let (mut world, whole) = written(SEED, 40, close);
        let originals: Vec<_> =
            world.log_files().into_iter().map(|p| (p.clone(), world.files.contents(&p).unwrap())).collect();
        let total: u64 = originals.iter().map(|(_, bytes)| bytes.len() as u64 * 8).sum();
        let floor = *whole.last_key_value().unwrap().0;
        println!("{} files, {total} bits, seed {SEED}", originals.len());
        for _ in 0..5000 {
            let mut bit = world.dice.below(total);
            let (path, bytes) = originals
                .iter()
                .find(|(_, bytes)| {
                    let bits = bytes.len() as u64 * 8;
                    let here = bit < bits;
                    if !here {
                        bit -= bits;
                    }
                    here
                })
                .unwrap();
            let copy = copy_of(&world);
            assert!(copy.flip_bit(path, bit as usize));
            let got = read_all(&copy, Offset(0));
            let what = format!("bit {bit} of {} ({} bytes), seed {SEED}", path.display(), bytes.len());
            assert!(got.records.iter().all(|(offset, n)| whole.get(offset) == Some(n)), "phantom: {what}");
            assert!(got.records.len() + 1 >= whole.len(), "more than one record is gone: {what}");
            if got.records.len() < whole.len() {
                let noticed = got.quarantined > 0 && got.damaged > 0;
                let torn = got.cut_tail_bytes > 0 && !got.records.contains_key(&floor);
                assert!(noticed || torn, "not noticed: {what}");
            }
        }
    }
}

#[test]
fn a_zeroed_page_costs_what_was_in_it() {
    let (world, whole) = written(23, 40, true);
    for path in world.log_files() {
        for start in [0, 512, 1024] {
            let copy = copy_of(&world);
            let mut bytes = copy.contents(&path).unwrap();
            let end = (start + 512).min(bytes.len());
            let Some(page) = bytes.get_mut(start..end) else { continue };
            page.fill(0);
            copy.put(&path, bytes).unwrap();
            let got = read_all(&copy, Offset(0));
            assert!(got.records.iter().all(|(offset, n)| whole.get(offset) == Some(n)));
            assert!(got.records.len() + 14 > whole.len(), "{} of {}", got.records.len(), whole.len());
            let lost = (whole.len() - got.records.len()) as u64;
            assert!(got.quarantined >= lost || got.cut_tail_bytes > 0, "{lost} lost, {}", got.quarantined);
        }
    }
}

#[test]
fn a_missing_file_is_counted_and_the_others_are_served() {
    let (world, whole) = written(24, 40, true);
    let paths = world.log_files();
    assert!(paths.len() > 3);
    for missing in &paths[1..paths.len() - 1] {
        let copy = copy_of(&world);
        copy.remove(missing).unwrap();
        let got = read_all(&copy, Offset(0));
        let lost = (whole.len() - got.records.len()) as u64;
        assert!(lost > 0);
        assert_eq!((got.quarantined, got.damaged), (lost, lost * u64::from(PARTITIONS)));
    }
}

#[test]
fn a_file_that_vanishes_while_the_log_is_open_is_damage() {
    let mut world = World::new(25);
    world.open().unwrap();
    for _ in 0..40 {
        world.append().unwrap();
    }
    let lost = world.log_files()[1].clone();
    world.files.remove(&lost).unwrap();
    let (records, damaged) = world.read(Partition(0), Offset(0)).unwrap();
    assert!(!records.is_empty() && damaged > 0);
    assert!(world.log().stats().quarantined_records > 0);
}

#[test]
fn empty_and_foreign_files_do_not_stop_the_log() {
    let (world, whole) = written(26, 20, true);
    let copy = copy_of(&world);
    copy.put(&dir().join("99999999999999990000.log"), Vec::new()).unwrap();
    copy.put(&dir().join("00000000000000000000.log.bak"), b"x".to_vec()).unwrap();
    copy.put(&dir().join("notes.txt"), b"x".to_vec()).unwrap();
    let got = read_all(&copy, Offset(0));
    assert_eq!((got.records, got.quarantined), (whole, 0));
}

#[test]
fn a_later_format_is_refused_by_name() {
    let (world, _) = written(27, 5, true);
    let path = world.log_files()[0].clone();
    let mut bytes = world.files.contents(&path).unwrap();
    bytes[8..12].copy_from_slice(&2u32.to_le_bytes());
    let sum = crc32c(&[&bytes[..12], &bytes[16..40]].concat());
    bytes[12..16].copy_from_slice(&sum.to_le_bytes());
    world.files.put(&path, bytes).unwrap();
    let opened = LocalLog::open(Arc::new(world.files), Arc::new(SimClock::new(1)), config(), Offset(0));
    let Err(error @ OpenError::Version { found: 2, supported: 1, .. }) = opened else {
        panic!("a file of version 2 was opened");
    };
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

/// CRC32C bit by bit, as the document says: an independent witness.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0x82F6_3B78 } else { c >> 1 })
    })
}

#[test]
fn a_read_below_the_oldest_record_says_so() {
    let mut world = World::new(28);
    world.open().unwrap();
    for _ in 0..40 {
        world.append().unwrap();
    }
    let end = world.log().durable_end();
    world.log().release(&vec![end; PARTITIONS as usize]);
    let refused = world.log().read(Partition(0), Offset(0), 100);
    assert!(matches!(refused, Err(ReadError::Truncated { from: Offset(0), oldest }) if oldest > Offset(0)));
    assert!(world.log().read(Partition(0), world.log().stats().oldest, 100).is_ok());
}
