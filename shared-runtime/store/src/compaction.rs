//! Compaction and retention: live objects are replaced by fewer, or removed.
//!
//! Knows: planning by the engine, running a merge beside flushes, rebasing it onto what they committed, abandoning it
//! when an edit arrived or an input left. Must not know: what a good plan is. Start at [`Holder::compaction_step`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use runtime_engine::{Edit, Engine, Error, Job, ObjectMeta, Stop};

use crate::commit::{Commits, Proposal};
use crate::env::lock;
use crate::flush::Origin;
use crate::holder::{Holder, Outcome};
use crate::live::is_damaged;
use crate::pace::Pace;
use crate::sink::{Sink, Written};
use crate::{Counters, Mutation, StepError};

/// A merge under way.
pub struct Merge<E: Engine> {
    job: Job,
    inputs: Vec<Arc<E::Object>>,
    metas: Vec<ObjectMeta>,
    edits: Arc<[Edit]>,
    epoch: u64,
}

/// What a look at the live set led to.
pub enum Planned<E: Engine> {
    /// Nothing is to be done.
    Nothing,
    /// Retention was committed (or thrown away).
    Expired(Outcome),
    /// A merge is to be run.
    Merge(Merge<E>),
}

impl<E: Engine> Holder<E> {
    /// Plans, runs and commits one job of the engine.
    ///
    /// # Errors
    /// The engine's and the media's; nothing has changed then, and the step may be repeated.
    pub fn compaction_step(&self, stop: &Stop, cpu_share: f64) -> Result<Outcome, StepError> {
        match self.plan()? {
            Planned::Nothing => Ok(Outcome::Nothing),
            Planned::Expired(outcome) => Ok(outcome),
            Planned::Merge(merge) => {
                let written = self.write_merge(&merge, stop, cpu_share)?;
                self.commit_merge(&merge, written)
            }
        }
    }

    /// Asks the engine for a job. Retention is committed at once.
    ///
    /// # Errors
    /// [`StepError::Unknown`] while a swap is not settled; the media's.
    pub fn plan(&self) -> Result<Planned<E>, StepError> {
        let mut c = lock(&self.commits);
        self.settle(&mut c)?;
        let Some(root) = c.writable_root() else { return Ok(Planned::Nothing) };
        let Some(job) = self.plan_job(&c) else { return Ok(Planned::Nothing) };
        if let Job::Expire { inputs } = job {
            let count = u64::try_from(inputs.len()).unwrap_or(u64::MAX);
            let tally = Box::new(move |c: &mut Counters| c.expired += count);
            let (add, created) = (Vec::new(), Vec::new());
            let p = Proposal { offset: root.offset, add, remove: inputs, created, tally };
            return Ok(Planned::Expired(self.propose(&mut c, p)?.outcome()));
        }
        let metas: Option<Vec<_>> =
            job.inputs().iter().map(|id| c.live.manifest().live(*id).map(|e| e.meta.clone())).collect();
        let inputs: Option<Vec<_>> =
            job.inputs().iter().map(|id| c.live.object(*id).map(Arc::clone)).collect();
        Ok(match (metas, inputs) {
            (Some(metas), Some(inputs)) if !metas.is_empty() => {
                Planned::Merge(Merge { job, inputs, metas, edits: c.live.edits(), epoch: root.epoch })
            }
            _ => Planned::Nothing,
        })
    }

    /// Quarantined objects may expire, but not be merged.
    fn plan_job(&self, c: &Commits<E>) -> Option<Job> {
        let (now, policy) = (self.env.now(), &self.env.config.policy);
        let (edits, mut metas) = (c.live.edits(), c.live.manifest().metas());
        let bad = c.live.quarantined_ids();
        let known: BTreeSet<_> = metas.iter().map(|m| m.id).collect();
        let job = self.env.engine.plan(&metas, &edits, policy, now)?;
        let usable = |job: &Job| !job.inputs().is_empty() && job.inputs().iter().all(|id| known.contains(id));
        let merges_bad = matches!(job, Job::Merge { .. }) && job.inputs().iter().any(|id| bad.contains(id));
        if !merges_bad {
            return Some(job).filter(usable);
        }
        metas.retain(|m| !bad.contains(&m.id));
        self.env.engine.plan(&metas, &edits, policy, now).filter(usable)
    }

