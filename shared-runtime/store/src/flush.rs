//! Flush: the oldest sealed generation becomes objects, and the root moves past it.
//!
//! Knows: the three moments of a flush (begin, write, commit), which a simulator may take apart. Must not know: when to
//! seal. Start at [`Holder::flush_step`].

use std::sync::Arc;

use runtime_engine::{Engine, ObjectDraft, ObjectId, ObjectMeta, Offset, Time};

use crate::commit::{Commits, Proposal};
use crate::env::lock;
use crate::generations::{Sealed, with_head};
use crate::holder::{Holder, Outcome};
use crate::live::open_object;
use crate::manifest::Entry;
use crate::pace::Pace;
use crate::sink::{Sink, Written};
use crate::{Counters, Mutation, StepError};

/// A flush under way. The generation stays readable until the commit is applied.
pub struct Flush<E: Engine> {
    sealed: Arc<Sealed<E>>,
    epoch: u64,
}

/// A new object: its entry for the manifest, and itself.
pub(crate) type Opened<E> = (Entry, Arc<<E as Engine>::Object>);

/// What the runtime adds to an engine's draft.
pub(crate) struct Origin {
    pub(crate) write_time: Time,
    pub(crate) log_first: Offset,
    pub(crate) log_end: Offset,
}

impl<E: Engine> Holder<E> {
    /// Flushes the oldest sealed generation, if we are the writer and there is one.
    ///
    /// # Errors
    /// The engine's and the media's; the generation stays readable and the step may be repeated.
    pub fn flush_step(&self) -> Result<Outcome, StepError> {
        let Some(flush) = self.begin_flush()? else { return Ok(Outcome::Nothing) };
        let written = self.write_flush(&flush)?;
        self.commit_flush(&flush, written)
    }

    /// Takes the oldest sealed generation.
    ///
    /// # Errors
    /// [`StepError::Unknown`] while an earlier swap is not settled.
    pub fn begin_flush(&self) -> Result<Option<Flush<E>>, StepError> {
        let mut c = lock(&self.commits);
        self.settle(&mut c)?;
        let Some(root) = c.writable_root() else { return Ok(None) };
        let front = lock(&self.front);
        let sealed = front.generations.oldest_sealed().filter(|s| s.span.begins_at(root.offset));
        Ok(sealed.map(|s| Flush { sealed: Arc::clone(s), epoch: root.epoch }))
    }

    /// Writes its objects. Nothing is visible yet.
    ///
    /// # Errors
    /// The engine's and the medium's; what was written is thrown away.
    pub fn write_flush(&self, flush: &Flush<E>) -> Result<Written, StepError> {
        let mut sink = Sink::new(&self.env, flush.epoch, Pace::default());
        let result = with_head(&flush.sealed, |head| self.env.engine.flush(head, &mut sink));
        let written = sink.into_written();
        match result {
            Ok(()) => Ok(written),
            Err(e) => {
                self.env.count(|c| c.flush_failures += 1);
                self.discard(flush.epoch, written);
                Err(e.into())
            }
        }
    }

    /// Commits what was written, against a root that begins where the generation does, and no other: after a takeover
    /// it is discarded.
    ///
    /// # Errors
    /// The media's; [`StepError::Unknown`] when the next step has to find out.
    pub fn commit_flush(&self, flush: &Flush<E>, written: Written) -> Result<Outcome, StepError> {
        let mut c = lock(&self.commits);
        if let Err(e) = self.settle(&mut c) {
            drop(c);
            self.discard(flush.epoch, written);
            return Err(e);
        }
        let Some(root) = c.root.filter(|_| self.may_commit(&c, flush)) else {
            drop(c);
            self.discard(flush.epoch, written);
            return Ok(Outcome::Discarded);
        };
        let span = flush.sealed.span;
        let origin =
            Origin { write_time: span.time_newest, log_first: span.first, log_end: flush.sealed.end };
        let created = written.created.clone();
        let add = match self.open_drafts(&written.drafts, &origin) {
            Ok(add) => add,
            Err(e) => {
                drop(c);
                self.env.count(|c| c.flush_failures += 1);
                self.discard(flush.epoch, written);
                return Err(e);
            }
        };
        let offset = flush.sealed.end.max(root.offset);
        let tally = Box::new(|c: &mut Counters| c.flushes += 1);
        let p = Proposal { offset, add, remove: Vec::new(), created, tally };
        Ok(self.propose_on(&mut c, root, p)?.outcome())
    }

    fn may_commit(&self, c: &Commits<E>, flush: &Flush<E>) -> bool {
        let ours = c.writable_root().is_some_and(|r| r.epoch == flush.epoch);
        let oldest = c.root.is_some_and(|r| flush.sealed.span.begins_at(r.offset));
        (ours && oldest) || self.env.config.mutated(Mutation::RebaseFlush)
    }

    /// Entries of new objects, each opened from what was stored: nothing is committed that cannot be read.
    pub(crate) fn open_drafts(
        &self,
        drafts: &[ObjectDraft],
        origin: &Origin,
    ) -> Result<Vec<Opened<E>>, StepError> {
        drafts
            .iter()
            .map(|d| {
                let meta = self.meta(d, origin);
                let opened = open_object(&self.env, &meta)?;
                Ok((Entry::new(meta), opened))
            })
            .collect()
    }

    fn meta(&self, d: &ObjectDraft, origin: &Origin) -> ObjectMeta {
        ObjectMeta {
            id: d.parts.first().map_or(ObjectId(0), |p| p.id),
            parts: d.parts.clone(),
            level: d.level,
            rows: d.rows,
            time_min: d.time_min,
            time_max: d.time_max,
            write_time: origin.write_time,
            log_first: origin.log_first,
            log_end: origin.log_end,
            expires_at: self.env.expires_at(d.time_max, origin.write_time),
            extra: d.extra.clone(),
        }
    }
}
