//! The log against a simple model: a map for each partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use runtime_engine::{Offset, Partition};
use runtime_files::sim::{SimClock, SimFiles};
use runtime_log::{LocalLog, LogReader, NewRecord};

use crate::world::config;

#[derive(Debug, Clone)]
enum Action {
    Append(Vec<(u32, u8, usize)>),
    Read { partition: u32, back: u64, bytes_max: usize },
    Release(u64),
    Reopen { clean: bool },
    Raise(u64),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => prop::collection::vec((0u32..4, any::<u8>(), 0usize..400), 1..5).prop_map(Action::Append),
        6 => (0u32..4, 0u64..60, 0usize..900)
            .prop_map(|(partition, back, bytes_max)| Action::Read { partition, back, bytes_max }),
        1 => (0u64..20).prop_map(Action::Release),
        1 => any::<bool>().prop_map(|clean| Action::Reopen { clean }),
        1 => (0u64..3).prop_map(Action::Raise),
    ]
}

struct Tested {
    files: SimFiles,
    log: LocalLog,
    model: BTreeMap<Offset, NewRecord>,
    root: Offset,
    /// Offsets that a raised floor skipped.
    skipped: Vec<std::ops::Range<u64>>,
}

fn open(files: &SimFiles, floor: Offset) -> LocalLog {
    LocalLog::open(Arc::new(files.clone()), Arc::new(SimClock::new(5)), config(), floor).unwrap()
}

impl Tested {
    fn run(&mut self, action: Action) -> Result<(), TestCaseError> {
        match action {
            Action::Append(records) => self.append(records)?,
            Action::Read { partition, back, bytes_max } => {
                let end = self.log.durable_end();
                let from = Offset(end.0.saturating_sub(back)).max(self.log.stats().oldest);
                self.read(Partition(partition), from, bytes_max)?;
            }
            Action::Release(back) => {
                self.root = self.root.max(Offset(self.log.durable_end().0.saturating_sub(back)));
                self.log.release(&[self.root; 4]);
                prop_assert!(self.log.stats().oldest <= self.root);
            }
            Action::Reopen { clean } => {
                if clean {
                    self.log.close();
                }
                self.files = self.files.reboot();
                let end = self.log.durable_end();
                self.log = open(&self.files, self.root);
                prop_assert_eq!(self.log.durable_end(), end);
            }
            Action::Raise(by) => {
                let end = self.log.durable_end().0;
                self.log.raise_floor(Offset(end + by));
                self.root = Offset(end + by);
                if by > 0 {
                    self.skipped.push(end..end + by);
                }
            }
        }
        Ok(())
    }

    fn append(&mut self, records: Vec<(u32, u8, usize)>) -> Result<(), TestCaseError> {
        let new = |(partition, byte, len): (u32, u8, usize)| NewRecord {
            partition: Partition(partition),
            tenant: if byte % 3 == 0 { "other".into() } else { "default".into() },
            encoding: byte,
            payload: (0..len).map(|n| byte.wrapping_mul(n as u8 | 1)).collect::<Vec<u8>>().into(),
        };
        let records: Vec<NewRecord> = records.into_iter().map(new).collect();
        let offsets = self.log.append_now(&records).unwrap();
        for (offset, record) in offsets.into_iter().zip(records) {
            prop_assert!(self.model.last_key_value().is_none_or(|(last, _)| *last < offset));
            prop_assert!(offset >= self.root);
            self.model.insert(offset, record);
        }
        Ok(())
    }

    fn read(&self, partition: Partition, from: Offset, bytes_max: usize) -> Result<(), TestCaseError> {
        let (mut at, mut got, mut damaged) = (from, Vec::new(), 0);
        loop {
            let batch = self.log.read(partition, at, bytes_max).unwrap();
            let bytes: usize = batch.records.iter().map(|r| r.payload.len()).sum();
            let first = batch.records.first().map_or(0, |r| r.payload.len());
            prop_assert!(bytes <= bytes_max.max(first));
            prop_assert!(batch.next >= at && batch.durable_end == self.log.durable_end());
            damaged += batch.damaged;
            at = batch.next;
            if batch.records.is_empty() {
                break;
            }
            got.extend(batch.records);
        }
        prop_assert_eq!(at, self.log.durable_end().max(from));
        let expected: Vec<_> =
            self.model.range(from..).filter(|(_, record)| record.partition == partition).collect();
        prop_assert_eq!(got.len(), expected.len());
        for (got, (offset, record)) in got.iter().zip(expected) {
            prop_assert_eq!(got.offset, *offset);
            prop_assert_eq!((&got.tenant, got.encoding), (&record.tenant, record.encoding));
            prop_assert_eq!(&got.payload, &record.payload);
        }
        // a floor above the end means that records are missing: said once, to whoever reads over the hole
        let overlap = |hole: &std::ops::Range<u64>| hole.end.saturating_sub(hole.start.max(from.0));
        prop_assert_eq!(damaged, self.skipped.iter().map(overlap).sum::<u64>());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_behaves_like_a_map(actions in prop::collection::vec(action(), 1..60)) {
        let files = SimFiles::new(1);
        let log = open(&files, Offset(0));
        let mut tested =
            Tested { files, log, model: BTreeMap::new(), root: Offset(0), skipped: Vec::new() };
        for action in actions {
            tested.run(action)?;
        }
    }
}
