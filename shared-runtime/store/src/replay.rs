//! From the log into the head.
//!
//! Knows: reading, applying, pausing at the budget, what to do with damage, building heads again. Must not know: how
//! heads become objects. Start at [`Holder::replay_step`].

use std::sync::Arc;

use runtime_engine::{Engine, Error, Offset, Result as EngineResult, Time};
use runtime_log::{Batch, ReadError};

use crate::env::{Env, lock};
use crate::generations::Generations;
use crate::holder::Holder;
use crate::live::LiveSet;
use crate::publication::Published;
use crate::{Mutation, StepError};

/// The head's side of a holder.
pub(crate) struct Front<E: Engine> {
    pub(crate) generations: Generations<E>,
    /// The live set that snapshots show.
    pub(crate) live: Arc<LiveSet<E>>,
    /// Log records lost to damage since the root's offset.
    damaged: usize,
    /// Where the heads must begin again before anything else happens.
    rebuild_at: Option<Offset>,
    /// Replaying until the position reaches this.
    target: Offset,
}

/// What a replay step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// Everything durable is in the head.
    CaughtUp,
    /// More is to be read.
    More,
    /// The budget is used up: go on after a flush.
    Paused,
}

impl<E: Engine> Front<E> {
    pub(crate) fn new(env: &Env<E>, live: Arc<LiveSet<E>>, at: Offset, target: Offset) -> EngineResult<Self> {
        let generations = Generations::new(&*env.engine, live.objects(), at, env.limits())?;
        Ok(Self { generations, live, damaged: 0, rebuild_at: None, target })
    }

    pub(crate) fn is_replaying(&self) -> bool {
        self.rebuild_at.is_some() || self.generations.position() < self.target
    }

    /// The root's offset is `to`: drops what it passed, or marks the heads to be built again.
    pub(crate) fn pass(&mut self, env: &Env<E>, to: Offset) {
        let part_too = env.config.mutated(Mutation::DropPartOfGeneration);
        if self.rebuild_at.is_some() || !self.generations.pass(to, part_too) {
            tracing::warn!(of = %env.of, offset = %to, "the root moved into a generation: building the head again");
            self.rebuild_at = Some(to);
            self.target = self.target.max(self.generations.position());
        }
    }

    /// Whether there is no record in the head, and none is about to come back into it.
    pub(crate) fn is_idle(&self) -> bool {
        self.rebuild_at.is_none() && self.generations.is_empty()
    }

    fn rebuild(&mut self, env: &Env<E>) -> EngineResult<()> {
        if let Some(at) = self.rebuild_at {
            self.generations.reset(&*env.engine, self.live.objects(), at)?;
            self.rebuild_at = None;
            self.damaged = 0;
            env.count(|c| c.rebuilds += 1);
        }
        Ok(())
    }

    fn apply(&mut self, env: &Env<E>, batch: &Batch) -> EngineResult<()> {
        let live = Arc::clone(&self.live);
        let mut taken = 0;
        let mut result = Ok(());
        for r in &batch.records {
            match self.generations.apply(&*env.engine, live.objects(), r.offset, r.as_record()) {
                Ok(()) => taken += 1,
                Err(error @ (Error::Corrupt { .. } | Error::Invalid(_))) => {
                    tracing::error!(of = %env.of, offset = %r.offset, %error, "log record is quarantined");
                    self.damaged += 1;
                    env.count(|c| c.records_damaged += 1);
                }
                Err(e) => {
                    result = Err(e);
                    break;
                }
            }
            self.generations.advance(r.offset.next());
        }
        env.count(|c| c.records += taken);
        if result.is_ok() {
            self.generations.advance(batch.next);
            self.damaged += usize::try_from(batch.damaged).unwrap_or(usize::MAX);
            env.count(|c| c.records_damaged += batch.damaged);
        }
        result
    }
}

impl<E: Engine> Holder<E> {
    /// Reads the next records of the log into the head and shows them.
    ///
    /// # Errors
    /// The log's and the engine's; what was applied before is visible, and the step may be repeated.
    pub fn replay_step(&self) -> Result<Replayed, StepError> {
        let from = {
            let mut front = lock(&self.front);
            front.rebuild(&self.env)?;
            front.generations.position()
        };
        // what it holds itself must be flushed first; with nothing in it, it may always go on
        if self.env.budget.is_full() && self.env.budget.used_by(self.partition()) > 0 {
            return Ok(Replayed::Paused);
        }
        let read = self.env.reader.read(self.partition(), from, self.env.config.read_bytes);
        let mut front = lock(&self.front);
        if front.rebuild_at.is_some() || front.generations.position() != from {
            return Ok(Replayed::More);
        }
        let batch = match read {
            Ok(batch) => batch,
            Err(ReadError::Truncated { oldest, .. }) if oldest > from => {
                drop(front);
                if self.follow()? {
                    // a follower that fell behind the log goes on from the root
                    return Ok(Replayed::More);
                }
                front = lock(&self.front);
                if front.rebuild_at.is_some() || front.generations.position() != from {
                    return Ok(Replayed::More);
                }
                tracing::error!(of = %self.env.of, %from, %oldest, "the log is gone below the root: what was there is lost");
                self.env.count(|c| c.records_damaged += 1);
                front.damaged += 1;
                Batch { next: oldest, durable_end: oldest.next(), ..Batch::default() }
            }
            Err(e) => return Err(e.into()),
        };
        let applied = front.apply(&self.env, &batch);
        self.show(&front);
        applied?;
        let caught_up = front.generations.position() >= batch.durable_end;
        Ok(if caught_up { Replayed::CaughtUp } else { Replayed::More })
    }

    /// Publishes the head's side and reports its weight.
    pub(crate) fn show(&self, front: &Front<E>) {
        let (open, sealed) = front.generations.weights();
        self.env.budget.report(self.partition(), open, sealed);
        if front.rebuild_at.is_some() {
            return;
        }
        self.publication.publish(Published {
            live: Arc::clone(&front.live),
            heads: front.generations.views(&*self.env.engine),
            position: front.generations.position(),
            damaged: front.damaged,
        });
    }

    /// Ends the open generation where the head stands now. Says whether there was one with records.
    ///
    /// # Errors
    /// The engine's; nothing has changed then.
    pub fn seal(&self) -> Result<bool, StepError> {
        let mut front = lock(&self.front);
        if front.rebuild_at.is_some() {
            return Ok(false);
        }
        let (at, live) = (front.generations.position(), Arc::clone(&front.live));
        let sealed = front.generations.seal(&*self.env.engine, live.objects(), at)?;
        self.show(&front);
        Ok(sealed)
    }

    /// Whether the head holds no record.
    #[must_use]
    pub fn is_head_empty(&self) -> bool {
        lock(&self.front).is_idle()
    }

    /// Whether a sealed generation waits for its flush.
    #[must_use]
    pub fn has_sealed(&self) -> bool {
        lock(&self.front).generations.oldest_sealed().is_some()
    }

    /// Whether the oldest record in the head is older than a generation may become.
    #[must_use]
    pub fn is_old(&self, now: Time) -> bool {
        lock(&self.front).generations.age(now) >= self.env.config.generation_age
    }

    /// Whether every record below `target` is in a committed object.
    #[must_use]
    pub fn is_flushed(&self, target: Offset) -> bool {
        let front = lock(&self.front);
        front.rebuild_at.is_none()
            && front.generations.position() >= target
            && front.generations.oldest_record().is_none_or(|o| o >= target)
    }
}
