//! Deletion: what no root names, and what no reader needs any more.
//!
//! Knows: removed objects of the manifest (after grace, without readers), pending ids of older epochs, and what our own
//! failed writes left. Must not know: the media. Nothing is deleted by a holder that is not the writer, or while the
//! outcome of a swap is unknown. Start at [`Holder::delete_step`] and [`Holder::sweep`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use runtime_engine::{Engine, ObjectId};

use crate::commit::Commits;
use crate::env::lock;
use crate::holder::Holder;
use crate::live::LiveSet;
use crate::sink::Written;
use crate::{Mutation, StepError};

/// What waits for deletion, beside the list in the manifest.
pub(crate) struct Garbage<E: Engine> {
    /// Who may still read a removed part.
    pins: BTreeMap<ObjectId, Weak<E::Object>>,
    /// Deleted, and still listed as removed by the manifest.
    pub(crate) deleted: BTreeSet<ObjectId>,
    /// Committed, and still registered as pending.
    pub(crate) uncleared: Vec<ObjectId>,
    /// Written by us and never committed.
    pub(crate) discarded: Vec<ObjectId>,
}

impl<E: Engine> Garbage<E> {
    pub(crate) fn new() -> Self {
        let (pins, deleted) = (BTreeMap::new(), BTreeSet::new());
        Self { pins, deleted, uncleared: Vec::new(), discarded: Vec::new() }
    }

    /// Notes who may still read what left the live set; readers that are gone are forgotten.
    pub(crate) fn pin(&mut self, left: Vec<(ObjectId, Weak<E::Object>)>) {
        self.pins.retain(|_, p| p.strong_count() > 0);
        self.pins.extend(left);
    }

    fn is_pinned(&self, id: ObjectId) -> bool {
        self.pins.get(&id).is_some_and(|p| p.strong_count() > 0)
    }
}

impl<E: Engine> Holder<E> {
    /// Deletes removed objects whose grace period is over and that nobody reads. Returns how many parts went.
    ///
    /// # Errors
    /// The medium's; some may be gone, and the step may be repeated.
    pub fn delete_step(&self) -> Result<usize, StepError> {
        let mut c = lock(&self.commits);
        self.settle(&mut c)?;
        if c.writer.is_none() {
            return Ok(0);
        }
        self.clear_pending(&mut c);
        self.delete_discarded(&mut c)?;
        let (now, grace) = (self.env.now(), self.env.config.grace);
        let due: Vec<ObjectId> = c
            .live
            .manifest()
            .removed
            .iter()
            // clocks jump: a distance in either direction counts
            .filter(|r| Duration::from_nanos(now.0.abs_diff(r.since.0)) >= grace)
            .filter(|r| !r.ids.iter().any(|id| c.garbage.is_pinned(*id)))
            .flat_map(|r| r.ids.iter().copied())
            .filter(|id| !c.garbage.deleted.contains(id))
            .collect();
        if due.is_empty() {
            return Ok(0);
        }
        self.env.objects.delete_all(&self.env.of, &due)?;
        self.env.count(|c| c.deleted += u64::try_from(due.len()).unwrap_or(u64::MAX));
        for id in &due {
            c.garbage.pins.remove(id);
        }
        c.garbage.deleted.extend(due.iter().copied());
        Ok(due.len())
    }

    /// Removes what writers of older epochs left: their pending ids that stand in no manifest. Returns how many.
    ///
    /// Later epochs are spared: their writer may be about to commit. While a manifest is lost nothing is swept, because
    /// nobody knows what it named.
    ///
    /// # Errors
    /// The medium's; the step may be repeated.
    pub fn sweep(&self) -> Result<usize, StepError> {
        let mut c = lock(&self.commits);
        self.settle(&mut c)?;
        let Some(root) = c.writable_root() else { return Ok(0) };
        let any_epoch = self.env.config.mutated(Mutation::SweepAnyEpoch);
        let old: Vec<ObjectId> = self
            .env
            .objects
            .pending(&self.env.of)?
            .into_iter()
            .filter(|(epoch, _)| *epoch < root.epoch || any_epoch)
            .map(|(_, id)| id)
            .collect();
        let named = |id: &ObjectId| root.manifest == Some(*id) || c.live.manifest().names(*id);
        let (named, mut garbage): (Vec<_>, Vec<_>) = old.into_iter().partition(named);
        if !c.live.manifest().lost.is_empty() {
            garbage.clear();
        }
        self.env.objects.delete_all(&self.env.of, &garbage)?;
        self.env.objects.clear_pending(&self.env.of, &[named, garbage.clone()].concat())?;
        self.env.count(|c| c.deleted += u64::try_from(garbage.len()).unwrap_or(u64::MAX));
        Ok(garbage.len())
    }

    /// Throws away what we wrote and will never commit. After a takeover it belongs to the new writer's sweeper.
    pub(crate) fn discard(&self, epoch: u64, written: Written) {
        let mut c = lock(&self.commits);
        if c.writable_root().is_some_and(|r| r.epoch == epoch) {
            c.garbage.discarded.extend(written.created);
            if let Err(error) = self.delete_discarded(&mut c) {
                tracing::warn!(of = %self.env.of, %error, "leftovers of a failed write stay for now");
            }
        }
    }

    fn delete_discarded(&self, c: &mut Commits<E>) -> Result<(), StepError> {
        if c.in_flight.is_some() || c.garbage.discarded.is_empty() {
            return Ok(());
        }
        self.env.objects.delete_all(&self.env.of, &c.garbage.discarded)?;
        self.env.objects.clear_pending(&self.env.of, &c.garbage.discarded)?;
        c.garbage.discarded.clear();
        Ok(())
    }

    /// Forgets the registration of what is committed; what fails is tried again, and harmless meanwhile.
    pub(crate) fn clear_pending(&self, c: &mut Commits<E>) {
        if c.garbage.uncleared.is_empty() {
            return;
        }
        match self.env.objects.clear_pending(&self.env.of, &c.garbage.uncleared) {
            Ok(()) => c.garbage.uncleared.clear(),
            Err(error) => tracing::warn!(of = %self.env.of, %error, "pending ids stay registered for now"),
        }
    }

    /// Shows another opening of the same manifest. Says whether there was one.
    pub(crate) fn show_live(
        &self,
        c: &mut Commits<E>,
        change: impl FnOnce(&LiveSet<E>) -> Option<LiveSet<E>>,
    ) -> bool {
        let Some(live) = change(&c.live).map(Arc::new) else { return false };
        c.live = Arc::clone(&live);
        let mut front = lock(&self.front);
        front.live = live;
        self.show(&front);
        true
    }
}
