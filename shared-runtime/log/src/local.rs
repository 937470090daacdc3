//! The embedded medium: one sequence of files for all partitions of a store.
//!
//! Knows: how its rooms are wired. Must not know: payloads. Start at [`LocalLog`]; `format` draws the bytes (also
//! `docs/log-format.md`), `writer` makes groups durable, `recover` reads a directory back, `view` is what readers see.

mod cache;
mod commit;
mod encode;
mod format;
mod mutation;
mod queue;
mod ranges;
mod read;
mod recover;
mod scan;
mod spans;
mod tail;
mod view;
mod writer;

use std::any::Any;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use runtime_engine::{Offset, Partition};
use runtime_files::{Clock, Files};

use self::cache::Cache;
use self::encode::Encoded;
use self::mutation::Bug;
#[cfg(feature = "mutations")]
pub use self::mutation::Mutation;
#[cfg(not(feature = "mutations"))]
use self::mutation::Mutation;
use self::queue::{Queue, Request};
use self::read::Reading;
use self::tail::Tail;
use self::view::{Counters, Refusal, State, View};
use self::writer::{Outcome, Outside, Writer};
use crate::{
    AppendDone, AppendError, Batch, LogConfig, LogReader, LogStats, LogWriter, NewRecord, OpenError,
    ReadError,
};

/// What the handles and the commit thread share.
struct Shared {
    outside: Outside,
    view: View,
    writer: Mutex<Writer>,
    queue: Queue,
    cache: Cache,
    /// The directory's lock, given back by `close`.
    lock: Mutex<Option<Box<dyn Any + Send + Sync>>>,
}

