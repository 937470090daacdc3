//! The shell: threads, appends and waits around the partitions of a store.
//!
//! Knows: who runs when. Must not know: how a step works ([`crate::Holder`]). Start at [`Store::open`]; threads are in
//! `store/workers.rs`, admission in `store/gate.rs`, the end in `store/drain.rs`.

mod bell;
mod drain;
mod gate;
mod shared;
mod workers;

use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use runtime_engine::{Engine, Offset, Partition, Position, Snapshot};
use runtime_log::NewRecord;

use crate::env::lock;
use crate::{
    AppendError, Budget, Holder, HolderState, Media, NotReached, OpenError, StoreConfig, StoreStats,
};
use shared::Shared;

/// Called once with the outcome of an append, perhaps on a thread of the log: it must not block. A position is
/// *after* its record: a snapshot that reaches it includes the record.
pub type AppendDone = Box<dyn FnOnce(Result<Vec<Position>, AppendError>) + Send>;

/// What a drain could do in its time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// Partitions whose heads are all in committed objects and whose roots were given up.
    pub released: usize,
    /// Partitions that ran out of time; their records are replayed from the log at the next start.
    pub unfinished: usize,
}

/// A store of one signal. Clone it freely: clones share it, and the last one stops the threads when it is dropped
/// (without a drain, as a crash would).
pub struct Store<E: Engine> {
    running: Arc<Running<E>>,
}

struct Running<E: Engine> {
    shared: Arc<Shared<E>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Claims are a few fsyncs each and independent of each other, so they wait for the disk together.
fn claim_all<E: Engine>(holders: &[Holder<E>]) {
    let claim = |h: &Holder<E>| match h.claim(workers::fresh_writer()) {
        Ok(true) => {}
        Ok(false) => tracing::warn!(partition = %h.partition(), "another writer has the partition"),
        Err(error) => tracing::warn!(partition = %h.partition(), %error, "cannot claim: trying again"),
    };
    thread::scope(|scope| {
        for h in holders {
            scope.spawn(move || claim(h));
        }
    });
}

impl<E: Engine> Store<E> {
    /// Claims every partition, opens its objects, and starts the threads; replay goes on behind.
    ///
    /// # Errors
    /// When a root or a manifest cannot be read, or is of another version.
    pub fn open(engine: E, config: StoreConfig, media: Media) -> Result<Self, OpenError> {
        config.validate()?;
        let (engine, config) = (Arc::new(engine), Arc::new(config));
        let budget = Arc::new(Budget::new(config.head_bytes_max, config.partitions));
        let holders = (0..config.partitions)
            .map(|p| {
                let (engine, config) = (Arc::clone(&engine), Arc::clone(&config));
                Holder::open(engine, config, Partition(p), &media, Arc::clone(&budget))
            })
            .collect::<Result<Vec<_>, _>>()?;
        media.keeper.raise_floor(holders.iter().map(|h| h.root().offset).max().unwrap_or_default());
        claim_all(&holders);
        let shared = Arc::new(Shared {
            config,
            media,
            budget,
            holders,
            gate: Arc::default(),
            flush_due: bell::Bell::default(),
            compact_due: bell::Bell::default(),
            freed: bell::Bell::default(),
            stop: runtime_engine::Stop::default(),
            halt: bell::Bell::default(),
            draining: false.into(),
            broken: false.into(),
        });
        let threads = Mutex::new(workers::start(&shared)?);
        Ok(Self { running: Arc::new(Running { shared, threads }) })
    }

    fn shared(&self) -> &Shared<E> {
        &self.running.shared
    }

    /// The limits it was opened with.
    #[must_use]
    pub fn config(&self) -> &StoreConfig {
        &self.shared().config
    }

    /// Puts records into the log; `done` is called once they are durable, or with the reason why none was taken.
    pub fn append(&self, records: Vec<NewRecord>, done: AppendDone) {
        let s = self.shared();
        if let Err(e) = s.ready_to_write() {
            s.gate.refuse();
            return done(Err(e));
        }
        let bytes = records.iter().map(|r| r.payload.len()).sum::<usize>();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let pass = match s.gate.enter(&s.config.name, bytes, s.config.inflight_bytes_max) {
            Ok(pass) => pass,
            Err(e) => return done(Err(e)),
        };
        let partitions: Vec<Partition> = records.iter().map(|r| r.partition).collect();
        let answer = move |taken: Result<Vec<Offset>, runtime_log::AppendError>| {
            drop(pass);
            done(taken.map_err(AppendError::from).map(|offsets| {
                let after = |(partition, o): (Partition, Offset)| Position { partition, offset: o.next() };
                partitions.into_iter().zip(offsets).map(after).collect()
            }));
        };
        s.media.writer.append(records, Box::new(answer));
    }

