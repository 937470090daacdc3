//! Reading one partition: from the tail in memory, else from files.
//!
//! Knows: which file comes next, what counts as damage. Must not know: the writer. Start at [`Reading::read`].

use std::io;
use std::ops::Range;
use std::sync::Arc;

use runtime_engine::{Offset, Partition};

use super::cache::{Cache, Loaded};
use super::encode::decode;
use super::format::{RECORD_HEADER_BYTES, RecordHeader};
use super::mutation::Mutation;
use super::scan::Found;
use super::tail::FromTail;
use super::view::{LogFile, View};
use super::writer::Outside;
use crate::{Batch, OwnedRecord, ReadError};

/// One read under way.
pub(crate) struct Reading<'a> {
    pub(crate) outside: &'a Outside,
    pub(crate) view: &'a View,
    pub(crate) cache: &'a Cache,
    pub(crate) partition: Partition,
    pub(crate) bytes_max: usize,
}

/// Where a read goes on.
enum Step {
    /// Here is the answer.
    Done(Batch),
    /// This file may have records.
    File(Box<LogFile>),
}

/// What came out of one file.
struct FromFile {
    records: Vec<OwnedRecord>,
    /// Damaged offsets that may have been the partition's.
    damaged: Vec<Range<Offset>>,
    next: Offset,
}

impl Reading<'_> {
    /// Records from `from` on.
    pub(crate) fn read(&self, from: Offset) -> Result<Batch, ReadError> {
        let mut at = from;
        let mut damaged = 0;
        loop {
            let file = match self.step(&mut at, &mut damaged)? {
                Step::Done(batch) => return Ok(batch),
                Step::File(file) => file,
            };
            let part = match self.cache.get(self.outside, &file) {
                Ok(loaded) => self.take(&file, &loaded, at),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    self.is_wanted(&file, at)?;
                    FromFile {
                        records: Vec::new(),
                        damaged: vec![at.max(file.base)..file.end],
                        next: file.end,
                    }
                }
                Err(e) => return Err(e.into()),
            };
            let mut state = self.view.lock();
            for range in part.damaged {
                damaged += range.end.0.saturating_sub(range.start.0);
                if !state.quarantined.contains(range.clone()) {
                    tracing::warn!(
                        file = %file.path.display(), from = %range.start, to = %range.end,
                        "log records are damaged; they are left where they are and passed over"
                    );
                    state.quarantined.insert(range);
                }
            }
            at = part.next.max(at);
            if !part.records.is_empty() {
                let durable_end = state.durable_end;
                return Ok(Batch { records: part.records, next: at, durable_end, damaged });
            }
        }
    }

    /// Looks into the tail, then for the file that holds `at`; moves `at` over what needs no reading.
    fn step(&self, at: &mut Offset, damaged: &mut u64) -> Result<Step, ReadError> {
        let mut guard = self.view.lock();
        let state = &mut *guard;
        let durable_end = state.durable_end;
        if let FromTail::Records(records, next) =
            state.tail.read(self.partition, *at, self.bytes_max, durable_end)
        {
            let next = next.max(*at);
            *damaged += state.missing.count_in(*at..next);
            drop(guard);
            self.cache.age(self.outside);
            return Ok(Step::Done(Batch { records, next, durable_end, damaged: *damaged }));
        }
        if *at < state.oldest {
            return Err(ReadError::Truncated { from: *at, oldest: state.oldest });
        }
        let first = state.files.partition_point(|file| file.end <= *at);
        for file in state.files.range(first..) {
            if file.damaged || file.spans.reaches(self.partition, *at) {
                let start = file.base.max(*at).min(file.end);
                *damaged += state.missing.count_in(*at..start);
                *at = start;
                return Ok(Step::File(Box::new(file.clone())));
            }
        }
        *damaged += state.missing.count_in(*at..durable_end);
        let next = durable_end.max(*at);
        Ok(Step::Done(Batch { records: Vec::new(), next, durable_end, damaged: *damaged }))
    }

    /// A file that is gone is damage, unless it was released meanwhile.
    fn is_wanted(&self, file: &LogFile, from: Offset) -> Result<(), ReadError> {
        let state = self.view.lock();
        let listed = state.files.iter().any(|listed| listed.base == file.base);
        let released = state.roots.iter().min().is_some_and(|lowest| file.end <= *lowest);
        if listed && !released {
            return Ok(());
        }
        Err(ReadError::Truncated { from, oldest: state.oldest.max(file.end) })
    }

    /// The partition's records of a file from `from` on.
    fn take(&self, file: &LogFile, loaded: &Loaded, from: Offset) -> FromFile {
        let found = &loaded.scan.records;
        let start = found.partition_point(|record| record.offset < from);
        let mut out = FromFile { records: Vec::new(), damaged: Vec::new(), next: file.end };
        let (mut bytes, mut tenants) = (0, None);
        for record in found.get(start..).unwrap_or_default() {
            if record.offset >= file.end {
                break;
            }
            if record.partition != self.partition {
                continue;
            }
            let Some(header) =
                RecordHeader::decode(file.base, loaded.bytes.get(record.at..).unwrap_or_default())
            else {
                continue;
            };
            let payload_len = usize::try_from(header.payload_len).unwrap_or(usize::MAX);
            if !out.records.is_empty() && payload_len > self.bytes_max.saturating_sub(bytes) {
                out.next = record.offset;
                break;
            }
            match self.body(&header, record, loaded, &mut tenants) {
                Some(record) => {
                    bytes += record.payload.len();
                    out.records.push(record);
                }
                None => out.damaged.push(record.offset..record.offset.next()),
            }
        }
        let lost_end = loaded.scan.end.max(file.base)..file.end;
        for gap in loaded.scan.damaged.iter().chain([&lost_end]) {
            let gap = gap.start.max(from)..gap.end.min(out.next);
            if gap.start < gap.end {
                out.damaged.push(gap);
            }
        }
        out
    }

    fn body(
        &self,
        header: &RecordHeader,
        record: &Found,
        loaded: &Loaded,
        tenants: &mut Option<Arc<str>>,
    ) -> Option<OwnedRecord> {
        let start = record.at + RECORD_HEADER_BYTES;
        let body = loaded.bytes.get(start..start.checked_add(header.body_len())?)?;
        if self.outside.bug.is(Mutation::SkipBodySum) {
            let header = RecordHeader { body_crc: crc32c::crc32c(body), ..*header };
            return decode(&header, body, tenants);
        }
        decode(header, body, tenants)
    }
}