impl Shared {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the commit thread with the last handle.
struct Handle {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Whether appends go through the queue.
    started: AtomicBool,
}

impl Handle {
    fn thread(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes no more appends and waits until those that wait are committed.
    fn stop(&self) {
        self.shared.queue.close();
        let running = self.thread().take();
        // a caller may drop the last handle when it is told an outcome, on the thread itself
        if let Some(running) = running.filter(|running| running.thread().id() != thread::current().id())
            && running.join().is_err()
        {
            tracing::error!("BUG: the commit thread of the log panicked");
        }
        self.shared.view.close();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A log in a local directory; clones share it. It stops with its last clone; [`LocalLog::close`] also seals the
/// newest file, which saves a scan at the next start.
#[derive(Clone)]
pub struct LocalLog {
    handle: Arc<Handle>,
}

impl LocalLog {
    /// Opens or makes the log of `config.dir`: locks the directory, cuts a torn tail, counts damage, and never gives
    /// out an offset below `floor`, the highest offset of any root.
    ///
    /// # Errors
    /// When the directory is locked, of another version, or fails.
    pub fn open(
        files: Arc<dyn Files>,
        clock: Arc<dyn Clock>,
        config: LogConfig,
        floor: Offset,
    ) -> Result<Self, OpenError> {
        Self::open_with(Outside { files, clock, config: Arc::new(config), bug: Bug::default() }, floor)
    }

    /// Opens a log with a bug.
    ///
    /// # Errors
    /// As [`LocalLog::open`].
    #[cfg(feature = "mutations")]
    pub fn open_mutated(
        files: Arc<dyn Files>,
        clock: Arc<dyn Clock>,
        config: LogConfig,
        floor: Offset,
        mutation: Option<Mutation>,
    ) -> Result<Self, OpenError> {
        Self::open_with(Outside { files, clock, config: Arc::new(config), bug: Bug { mutation } }, floor)
    }

    fn open_with(mut outside: Outside, floor: Offset) -> Result<Self, OpenError> {
        let config = Arc::make_mut(&mut outside.config);
        // the newest file is never released: a full log must have others to release
        config.file_bytes = config.file_bytes.min(config.log_bytes_max / 4);
        let dir = &outside.config.dir;
        outside.files.create_dir_all(dir)?;
        let lock = outside.files.lock(&dir.join("LOCK")).map_err(|source| {
            if source.kind() == io::ErrorKind::WouldBlock {
                OpenError::Locked { dir: dir.clone(), source }
            } else {
                OpenError::Io(source)
            }
        })?;
        let found = recover::recover(&outside)?;
        let mut state = State {
            oldest: found.files.front().map_or(found.end, |file| file.previous_end),
            files: found.files,
            durable_end: found.end,
            tail: Tail::new(Offset(0), 0),
            missing: found.missing,
            quarantined: found.quarantined,
            roots: Vec::new(),
            refusal: Refusal::None,
            counters: Counters { cut_tail_bytes: found.cut_tail_bytes, ..Counters::default() },
            closed: false,
        };
        let mut next = found.next;
        if !outside.bug.is(Mutation::IgnoreFloor) {
            state.raise_end(floor);
            next = next.max(floor);
        }
        state.tail = Tail::new(state.durable_end, outside.config.tail_bytes_max);
        tracing::debug!(
            dir = %dir.display(), files = state.files.len(), end = %state.durable_end, "the log is open"
        );
        let shared = Shared {
            view: View::new(state),
            writer: Mutex::new(Writer::new(outside.clone(), next)),
            outside,
            queue: Queue::default(),
            cache: Cache::default(),
            lock: Mutex::new(Some(lock)),
        };
        Ok(Self {
            handle: Arc::new(Handle {
                shared: Arc::new(shared),
                thread: Mutex::new(None),
                started: AtomicBool::new(false),
            }),
        })
    }

    /// Starts the one commit thread, once, and gives both sides of the log. Until then, appends are written and
    /// synced on the thread that calls: so simulations stay deterministic.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(&self) -> io::Result<(Arc<dyn LogWriter>, Arc<dyn LogReader>)> {
        let mut thread = self.handle.thread();
        if !self.handle.started.load(Ordering::Acquire) {
            let shared = Arc::clone(&self.handle.shared);
            let run = move || commit::run(&shared);
            *thread = Some(thread::Builder::new().name("log-commit".to_owned()).spawn(run)?);
            self.handle.started.store(true, Ordering::Release);
        }
        drop(thread);
        Ok((Arc::new(self.clone()), Arc::new(self.clone())))
    }

    /// Appends on the calling thread: one write, one fsync.
    ///
    /// # Errors
    /// As [`AppendError`] says.
    pub fn append_now(&self, records: &[NewRecord]) -> Result<Vec<Offset>, AppendError> {
        self.commit_now(self.encode(records.to_vec())?)
    }

    /// Never gives out an offset below `floor` from now on.
    pub fn raise_floor(&self, floor: Offset) {
        self.shared().writer().raise_floor(&self.shared().view, floor);
    }

    /// Tells the root offset of every partition, by its number: files wholly below the lowest go, except the newest.
    pub fn release(&self, partition_offsets: &[Offset]) {
        let outside = &self.shared().outside;
        let lowest = if outside.bug.is(Mutation::ReleaseTooMuch) {
            partition_offsets.iter().max()
        } else {
            partition_offsets.iter().min()
        };
        let Some(lowest) = lowest.copied() else { return };
        self.shared().view.lock().roots = partition_offsets.to_vec();
        while let Some((path, end)) = self.oldest_below(lowest) {
            // one after another, each durably: after a power loss the log has no hole
            let removed = match outside.files.remove(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
                _ => outside.files.sync_dir(&outside.config.dir),
            };
            if let Err(error) = removed {
                tracing::warn!(%error, "cannot remove a released log file; it is tried again at the next release");
                return;
            }
            let mut state = self.shared().view.lock();
            state.files.pop_front();
            state.oldest = state.files.front().map_or(end, |file| file.previous_end);
            let oldest = state.oldest;
            state.missing.forget_below(oldest);
            if state.refusal == Refusal::LogFull && state.bytes() < outside.config.log_bytes_max {
                state.refusal = Refusal::None;
            }
        }
    }

    fn oldest_below(&self, lowest: Offset) -> Option<(std::path::PathBuf, Offset)> {
        let state = self.shared().view.lock();
        let files: &VecDeque<_> = &state.files;
        let file = files.front().filter(|file| files.len() > 1 && file.end <= lowest)?;
        Some((file.path.clone(), file.end))
    }

    /// A log that refuses appends tries whether it can write again. The commit thread does it by itself.
    pub fn probe(&self) {
        self.shared().writer().probe(&self.shared().view);
    }

    /// Numbers.
    #[must_use]
    pub fn stats(&self) -> LogStats {
        self.shared().view.stats(self.shared().outside.config.log_bytes_max)
    }

    /// Takes no more appends, commits those that wait, seals the newest file and gives the directory back. Reads go
    /// on.
    pub fn close(&self) {
        self.handle.stop();
        self.shared().writer().close(&self.shared().view);
        drop(self.shared().lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    fn encode(&self, records: Vec<NewRecord>) -> Result<Vec<Encoded>, AppendError> {
        let limit = self.shared().outside.config.record_bytes_max;
        records.into_iter().map(|record| Encoded::new(record, limit)).collect()
    }

    fn commit_now(&self, records: Vec<Encoded>) -> Outcome {
        let outcomes = self.shared().writer().commit(&self.shared().view, vec![records]);
        outcomes.into_iter().next().unwrap_or(Err(AppendError::Closed))
    }

    /// Queues an append, or commits it at once when there is no commit thread.
    fn submit(&self, records: Vec<NewRecord>, done: AppendDone) -> Result<(), (AppendDone, AppendError)> {
        let bytes_max = self.shared().outside.config.queue_bytes_max;
        let encoded = match self.shared().queue.check(bytes_max).and_then(|()| self.encode(records)) {
            Ok(encoded) => encoded,
            Err(e) => return Err((done, e)),
        };
        if !self.handle.started.load(Ordering::Acquire) {
            done(self.commit_now(encoded));
            return Ok(());
        }
        let pushed = self.shared().queue.push(Request { records: encoded, done }, bytes_max);
        pushed.map_err(|(request, e)| (request.done, e))
    }
}

impl LogWriter for LocalLog {
    fn append(&self, records: Vec<NewRecord>, done: AppendDone) {
        if let Err((done, refused)) = self.submit(records, done) {
            done(Err(refused));
        }
    }
}

impl LogReader for LocalLog {
    fn read(&self, partition: Partition, from: Offset, bytes_max: usize) -> Result<Batch, ReadError> {
        let Shared { outside, view, cache, .. } = self.shared();
        Reading { outside, view, cache, partition, bytes_max }.read(from)
    }

    fn durable_end(&self) -> Offset {
        self.shared().view.lock().durable_end
    }

    fn wait(&self, seen: Offset, timeout: Duration) -> Offset {
        self.shared().view.wait(seen, timeout)
    }
}
