//! The threads: one reader per partition, one flusher, one compactor.
//!
//! Knows: when each step of a holder is due. Must not know: what the steps do. Start at [`start`].

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use runtime_engine::Engine;
use runtime_log::LogStats;

use super::shared::Shared;
use crate::{Holder, OpenError, Outcome, Replayed, StepError};

/// A reader looks up this often when nobody wakes it.
const READ_WAIT: Duration = Duration::from_millis(100);
/// The flusher looks at ages, the log and foreign roots this often.
const FLUSH_WAIT: Duration = Duration::from_millis(250);
/// The compactor plans this often when nothing was flushed: for retention.
const COMPACT_WAIT: Duration = Duration::from_secs(1);
/// After a failure a reader or the flusher waits this long, whoever rings.
const FAILURE_WAIT: Duration = Duration::from_millis(500);
/// After a failure a partition is not compacted for so long.
const COMPACT_FAILURE_WAIT: Duration = Duration::from_secs(5);
/// A writer asks the root this often whether it still is the writer: well within the grace of what a successor replaces.
const LOOK_WAIT: Duration = Duration::from_secs(5);
/// Leftovers of older epochs and quarantined objects are looked at this often.
const SWEEP_WAIT: Duration = Duration::from_secs(120);

type Work<E> = Box<dyn FnOnce(&Shared<E>) + Send>;

/// Starts all threads of a store.
pub(crate) fn start<E: Engine>(shared: &Arc<Shared<E>>) -> Result<Vec<JoinHandle<()>>, OpenError> {
    let name = &shared.config.name;
    let mut threads = Vec::new();
    let mut spawn = |role: String, work: Work<E>| {
        let (shared, name) = (Arc::clone(shared), format!("{name}-{role}"));
        let alarm_name = name.clone();
        let body = move || {
            let _alarm = Alarm { shared: Arc::clone(&shared), name: alarm_name };
            work(&shared);
        };
        let thread = thread::Builder::new()
            .name(name.clone())
            .spawn(body)
            .map_err(|source| OpenError::Thread { name, source })?;
        threads.push(thread);
        Ok(())
    };
    let result = (0..shared.holders.len())
        .try_for_each(|i| spawn(format!("read-{i}"), Box::new(move |s| read_loop(s, i))))
        .and_then(|()| spawn("flush".to_owned(), Box::new(|s| flush_loop(s))))
        .and_then(|()| spawn("compact".to_owned(), Box::new(|s| compact_loop(s))));
    if result.is_err() {
        shared.stop();
    }
    result.map(|()| threads)
}

/// A thread that panics must not leave a store that looks alive.
struct Alarm<E: Engine> {
    shared: Arc<Shared<E>>,
    name: String,
}

impl<E: Engine> Drop for Alarm<E> {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!(
                thread = self.name,
                "a thread of the store panicked: appends are refused from now on"
            );
            self.shared.broken.store(true, Ordering::Release);
        }
    }
}

/// Logs a failure when it is new, not each time it repeats.
#[derive(Default)]
struct Log(Option<String>);

impl Log {
    fn note<T>(
        &mut self,
        doing: &'static str,
        of: impl std::fmt::Display,
        r: Result<T, StepError>,
    ) -> Option<T> {
        match r {
            Ok(v) => Some(v),
            Err(e) => {
                let text = chain(&e);
                if self.0.as_ref() != Some(&text) {
                    tracing::warn!(partition = %of, error = text, "{doing} failed: trying again");
                }
                self.0 = Some(text);
                None
            }
        }
    }
}

fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut source = e.source();
    while let Some(s) = source {
        text = format!("{text}: {s}");
        source = s.source();
    }
    text
}

fn read_loop<E: Engine>(s: &Shared<E>, index: usize) {
    let Some(holder) = s.holders.get(index) else { return };
    let mut log = Log::default();
    while !s.is_stopped() {
        let heard = s.freed.rung();
        let replayed = log.note("replay", holder.partition(), holder.replay_step());
        s.seal_by_budget();
        if holder.has_sealed() {
            s.flush_due.ring();
        }
        match replayed {
            Some(Replayed::More) => {}
            Some(Replayed::CaughtUp) => {
                s.media.reader.wait(holder.position().offset, READ_WAIT);
            }
            Some(Replayed::Paused) => {
                s.freed.wait(heard, READ_WAIT);
            }
            None => s.pause(FAILURE_WAIT),
        }
    }
}

