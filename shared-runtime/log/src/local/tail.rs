//! The newest durable records in memory, so that live readers never touch a file.
//!
//! Knows: records by partition, a byte bound. Must not know: files. Start at [`Tail::read`].

use std::collections::{HashMap, VecDeque};

use runtime_engine::{Offset, Partition};

use crate::OwnedRecord;

/// Memory that a record takes beside its payload, about.
const RECORD_OVERHEAD_BYTES: usize = 64;

/// One partition's part.
#[derive(Debug)]
struct Recent {
    records: VecDeque<OwnedRecord>,
    /// From here on it is complete.
    from: Offset,
}

/// Recent records of all partitions.
#[derive(Debug)]
pub(crate) struct Tail {
    partitions: HashMap<Partition, Recent>,
    /// Whose record is the oldest, the next, …; entries of records that were dropped early are passed over.
    order: VecDeque<(Partition, Offset)>,
    records: usize,
    bytes: usize,
    bytes_max: usize,
    /// From here on partitions that are not in the map are complete too: they have nothing.
    from: Offset,
}

/// What the tail can say to a read.
pub(crate) enum FromTail {
    /// These records, and where to go on.
    Records(Vec<OwnedRecord>, Offset),
    /// It does not reach back that far.
    TooOld,
}

impl Tail {
    /// An empty tail that is complete from `from` on.
    pub(crate) fn new(from: Offset, bytes_max: usize) -> Self {
        Self { partitions: HashMap::new(), order: VecDeque::new(), records: 0, bytes: 0, bytes_max, from }
    }

    /// Adds a durable record, the highest so far.
    pub(crate) fn push(&mut self, partition: Partition, record: OwnedRecord) {
        self.bytes += weight(&record);
        self.records += 1;
        self.order.push_back((partition, record.offset));
        let from = self.from;
        let recent =
            self.partitions.entry(partition).or_insert_with(|| Recent { records: VecDeque::new(), from });
        recent.records.push_back(record);
        while self.bytes > self.bytes_max {
            let Some((partition, offset)) = self.order.pop_front() else { break };
            self.drop_below(partition, offset.next());
            self.from = self.from.max(offset.next());
        }
        // live readers drop records out of order: keep the list of owners in proportion
        if self.order.len() > 2 * self.records + 64 {
            let partitions = &self.partitions;
            self.order.retain(|(p, offset)| partitions.get(p).is_some_and(|recent| recent.from <= *offset));
        }
    }

    /// Records of a partition from `from` on, and forgets those below: its reader has them.
    pub(crate) fn read(
        &mut self,
        partition: Partition,
        from: Offset,
        bytes_max: usize,
        durable_end: Offset,
    ) -> FromTail {
        let Some(recent) = self.partitions.get(&partition) else {
            if from < self.from {
                return FromTail::TooOld;
            }
            return FromTail::Records(Vec::new(), durable_end);
        };
        if from < recent.from {
            return FromTail::TooOld;
        }
        self.drop_below(partition, from);
        let mut out = Vec::new();
        let mut bytes = 0;
        for record in self.partitions.get(&partition).into_iter().flat_map(|recent| &recent.records) {
            if !out.is_empty() && bytes + record.payload.len() > bytes_max {
                return FromTail::Records(out, record.offset);
            }
            bytes += record.payload.len();
            out.push(record.clone());
        }
        FromTail::Records(out, durable_end)
    }

    fn drop_below(&mut self, partition: Partition, end: Offset) {
        let Some(recent) = self.partitions.get_mut(&partition) else { return };
        while let Some(first) = recent.records.pop_front_if(|first| first.offset < end) {
            self.bytes = self.bytes.saturating_sub(weight(&first));
            self.records = self.records.saturating_sub(1);
            recent.from = recent.from.max(first.offset.next());
        }
    }
}

fn weight(record: &OwnedRecord) -> usize {
    record.payload.len() + RECORD_OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime_engine::Time;

    fn record(offset: u64) -> OwnedRecord {
        let payload = bytes::Bytes::from_static(b"0123456789");
        OwnedRecord { offset: Offset(offset), time: Time(0), tenant: "t".into(), encoding: 1, payload }
    }

    fn offsets(tail: &mut Tail, partition: u32, from: u64, bytes_max: usize) -> Option<(Vec<u64>, u64)> {
        match tail.read(Partition(partition), Offset(from), bytes_max, Offset(1000)) {
            FromTail::Records(records, next) => Some((records.iter().map(|r| r.offset.0).collect(), next.0)),
            FromTail::TooOld => None,
        }
    }

    #[test]
    fn a_reader_gets_its_own_records_as_far_back_as_the_tail_reaches() {
        let mut tail = Tail::new(Offset(5), 4 * (10 + RECORD_OVERHEAD_BYTES));
        assert_eq!(offsets(&mut tail, 0, 4, 99), None);
        assert_eq!(offsets(&mut tail, 0, 5, 99), Some((vec![], 1000)));
        for offset in 5..9 {
            tail.push(Partition(u32::from(offset % 2 == 0)), record(offset));
        }
        assert_eq!(offsets(&mut tail, 1, 5, 99), Some((vec![6, 8], 1000)));
        assert_eq!(offsets(&mut tail, 1, 5, 10), Some((vec![6], 8)));
        tail.push(Partition(1), record(9));
        assert_eq!(offsets(&mut tail, 0, 5, 99), None, "5 was dropped for 9");
        assert_eq!(offsets(&mut tail, 0, 6, 99), Some((vec![7], 1000)));
        assert_eq!(offsets(&mut tail, 1, 8, 99), Some((vec![8, 9], 1000)));
        assert_eq!(offsets(&mut tail, 1, 6, 99), None, "its reader had been past it");
        assert_eq!(offsets(&mut tail, 2, 5, 99), None, "5 might have been its own");
        assert_eq!(offsets(&mut tail, 2, 6, 99), Some((vec![], 1000)));
    }

    #[test]
    fn a_tail_stays_small_while_one_reader_sleeps() {
        let bytes_max = 100 * (10 + RECORD_OVERHEAD_BYTES);
        let mut tail = Tail::new(Offset(0), bytes_max);
        for offset in 0..100_000 {
            tail.push(Partition(u32::from(offset % 1000 == 0)), record(offset));
            assert!(offsets(&mut tail, 0, offset, 99).is_some());
            assert!(tail.bytes <= bytes_max && tail.order.len() <= 2 * tail.records + 68);
        }
    }
}
