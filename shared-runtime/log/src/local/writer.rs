//! Writing groups of records into the newest file, and what happens when that fails.
//!
//! Knows: admission, offsets, one write and one fsync per group, rolling, poison and healing. Must not know: who
//! waits for the outcome, readers. Start at [`Writer::commit`].

mod admission;
mod file;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use runtime_engine::{Offset, Time};
use runtime_files::{Clock, Files};

use self::admission::Admission;
use self::file::Active;
pub(crate) use self::file::cut;
use super::encode::Encoded;
use super::mutation::{Bug, Mutation};
use super::view::{Published, Refusal, View};
use crate::{AppendError, LogConfig};

/// A buffer that grew beyond this is given back after the group.
const BUFFER_BYTES_KEPT: usize = 8 << 20;

/// What every part of the log is given from outside.
#[derive(Clone)]
pub(crate) struct Outside {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: Arc<LogConfig>,
    pub(crate) bug: Bug,
}

/// The writing end of the log; one at a time holds it.
pub(crate) struct Writer {
    outside: Outside,
    /// The file being written; none before the first append, after a roll, and while the log is broken.
    active: Option<Active>,
    /// The next offset to give out. Refused records have used theirs up.
    next: Offset,
    buffer: Vec<u8>,
    /// Why the last file was given up, until a new one could be made.
    broken: Option<Arc<io::Error>>,
    probed_at: Duration,
    /// Poisoned files whose tail could not be cut yet, and the length that is good.
    uncut: Vec<(PathBuf, u64)>,
    closed: bool,
}

/// The requests of a group that were admitted, by their place in it.
type Admitted = Vec<(usize, Vec<Encoded>)>;
/// Outcome of a request.
pub(crate) type Outcome = Result<Vec<Offset>, AppendError>;

impl Writer {
    pub(crate) fn new(outside: Outside, next: Offset) -> Self {
        Self {
            outside,
            active: None,
            next,
            buffer: Vec::new(),
            broken: None,
            probed_at: Duration::ZERO,
            uncut: Vec::new(),
            closed: false,
        }
    }

    /// Makes the requests of a group durable with one write and one fsync; the outcomes are in the order of the group.
    pub(crate) fn commit(&mut self, view: &View, group: Vec<Vec<Encoded>>) -> Vec<Outcome> {
        if self.closed {
            return group.iter().map(|_| Err(AppendError::Closed)).collect();
        }
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(group.len());
        let mut admitted: Admitted = Vec::with_capacity(group.len());
        let mut admission = Admission::new(&self.outside, view.lock().bytes());
        for (place, records) in group.into_iter().enumerate() {
            let verdict = if records.is_empty() { Ok(()) } else { admission.admit(&records) };
            if verdict.is_ok() && !records.is_empty() {
                admitted.push((place, records));
            }
            outcomes.push(verdict.map(|()| Vec::new()));
        }
        let (bytes, refusal) = (admission.admitted_bytes(), admission.refusal());
        if !admitted.is_empty() {
            self.write_admitted(view, admitted, bytes, &mut outcomes);
        }
        let mut state = view.lock();
        if let Some(refusal) = refusal.filter(|_| state.refusal != Refusal::Broken) {
            state.refusal = refusal;
        }
        drop(state);
        outcomes
    }

    /// Writes what was admitted and notes what became of it.
    fn write_admitted(&mut self, view: &View, admitted: Admitted, bytes: u64, outcomes: &mut [Outcome]) {
        let places: Vec<usize> = admitted.iter().map(|(place, _)| *place).collect();
        match self.write(view, admitted, bytes) {
            Ok(offsets) => {
                for (place, offsets) in offsets {
                    if let Some(outcome) = outcomes.get_mut(place) {
                        *outcome = Ok(offsets);
                    }
                }
            }
            Err(source) => {
                for place in places {
                    if let Some(outcome) = outcomes.get_mut(place) {
                        *outcome = Err(AppendError::Poisoned { source: Arc::clone(&source) });
                    }
                }
            }
        }
    }

    /// Writes, syncs and publishes the group.
    fn write(
        &mut self,
        view: &View,
        group: Admitted,
        bytes: u64,
    ) -> Result<Vec<(usize, Vec<Offset>)>, Arc<io::Error>> {
        self.ready_for(view, bytes)?;
        let Some(mut active) = self.active.take() else {
            return Err(Arc::new(io::Error::other("the log has no file to write to")));
        };
        let time = Time(self.outside.clock.now());
        let first = self.next;
        let mut offsets = Vec::with_capacity(group.len());
        let mut records = Vec::new();
        self.buffer.clear();
        for (place, request) in group {
            let start = self.next;
            for record in request {
                record.write(active.base(), self.next, time, &mut self.buffer);
                records.push((self.next, record));
                self.next = self.next.next();
            }
            offsets.push((place, (start.0..self.next.0).map(Offset).collect()));
        }
        let published = |len_bytes| Published { records, time, len_bytes, end: self.next };
        let bug = self.outside.bug;
        if bug.is(Mutation::AckBeforeWrite) {
            view.publish(published(active.len_bytes() + self.buffer.len() as u64));
            drop(active.append(&self.buffer, bug));
            self.active = Some(active);
            return Ok(offsets);
        }
        match active.append(&self.buffer, bug) {
            Ok(()) => {
                view.publish(published(active.len_bytes()));
                active.set_end(self.next);
                self.active = Some(active);
                self.buffer.shrink_to(BUFFER_BYTES_KEPT);
                Ok(offsets)
            }
            Err(error) => {
                if bug.is(Mutation::ReuseRefusedOffsets) {
                    self.next = first;
                }
                Err(self.poison(view, active, error))
            }
        }
    }

