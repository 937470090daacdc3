//! The format as released: a file of version 1, and a reader written from `docs/log-format.md` alone.

use std::path::Path;
use std::sync::Arc;

use runtime_engine::{Offset, Partition, Time};
use runtime_files::Files;
use runtime_files::sim::{SimClock, SimFiles};
use runtime_log::{LocalLog, LogReader, NewRecord};

use crate::damage::crc32c;
use crate::world::{config, dir};

const FIXTURE: &[u8] = include_bytes!("../fixtures/00000000000000000007.log");

fn records() -> Vec<NewRecord> {
    let record = |partition, tenant: &str, encoding, payload: &[u8]| NewRecord {
        partition: Partition(partition),
        tenant: tenant.into(),
        encoding,
        payload: payload.to_vec().into(),
    };
    vec![
        record(0, "default", 1, b"short"),
        record(3, "default", 1, b"again and again and again and again and again and again"),
        record(0, "caf\u{e9}", 9, b""),
    ]
}

#[test]
fn this_program_writes_the_released_format() {
    let (files, clock) = (Arc::new(SimFiles::new(1)), Arc::new(SimClock::new(1_700_000_000_123_456_789)));
    let log = LocalLog::open(files.clone(), clock, config(), Offset(7)).unwrap();
    log.append_now(&records()).unwrap();
    log.close();
    let path = dir().join("00000000000000000007.log");
    assert_eq!(files.contents(&path).unwrap(), FIXTURE);
}

#[test]
fn this_program_reads_the_released_format() {
    let files = Arc::new(SimFiles::new(1));
    files.create_dir_all(&dir()).unwrap();
    files.put(&dir().join(Path::new("00000000000000000007.log")), FIXTURE.to_vec()).unwrap();
    let log = LocalLog::open(files, Arc::new(SimClock::new(1)), config(), Offset(0)).unwrap();
    assert_eq!((log.stats().oldest, log.durable_end()), (Offset(7), Offset(10)));
    let mut read = Vec::new();
    for partition in [0, 3].map(Partition) {
        read.extend(log.read(partition, Offset(7), 1 << 20).unwrap().records);
    }
    read.sort_by_key(|record| record.offset);
    for (n, (got, sent)) in read.iter().zip(records()).enumerate() {
        assert_eq!((got.offset, got.time), (Offset(7 + n as u64), Time(1_700_000_000_123_456_789)));
        assert_eq!((&got.tenant, got.encoding), (&sent.tenant, sent.encoding));
        assert_eq!(got.payload, sent.payload);
    }
    assert_eq!(read.len(), 3);
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[test]
fn a_stranger_reads_the_fixture_by_the_document() {
    assert_eq!(&FIXTURE[..8], b"yc-log\r\n");
    assert_eq!(u32_at(FIXTURE, 8), 1);
    assert_eq!(u32_at(FIXTURE, 12), crc32c(&[&FIXTURE[..12], &FIXTURE[16..40]].concat()));
    assert_eq!((u64_at(FIXTURE, 16), u64_at(FIXTURE, 24)), (7, 7));
    let mut at = 40;
    for (n, sent) in records().iter().enumerate() {
        let header = &FIXTURE[at..at + 44];
        assert_eq!(header[..4], [0xD7, 0x79, 0x63, 0x72]);
        assert_eq!(u32_at(header, 4), crc32c(&[&7u64.to_le_bytes(), &header[8..]].concat()));
        assert_eq!(u64_at(header, 8), 7 + n as u64);
        assert_eq!(u32_at(header, 24), sent.partition.0);
        assert_eq!(u32_at(header, 28) as usize, sent.payload.len());
        let (tenant, stored) = (usize::from(header[40]), u32_at(header, 32) as usize);
        let body = &FIXTURE[at + 44..at + 44 + tenant + stored];
        assert_eq!(u32_at(header, 36), crc32c(body));
        assert_eq!(&body[..tenant], sent.tenant.as_bytes());
        assert_eq!(header[42], sent.encoding);
        // only the repetitive payload is smaller as an LZ4 block
        assert_eq!(header[43], u8::from(n == 1));
        if header[43] == 0 {
            assert_eq!(&body[tenant..], &sent.payload);
        }
        at += 44 + body.len();
    }
    let seal = &FIXTURE[at..];
    assert_eq!((u64_at(seal, 8), seal[43]), (10, 2));
    assert_eq!((u32_at(seal, 44), u32_at(seal, 48), u64_at(seal, 52), u64_at(seal, 60)), (0, 2, 7, 9));
    assert_eq!((u32_at(seal, 68), u32_at(seal, 72), u64_at(seal, 76), u64_at(seal, 84)), (3, 1, 8, 8));
    assert_eq!(u32_at(seal, 92) as usize, seal.len());
    assert_eq!(&seal[96..], b"yc.\n");
}
