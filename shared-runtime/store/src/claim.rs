//! Claims: who may commit.
//!
//! Knows: that a claim swaps in the next epoch and a fresh writer id, and that this swap *is* the fence. Must not know:
//! what is committed afterwards. Start at [`Holder::claim`].

use std::sync::Arc;

use runtime_engine::{Engine, Time};
use runtime_objects::Root;

use crate::commit::{Change, Proposal, Settled};
use crate::env::lock;
use crate::holder::{Holder, Outcome};
use crate::{Counters, StepError};

/// How often a claim is tried against a root that moves meanwhile.
const TRIES_MAX: usize = 3;

impl<E: Engine> Holder<E> {
    /// Claims the partition for `writer`, a random id that was never used before. Says whether it is ours now.
    ///
    /// # Errors
    /// The media's; [`StepError::Unknown`] when the claim may or may not have been applied: claiming again, with
    /// whatever id, finishes it first.
    pub fn claim(&self, writer: u128) -> Result<bool, StepError> {
        let mut c = lock(&self.commits);
        self.settle(&mut c)?;
        for _ in 0..TRIES_MAX {
            if c.writer.is_some() {
                return Ok(true);
            }
            self.refresh(&mut c)?;
            let found = c.root;
            let base = found.unwrap_or_default();
            let root = Root { version: base.version + 1, epoch: base.epoch + 1, writer, ..base };
            let live = Arc::clone(&c.live);
            let expect = found.map(|r| r.expectation());
            c.in_flight = Some(Change::of_root(expect, root, live));
            if self.settle(&mut c)? == Settled::Applied {
                tracing::info!(of = %self.env.of, epoch = root.epoch, "partition claimed");
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives the partition up, so that anyone may claim it at once.
    ///
    /// # Errors
    /// The media's; [`StepError::Unknown`] as for every swap.
    pub fn release(&self) -> Result<Outcome, StepError> {
        let mut c = lock(&self.commits);
        self.settle(&mut c)?;
        let Some(root) = c.writable_root() else { return Ok(Outcome::Nothing) };
        let released = Root { version: root.version + 1, writer: 0, ..root };
        let (live, expect) = (Arc::clone(&c.live), Some(root.expectation()));
        c.in_flight = Some(Change::of_root(expect, released, live));
        Ok(self.settle(&mut c)?.outcome())
    }

    /// Whether a follower should claim now: nobody has the partition, or its writer does not flush what we hold.
    #[must_use]
    pub fn should_claim(&self, now: Time) -> bool {
        if self.is_writer() {
            return false;
        }
        let late = self.env.config.generation_age.saturating_mul(2);
        self.root().writer == 0
            || self.env.budget.used_bytes() >= self.env.budget.limit_bytes() / 2
            || lock(&self.front).generations.age(now) > late
    }

    /// Moves the root of a partition with an empty head to where its log was read, so that the log below may go.
    ///
    /// # Errors
    /// The media's; [`StepError::Unknown`] as for every swap.
    pub fn empty_commit(&self) -> Result<Outcome, StepError> {
        let mut c = lock(&self.commits);
        self.settle(&mut c)?;
        let Some(root) = c.writable_root() else { return Ok(Outcome::Nothing) };
        let offset = {
            let front = lock(&self.front);
            if !front.is_idle() || front.generations.position() <= root.offset {
                return Ok(Outcome::Nothing);
            }
            front.generations.position()
        };
        let tally = Box::new(|c: &mut Counters| c.empty_commits += 1);
        let p = Proposal { offset, add: Vec::new(), remove: Vec::new(), created: Vec::new(), tally };
        Ok(self.propose(&mut c, p)?.outcome())
    }
}