    /// What is visible of a partition now; empty for a partition that is not held. Objects stay readable while the
    /// snapshot lives.
    #[must_use]
    pub fn snapshot(&self, partition: Partition) -> Snapshot<E> {
        self.shared().holder(partition).map_or_else(
            || Snapshot {
                objects: Vec::new(),
                heads: Vec::new(),
                edits: Arc::from([]),
                position: Position { partition, offset: Offset(0) },
                quarantined: 0,
            },
            Holder::snapshot,
        )
    }

    /// Blocks until the snapshot of a partition includes everything below `at_least`.
    ///
    /// # Errors
    /// [`NotReached`] when the time is over, or at once for a partition that is not held.
    pub fn wait_for(&self, at_least: Position, timeout: Duration) -> Result<(), NotReached> {
        let Some(h) = self.shared().holder(at_least.partition) else {
            let reached = Position { partition: at_least.partition, offset: Offset(0) };
            return Err(NotReached { asked: at_least, reached });
        };
        h.wait_for(at_least, timeout)
    }

    /// As [`wait_for`](Self::wait_for), for asynchronous callers, who bring their own deadline. For a partition that is
    /// not held, or when the store ends, it never completes.
    pub fn reached(&self, at_least: Position) -> impl Future<Output = ()> + Send + 'static {
        let watch = self.shared().holder(at_least.partition).map(Holder::watch);
        async move {
            if let Some(mut watch) = watch
                && watch.wait_for(|p| *p >= at_least.offset).await.is_ok()
            {
                return;
            }
            std::future::pending::<()>().await;
        }
    }

    /// What this process holds, by partition.
    #[must_use]
    pub fn holders(&self) -> Vec<HolderState> {
        let s = self.shared();
        let (log_end, seen) = (s.media.reader.durable_end(), s.now());
        let state = |h: &Holder<E>| HolderState {
            position: h.position(),
            log_end,
            seen,
            replaying: h.is_replaying(),
            quarantined: h.quarantined(),
        };
        s.holders.iter().map(state).collect()
    }

    /// Numbers.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        let s = self.shared();
        let log = s.media.keeper.stats();
        let behind = |h: &Holder<E>| log.durable_end.0.saturating_sub(h.position().offset.0);
        StoreStats {
            head_bytes: s.budget.used_bytes(),
            head_bytes_max: s.budget.limit_bytes(),
            inflight_bytes: s.gate.bytes(),
            replay_lag: s.holders.iter().map(behind).max().unwrap_or(0),
            refused: s.gate.refused(),
            refusing: s.refusing(),
            partitions: s.holders.iter().map(Holder::stats).collect(),
            log,
        }
    }

    /// Whether everything that was in the log at start is visible.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        !self.shared().holders.iter().any(Holder::is_replaying)
    }

    /// Why an append would be refused now.
    ///
    /// # Errors
    /// The refusal; the log's own state is in [`StoreStats::log`].
    pub fn ready_to_write(&self) -> Result<(), AppendError> {
        self.shared().ready_to_write()
    }

    /// Reads every object of a partition again and quarantines what is damaged: for a query that met
    /// [`runtime_engine::Error::Corrupt`]. Returns how many objects of the
    /// partition are quarantined then: if any, ask the question again, of a new snapshot.
    pub fn verify(&self, partition: Partition) -> usize {
        self.shared().holder(partition).map_or(0, Holder::verify)
    }

    /// Seals, flushes and commits everything that is in the log now. Blocks until that is done or the time is over; says
    /// whether it was done.
    pub fn flush_all(&self, timeout: Duration) -> bool {
        drain::flush_all(self.shared(), Instant::now() + timeout)
    }

    /// The end: takes no more appends, waits for those under way, flushes, gives the roots up, stops the threads and
    /// closes the log.
    pub fn drain(&self, timeout: Duration) -> DrainReport {
        let report = drain::drain(self.shared(), Instant::now() + timeout);
        self.running.stop();
        self.shared().media.keeper.close();
        report
    }
}

impl<E: Engine> Running<E> {
    fn stop(&self) {
        self.shared.stop();
        for thread in lock(&self.threads).drain(..) {
            // the alarm has told of a panic
            drop(thread.join());
        }
    }
}

impl<E: Engine> Drop for Running<E> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<E: Engine> Clone for Store<E> {
    fn clone(&self) -> Self {
        Self { running: Arc::clone(&self.running) }
    }
}