    /// Sees to it that there is a file with room for `bytes` more.
    fn ready_for(&mut self, view: &View, bytes: u64) -> Result<(), Arc<io::Error>> {
        let full = |active: &Active| {
            !active.is_empty() && active.len_bytes().saturating_add(bytes) > self.outside.config.file_bytes
        };
        if self.active.as_ref().is_some_and(full) {
            self.seal(view);
        }
        if self.active.is_some() {
            return Ok(());
        }
        if let Some(broken) = &self.broken {
            let since = self.outside.clock.monotonic().saturating_sub(self.probed_at);
            if since < self.outside.config.probe_interval {
                return Err(Arc::clone(broken));
            }
        }
        self.go_on(view)
    }

    /// Makes a new file: its write and fsync are the probe after which a broken log goes on.
    fn go_on(&mut self, view: &View) -> Result<(), Arc<io::Error>> {
        self.probed_at = self.outside.clock.monotonic();
        let outside = &self.outside;
        self.uncut.retain(|(path, len_bytes)| file::cut(outside, path, *len_bytes).is_err());
        let previous_end = view.lock().durable_end;
        match Active::create(&self.outside, self.next, previous_end) {
            Ok((active, file)) => {
                let mut state = view.lock();
                state.files.push_back(file);
                if state.refusal == Refusal::Broken {
                    tracing::info!(file = %active.path().display(), "the log writes again, in a new file");
                    state.refusal = Refusal::None;
                }
                drop(state);
                self.active = Some(active);
                self.broken = None;
                // readers stop at the new file's `previous_end`: what could not be cut is out of sight
                self.uncut.clear();
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "cannot make a new log file; appends are refused");
                view.lock().refusal = Refusal::Broken;
                Err(Arc::clone(self.broken.insert(Arc::new(error))))
            }
        }
    }

    /// Gives a file up: nothing is written to it or synced through its handle again; its refused tail is cut.
    fn poison(&mut self, view: &View, active: Active, error: io::Error) -> Arc<io::Error> {
        tracing::warn!(%error, "a log file is given up after a failed write or sync; appends are refused");
        let error = Arc::new(error);
        if self.outside.bug.is(Mutation::KeepPoisonedFile) {
            self.active = Some(active);
            return error;
        }
        let path = active.path().to_path_buf();
        let (good_len, empty) = (active.len_bytes(), active.is_empty());
        drop(active);
        let removed = empty && self.outside.files.remove(&path).is_ok();
        if !removed && let Err(cut) = file::cut(&self.outside, &path, good_len) {
            tracing::warn!(error = %cut, "cannot cut the tail of a log file; it is tried again");
            self.uncut.push((path, good_len));
        }
        let mut state = view.lock();
        state.counters.poisoned_files += 1;
        state.refusal = Refusal::Broken;
        if removed {
            state.files.pop_back();
        }
        drop(state);
        self.probed_at = self.outside.clock.monotonic();
        Arc::clone(self.broken.insert(error))
    }

    /// Tries to end a refusal.
    pub(crate) fn probe(&mut self, view: &View) {
        if self.closed {
            return;
        }
        let refusal = view.lock().refusal;
        match refusal {
            Refusal::None => {}
            Refusal::LogFull => {
                let mut state = view.lock();
                if state.bytes() < self.outside.config.log_bytes_max {
                    state.refusal = Refusal::None;
                }
            }
            Refusal::DiskFull => {
                if Admission::new(&self.outside, 0).has_disk() {
                    view.lock().refusal = Refusal::None;
                }
            }
            Refusal::Broken => {
                if Admission::new(&self.outside, 0).has_disk() {
                    drop(self.go_on(view));
                }
            }
        }
    }

    /// Never gives out an offset below `floor`; a file's offsets have no gaps, so a new one is begun.
    pub(crate) fn raise_floor(&mut self, view: &View, floor: Offset) {
        if floor > self.next {
            self.seal(view);
            self.next = floor;
        }
        view.raise_end(floor);
    }

    /// Ends the log: every later commit is refused.
    pub(crate) fn close(&mut self, view: &View) {
        self.seal(view);
        self.closed = true;
    }

    /// Ends the newest file with a seal. Its records are durable already, so a failure costs only a scan at open.
    fn seal(&mut self, view: &View) {
        let Some(active) = self.active.take().filter(|active| !active.is_empty()) else { return };
        let mut state = view.lock();
        let Some(spans) = state.files.back().map(|file| file.spans.clone()) else { return };
        drop(state);
        match active.seal(spans.as_slice()) {
            Ok(len_bytes) => {
                state = view.lock();
                if let Some(file) = state.files.back_mut() {
                    file.size_bytes = len_bytes;
                    file.len_bytes = len_bytes;
                }
            }
            Err(error) => tracing::warn!(%error, "cannot seal a log file; it is scanned at the next start"),
        }
    }
}
