//! Commits: how the root of a partition moves.
//!
//! Knows: one swap at a time, conditional on version and writer; an unknown outcome is resolved by issuing the same
//! swap again, and nothing else is tried meanwhile; what an applied swap makes visible, all at once. Must not know: why
//! a commit is made. Start at [`Holder::propose`]; the rules are those of the design's root protocol, which the
//! simulation checks step by step.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use runtime_engine::{Engine, ObjectId, Offset};
use runtime_objects::{ObjectWrite, Root, SwapOutcome};

use crate::env::lock;
use crate::holder::{Holder, Outcome};
use crate::live::LiveSet;
use crate::manifest::{Entry, Manifest};
use crate::sweeper::Garbage;
use crate::{Counters, Mutation, StepError};

/// How often a swap is issued before its step gives up and leaves it to the next one.
const ISSUES_MAX: usize = 3;

/// The root's side of a holder.
pub(crate) struct Commits<E: Engine> {
    /// Our claim's id, while it stands.
    pub(crate) writer: Option<u128>,
    /// The root as last loaded or swapped.
    pub(crate) root: Option<Root>,
    /// What its manifest lists.
    pub(crate) live: Arc<LiveSet<E>>,
    /// A swap whose outcome is unknown.
    pub(crate) in_flight: Option<Change<E>>,
    pub(crate) garbage: Garbage<E>,
}

impl<E: Engine> Commits<E> {
    pub(crate) fn new(root: Option<Root>, live: Arc<LiveSet<E>>) -> Self {
        Self { writer: None, root, live, in_flight: None, garbage: Garbage::new() }
    }

    /// The root, if we may commit on top of it.
    pub(crate) fn writable_root(&self) -> Option<Root> {
        self.writer.and(self.root)
    }
}

/// A swap and what it makes true.
pub(crate) struct Change<E: Engine> {
    pub(crate) expect: Option<(u64, u128)>,
    pub(crate) root: Root,
    pub(crate) live: Arc<LiveSet<E>>,
    /// Pending ids that the swap makes live (or garbage that a manifest names).
    pub(crate) created: Vec<ObjectId>,
    /// What it counts as, once it is applied.
    pub(crate) tally: Tally,
}

impl<E: Engine> Change<E> {
    /// A swap of the root alone.
    pub(crate) fn of_root(expect: Option<(u64, u128)>, root: Root, live: Arc<LiveSet<E>>) -> Self {
        Self { expect, root, live, created: Vec::new(), tally: Box::new(|_| {}) }
    }
}

/// Counts an applied swap.
pub(crate) type Tally = Box<dyn FnOnce(&mut Counters) + Send>;

/// What a commit changes.
pub(crate) struct Proposal<E: Engine> {
    /// The log offset that the root moves to.
    pub(crate) offset: Offset,
    /// Objects that join the live set, opened.
    pub(crate) add: Vec<(Entry, Arc<E::Object>)>,
    /// Live objects that leave.
    pub(crate) remove: Vec<ObjectId>,
    /// Pending ids of what joins.
    pub(crate) created: Vec<ObjectId>,
    /// What it counts as, once it is applied.
    pub(crate) tally: Tally,
}

/// The known outcome of a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// No swap was under way.
    Idle,
    /// It was applied.
    Applied,
    /// Another writer has the partition: stop committing.
    Fenced,
}

impl Settled {
    /// What a step that proposed something did.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Applied => Outcome::Committed,
            Self::Idle | Self::Fenced => Outcome::Discarded,
        }
    }
}

impl<E: Engine> Holder<E> {
    /// Commits `p` on top of the root as we know it.
    pub(crate) fn propose(&self, c: &mut Commits<E>, p: Proposal<E>) -> Result<Settled, StepError> {
        let Some(root) = c.writable_root() else { return Ok(Settled::Fenced) };
        self.propose_on(c, root, p)
    }

    pub(crate) fn propose_on(
        &self,
        c: &mut Commits<E>,
        root: Root,
        mut p: Proposal<E>,
    ) -> Result<Settled, StepError> {
        let mut new = Root { version: root.version + 1, offset: p.offset, ..root };
        let (mut live, mut unfinished) = (Arc::clone(&c.live), None);
        if !(p.add.is_empty() && p.remove.is_empty()) {
            let (entries, opened) =
                std::mem::take(&mut p.add).into_iter().map(|(e, o)| (e.clone(), (e.meta.id, o))).unzip();
            let next = self.next_manifest(c, root, entries, &p.remove);
            match self.write_manifest(root.epoch, &next, &mut p.created) {
                Ok((id, out)) => (new.manifest, unfinished) = (Some(id), out),
                Err(e) => {
                    c.garbage.discarded.extend(p.created);
                    return Err(e);
                }
            }
            live = Arc::new(c.live.with(next, opened));
        }
        let created = p.created;
        let change = Change { expect: Some(root.expectation()), root: new, live, created, tally: p.tally };
        self.before_swap(c, &change);
        c.in_flight = Some(change);
        let settled = self.settle(c);
        if let Some(out) = unfinished {
            out.finish()?;
        }
        settled
    }