fn flush_loop<E: Engine>(s: &Shared<E>) {
    let mut logs: Vec<Log> = s.holders.iter().map(|_| Log::default()).collect();
    let mut heard = 0;
    while !s.is_stopped() {
        let stats = s.media.keeper.stats();
        let mut failed = false;
        for (holder, log) in s.holders.iter().zip(&mut logs) {
            failed |= log.note("flush", holder.partition(), tend(s, holder, &stats)).is_none();
        }
        s.release_log();
        s.freed.ring();
        if failed {
            s.pause(FAILURE_WAIT);
        } else {
            heard = s.flush_due.wait(heard, FLUSH_WAIT);
        }
    }
}

/// Everything that is due for one partition, except compaction.
fn tend<E: Engine>(s: &Shared<E>, h: &Holder<E>, log: &LogStats) -> Result<(), StepError> {
    let now = s.now();
    if !h.is_writer() {
        h.follow()?;
        if s.draining.load(Ordering::Acquire) || !h.should_claim(now) || !h.claim(fresh_writer())? {
            return Ok(());
        }
    }
    let holds_back = log.files > 1 && h.confirmed() < log.oldest_file_end;
    // what waits already goes first: a slow flush must not shred the head
    if !h.has_sealed() && (h.is_old(now) || (holds_back && log.is_half_used())) {
        h.seal()?;
    }
    while h.flush_step()? == Outcome::Committed {
        s.release_log();
        s.freed.ring();
        s.compact_due.ring();
    }
    if holds_back && h.position().offset >= log.oldest_file_end {
        h.empty_commit()?;
    }
    Ok(())
}

/// What the compactor remembers of a partition.
#[derive(Default)]
struct Upkeep {
    log: Log,
    /// Epoch and time of the last sweep.
    swept: Option<(u64, Instant)>,
    failed: Option<Instant>,
    looked: Option<Instant>,
}

fn compact_loop<E: Engine>(s: &Shared<E>) {
    let mut upkeep: Vec<Upkeep> = s.holders.iter().map(|_| Upkeep::default()).collect();
    let mut heard = 0;
    while !s.is_stopped() {
        for (holder, u) in s.holders.iter().zip(&mut upkeep) {
            if !s.is_stopped() && holder.is_writer() {
                keep_up(s, holder, u);
            }
        }
        heard = s.compact_due.wait(heard, COMPACT_WAIT);
    }
}

fn keep_up<E: Engine>(s: &Shared<E>, h: &Holder<E>, u: &mut Upkeep) {
    if u.failed.is_none_or(|at| at.elapsed() >= COMPACT_FAILURE_WAIT) {
        let done = u.log.note("compaction", h.partition(), compact(s, h));
        u.failed = done.is_none().then(Instant::now);
    }
    if u.looked.is_none_or(|at| at.elapsed() >= LOOK_WAIT) {
        u.log.note("looking at the root", h.partition(), h.follow());
        u.looked = Some(Instant::now());
    }
    let cleaned = clean(h, &mut u.swept);
    u.log.note("deletion", h.partition(), cleaned);
}

fn compact<E: Engine>(s: &Shared<E>, h: &Holder<E>) -> Result<(), StepError> {
    while !s.is_stopped() {
        let share = if s.is_behind(h) { 1.0 } else { s.config.compaction_cpu_share };
        match h.compaction_step(&s.stop, share) {
            Ok(Outcome::Committed) => {}
            Err(StepError::Engine(runtime_engine::Error::Stopped)) | Ok(_) => break,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn clean<E: Engine>(h: &Holder<E>, swept: &mut Option<(u64, Instant)>) -> Result<(), StepError> {
    h.delete_step()?;
    let epoch = h.root().epoch;
    if swept.is_none_or(|(e, at)| e != epoch || at.elapsed() >= SWEEP_WAIT) {
        h.sweep()?;
        h.reopen();
        *swept = Some((epoch, Instant::now()));
    }
    Ok(())
}

/// A random id that was never used before: two keyed hashes with keys from the system's entropy.
pub(crate) fn fresh_writer() -> u128 {
    let half = || RandomState::new().build_hasher().finish();
    let mixed = |salt: u64| RandomState::new().hash_one((salt, half()));
    (u128::from(mixed(1)) << 64 | u128::from(mixed(2))).max(1)
}