    /// Runs a merge. Nothing is visible yet.
    ///
    /// # Errors
    /// The engine's and the media's; what was written is thrown away, and a damaged input is quarantined.
    pub fn write_merge(&self, merge: &Merge<E>, stop: &Stop, cpu_share: f64) -> Result<Written, StepError> {
        let mut sink = Sink::new(&self.env, merge.epoch, Pace::new(cpu_share, stop));
        let result = self.env.engine.run(&merge.job, &merge.inputs, &mut sink, stop);
        let written = sink.into_written();
        let Err(e) = result else { return Ok(written) };
        self.discard(merge.epoch, written);
        if !matches!(e, Error::Stopped) {
            self.env.count(|c| c.merge_failures += 1);
        }
        if matches!(e, Error::Corrupt { .. } | Error::Io(_)) {
            self.verify();
        }
        Err(e.into())
    }

    /// Commits a merge on top of whatever flushes committed meanwhile.
    ///
    /// # Errors
    /// The media's; [`StepError::Unknown`] when the next step has to find out.
    pub fn commit_merge(&self, merge: &Merge<E>, written: Written) -> Result<Outcome, StepError> {
        let mut c = lock(&self.commits);
        if let Err(e) = self.settle(&mut c) {
            drop(c);
            self.discard(merge.epoch, written);
            return Err(e);
        }
        let Some(root) = c.writable_root().filter(|r| r.epoch == merge.epoch && self.is_current(&c, merge))
        else {
            drop(c);
            self.env.count(|c| c.merges_abandoned += 1);
            self.discard(merge.epoch, written);
            return Ok(Outcome::Discarded);
        };
        let origin = Origin {
            write_time: merge.metas.iter().map(|m| m.write_time).max().unwrap_or_default(),
            log_first: merge.metas.iter().map(|m| m.log_first).min().unwrap_or_default(),
            log_end: merge.metas.iter().map(|m| m.log_end).max().unwrap_or_default(),
        };
        let created = written.created.clone();
        let add = match self.open_drafts(&written.drafts, &origin) {
            Ok(add) => add,
            Err(e) => {
                drop(c);
                self.env.count(|c| c.merge_failures += 1);
                self.discard(merge.epoch, written);
                return Err(e);
            }
        };
        let remove = merge.job.inputs().to_vec();
        let tally = Box::new(|c: &mut Counters| c.merges += 1);
        let p = Proposal { offset: root.offset, add, remove, created, tally };
        Ok(self.propose(&mut c, p)?.outcome())
    }

    fn is_current(&self, c: &Commits<E>, merge: &Merge<E>) -> bool {
        let same_edits = *merge.edits == *c.live.edits();
        let all_live = merge.metas.iter().all(|m| c.live.manifest().live(m.id).is_some());
        (same_edits && all_live) || self.env.config.mutated(Mutation::MergeStaleInputs)
    }

    /// Reads every live object again, and quarantines what is damaged. Returns how many objects are quarantined then.
    /// Who comes while another reads waits for it and takes its result.
    pub fn verify(&self) -> usize {
        let before = self.verified.load(Ordering::Acquire);
        let one_at_a_time = lock(&self.verifying);
        if self.verified.load(Ordering::Acquire) == before {
            self.verify_now();
            self.verified.fetch_add(1, Ordering::AcqRel);
        }
        drop(one_at_a_time);
        self.publication.current().live.quarantined()
    }

    fn verify_now(&self) {
        let live = Arc::clone(&lock(&self.commits).live);
        let entries = live.manifest().live.iter();
        let bad: BTreeSet<_> = entries
            .filter(|e| live.object(e.meta.id).is_some() && is_damaged(&self.env, e))
            .map(|e| e.meta.id)
            .collect();
        if !bad.is_empty() {
            tracing::error!(of = %self.env.of, objects = ?bad, "objects are quarantined: their bytes are damaged");
            let mut c = lock(&self.commits);
            self.show_live(&mut c, |live| Some(live.without(&bad)));
        }
    }

    /// Tries again to open quarantined objects. Says whether one is served again.
    pub fn reopen(&self) -> bool {
        let mut c = lock(&self.commits);
        let healed = self.show_live(&mut c, |live| live.reopen(&self.env));
        if healed {
            tracing::info!(of = %self.env.of, "quarantined objects can be read again");
        }
        healed
    }
}