    /// Stores a manifest and notes its id as created. The writer comes back unfinished only under a mutation.
    fn write_manifest(
        &self,
        epoch: u64,
        manifest: &Manifest,
        created: &mut Vec<ObjectId>,
    ) -> Result<(ObjectId, Option<Box<dyn ObjectWrite>>), StepError> {
        let mut out = self.env.objects.create(&self.env.of, epoch, "manifest")?;
        let id = out.id();
        created.push(id);
        out.write_all(&manifest.encode()).map_err(runtime_engine::Error::from)?;
        if self.env.config.mutated(Mutation::CommitBeforeFinish) {
            return Ok((id, Some(out)));
        }
        out.finish()?;
        Ok((id, None))
    }

    fn next_manifest(&self, c: &Commits<E>, root: Root, add: Vec<Entry>, remove: &[ObjectId]) -> Manifest {
        let now = self.env.now();
        let before = c.live.manifest();
        let mut next = before.with(add, remove, now);
        next.forget(&c.garbage.deleted);
        next.remove_parts(root.manifest.into_iter().filter(|id| !before.lost.contains(id)).collect(), now);
        next
    }

    /// Rules that the simulation switches off, to see that it notices.
    fn before_swap(&self, c: &Commits<E>, change: &Change<E>) {
        let mutated = |m| self.env.config.mutated(m);
        if mutated(Mutation::ReleaseBeforeApplied) {
            self.confirmed.store(change.root.offset.0, Ordering::Release);
        }
        if mutated(Mutation::DropHeadEarly) {
            let mut front = lock(&self.front);
            front.pass(&self.env, change.root.offset);
            self.show(&front);
        }
        if mutated(Mutation::DeleteBeforeApplied) {
            let ids: Vec<_> = c.live.readers_not_in(&change.live).into_iter().map(|(id, _)| id).collect();
            drop(self.env.objects.delete_all(&self.env.of, &ids));
        }
    }

    /// Brings a swap under way to its end, by issuing it (again).
    ///
    /// # Errors
    /// [`StepError::Unknown`]: nothing else may be tried before this is called again.
    pub(crate) fn settle(&self, c: &mut Commits<E>) -> Result<Settled, StepError> {
        let Some(change) = &c.in_flight else { return Ok(Settled::Idle) };
        let mut issues = 0;
        let (outcome, new) = loop {
            let (expect, new) = self.swap_of(change);
            match self.env.roots.swap(&self.env.of, expect, &new) {
                Ok(outcome) => break (outcome, new),
                Err(source) => {
                    self.env.count(|c| c.swaps_unknown += 1);
                    issues += 1;
                    if issues == ISSUES_MAX {
                        return Err(StepError::Unknown { version: new.version, source });
                    }
                }
            }
        };
        let Some(change) = c.in_flight.take() else { return Ok(Settled::Idle) };
        match outcome {
            SwapOutcome::Applied => {
                self.applied(c, change);
                Ok(Settled::Applied)
            }
            SwapOutcome::Refused(Some(found)) if found.includes(&new) => {
                // applied, and ours has moved on: cannot be while commits are serialised, so look at what is there
                self.applied(c, change);
                self.refresh(c)?;
                Ok(Settled::Applied)
            }
            SwapOutcome::Refused(found) => {
                self.fenced(c, found);
                Ok(Settled::Fenced)
            }
        }
    }

    fn swap_of(&self, change: &Change<E>) -> (Option<(u64, u128)>, Root) {
        if self.env.config.mutated(Mutation::SkipWriterCheck)
            && let Ok(Some(found)) = self.env.roots.load(&self.env.of)
            && found.version <= change.root.version
        {
            return (Some(found.expectation()), Root { version: found.version + 1, ..change.root });
        }
        (change.expect, change.root)
    }

    fn applied(&self, c: &mut Commits<E>, change: Change<E>) {
        self.env.count(change.tally);
        c.writer = Some(change.root.writer).filter(|w| *w != 0);
        let forgotten: BTreeSet<_> = std::mem::take(&mut c.garbage.deleted);
        c.garbage.deleted = forgotten.into_iter().filter(|id| change.live.manifest().names(*id)).collect();
        c.garbage.uncleared.extend(change.created);
        self.adopt(c, change.root, change.live);
        self.clear_pending(c);
    }

    /// Makes a root and its live set the current ones, in one step for readers.
    pub(crate) fn adopt(&self, c: &mut Commits<E>, root: Root, live: Arc<LiveSet<E>>) {
        c.garbage.pin(c.live.readers_not_in(&live));
        c.root = Some(root);
        c.live = Arc::clone(&live);
        let mut front = lock(&self.front);
        front.live = live;
        if !self.env.config.mutated(Mutation::PublishBoth) {
            front.pass(&self.env, root.offset);
        }
        self.show(&front);
        drop(front);
        self.confirmed.store(root.offset.0, Ordering::Release);
        self.note(c);
    }
}
