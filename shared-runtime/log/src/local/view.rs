//! What the writer shows to readers and to whoever asks for numbers.
//!
//! Knows: the list of files, the durable end, the tail in memory, counters. Must not know: how files are written or
//! read; no IO happens under its lock. Start at [`View`].

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use runtime_engine::{Offset, Partition, Time};

use super::encode::Encoded;
use super::ranges::Ranges;
use super::spans::Spans;
use super::tail::Tail;
use crate::LogStats;

/// One file of the log.
#[derive(Debug, Clone)]
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    /// Offset of its first record.
    pub(crate) base: Offset,
    /// Every acknowledged offset below `base` is below this.
    pub(crate) previous_end: Offset,
    /// Right after its last durable record; `previous_end` while it has none.
    pub(crate) end: Offset,
    /// Bytes that readers may look at.
    pub(crate) len_bytes: u64,
    /// Bytes that it takes on the disk.
    pub(crate) size_bytes: u64,
    pub(crate) spans: Spans,
    /// Whether it has damage that belongs to no partition in particular: then no reader may pass over it.
    pub(crate) damaged: bool,
}

/// Why appends are refused at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// They are not.
    #[default]
    None,
    /// The byte limit.
    LogFull,
    /// The reserve of the disk.
    DiskFull,
    /// A write or a sync failed.
    Broken,
}

/// Counters since the log was opened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counters {
    pub(crate) poisoned_files: u64,
    pub(crate) cut_tail_bytes: u64,
    pub(crate) commits: u64,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

/// Under the lock.
#[derive(Debug)]
pub(crate) struct State {
    /// Oldest first; the last one is being written, or was the last to be.
    pub(crate) files: VecDeque<LogFile>,
    /// First offset that can be read.
    pub(crate) oldest: Offset,
    pub(crate) durable_end: Offset,
    pub(crate) tail: Tail,
    /// Acknowledged offsets that no file has.
    pub(crate) missing: Ranges,
    /// Everything found missing or damaged.
    pub(crate) quarantined: Ranges,
    /// Root offsets by partition, as of the last release.
    pub(crate) roots: Vec<Offset>,
    pub(crate) refusal: Refusal,
    pub(crate) counters: Counters,
    pub(crate) closed: bool,
}

impl State {
    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }

    /// Offsets from the old end to `floor` existed once, as a root says: they are missing.
    pub(crate) fn raise_end(&mut self, floor: Offset) {
        if floor > self.durable_end {
            if !self.files.is_empty() {
                self.missing.insert(self.durable_end..floor);
                self.quarantined.insert(self.durable_end..floor);
            } else {
                self.oldest = floor;
            }
            self.durable_end = floor;
        }
    }

    /// The partition whose root holds the oldest file back.
    fn oldest_holder(&self) -> Option<Partition> {
        let end = self.files.front()?.end;
        let (number, root) = self.roots.iter().enumerate().min_by_key(|(_, root)| **root)?;
        (*root < end).then(|| u32::try_from(number).ok().map(Partition)).flatten()
    }
}

/// One durable group.
pub(crate) struct Published {
    pub(crate) records: Vec<(Offset, Encoded)>,
    pub(crate) time: Time,
    /// New length of the newest file.
    pub(crate) len_bytes: u64,
    pub(crate) end: Offset,
}

/// The lock and the bell.
#[derive(Debug)]
pub(crate) struct View {
    state: Mutex<State>,
    grown: Condvar,
}

impl View {
    pub(crate) fn new(state: State) -> Self {
        Self { state: Mutex::new(state), grown: Condvar::new() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a durable group to readers.
    pub(crate) fn publish(&self, group: Published) {
        let mut guard = self.lock();
        let state = &mut *guard;
        if let Some(file) = state.files.back_mut() {
            file.len_bytes = group.len_bytes;
            file.size_bytes = group.len_bytes;
            file.end = group.end;
            for (offset, record) in &group.records {
                file.spans.add(record.partition, *offset);
            }
        }
        state.counters.commits += 1;
        for (offset, record) in group.records {
            state.counters.records += 1;
            state.counters.bytes += record.payload.len() as u64;
            state.tail.push(record.partition, record.into_record(offset, group.time));
        }
        state.durable_end = group.end;
        state.refusal = Refusal::None;
        drop(guard);
        self.grown.notify_all();
    }

    /// Raises the durable end to `floor`.
    pub(crate) fn raise_end(&self, floor: Offset) {
        self.lock().raise_end(floor);
        self.grown.notify_all();
    }

    /// Lets every waiting reader go.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.grown.notify_all();
    }

    /// Blocks until the durable end is past `seen`, the log is closed, or the time is over.
    pub(crate) fn wait(&self, seen: Offset, timeout: Duration) -> Offset {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        while state.durable_end <= seen && !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (state, _) = self.grown.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
        state.durable_end
    }

    pub(crate) fn stats(&self, limit_bytes: u64) -> LogStats {
        let state = self.lock();
        LogStats {
            bytes: state.bytes(),
            limit_bytes,
            files: state.files.len(),
            oldest: state.oldest,
            oldest_file_end: state.files.front().map_or(state.durable_end, |file| file.end),
            oldest_holder: state.oldest_holder(),
            durable_end: state.durable_end,
            poisoned_files: state.counters.poisoned_files,
            quarantined_records: state.quarantined.count(),
            cut_tail_bytes: state.counters.cut_tail_bytes,
            commits: state.counters.commits,
            appended_records: state.counters.records,
            appended_bytes: state.counters.bytes,
            writable: state.refusal == Refusal::None && !state.closed,
        }
    }
}
