//! The head of a partition: a queue of generations, oldest first, the last one open.
//!
//! Knows: where a generation begins and ends (functions of the log alone, so that all holders agree), and which ones a
//! root's offset has passed. Must not know: roots, objects, threads. Start at [`Generations`].
//!
//! ```text
//!   root.offset                                   position
//!       │  sealed 0   │   sealed 1   │    open       │
//!       └─ first   end┴─ first    end┴─ first        ┘
//! ```

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use runtime_engine::{Applied, Engine, Error, Offset, Record, Result, Time};

/// Where generations end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Payload bytes of one generation.
    pub(crate) generation_bytes: u64,
    /// Span of record times of one generation.
    pub(crate) generation_age: Duration,
    /// Memory of one generation, as the engine counts it.
    pub(crate) head_bytes: u64,
}

/// What a generation covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Where the one before it ends: no record between here and its own first one is missing in it.
    pub(crate) first: Offset,
    /// First and last record in it.
    pub(crate) records: Option<(Offset, Offset)>,
    /// Payload bytes.
    pub(crate) payload_bytes: u64,
    /// Time of its first record.
    pub(crate) time_first: Time,
    /// Latest record time in it.
    pub(crate) time_newest: Time,
}

impl Span {
    fn at(first: Offset) -> Self {
        Self { first, records: None, payload_bytes: 0, time_first: Time(0), time_newest: Time(0) }
    }

    fn take(&mut self, at: Offset, time: Time, payload_bytes: u64) {
        match &mut self.records {
            Some((_, last)) => *last = at,
            none => {
                *none = Some((at, at));
                self.time_first = time;
            }
        }
        self.time_newest = self.time_newest.max(time);
        self.payload_bytes = self.payload_bytes.saturating_add(payload_bytes);
    }

    /// Whether objects of this generation may be committed against a root at `offset`: it reaches back to the offset,
    /// and no record of it is below.
    pub(crate) fn begins_at(&self, offset: Offset) -> bool {
        self.first <= offset && self.records.is_none_or(|(first, _)| offset <= first)
    }

    /// Age of the first record at `now`; clocks jump, so the distance counts in both directions.
    pub(crate) fn age(&self, now: Time) -> Duration {
        match self.records {
            Some(_) => Duration::from_nanos(self.time_first.0.abs_diff(now.0)),
            None => Duration::ZERO,
        }
    }
}

/// A generation that takes no more records; readable until its objects are published.
pub(crate) struct Sealed<E: Engine> {
    /// Locked by the flush that writes it.
    pub(crate) head: Mutex<E::Head>,
    pub(crate) view: E::View,
    pub(crate) span: Span,
    /// Where it ends: the root's offset once its objects are committed.
    pub(crate) end: Offset,
    pub(crate) head_bytes: u64,
}

struct Open<E: Engine> {
    head: E::Head,
    span: Span,
    head_bytes: u64,
}

impl<E: Engine> Open<E> {
    fn new(
        engine: &E,
        live: &[Arc<E::Object>],
        before: Option<&E::Head>,
        at: Offset,
        l: Limits,
    ) -> Result<Self> {
        Ok(Self { head: engine.head(live, before, l.head_bytes)?, span: Span::at(at), head_bytes: 0 })
    }
}

/// The queue.
pub(crate) struct Generations<E: Engine> {
    sealed: VecDeque<Arc<Sealed<E>>>,
    open: Open<E>,
    /// Everything below was given to a generation.
    position: Offset,
    limits: Limits,
}

impl<E: Engine> Generations<E> {
    pub(crate) fn new(engine: &E, live: &[Arc<E::Object>], at: Offset, limits: Limits) -> Result<Self> {
        let open = Open::new(engine, live, None, at, limits)?;
        Ok(Self { sealed: VecDeque::new(), open, position: at, limits })
    }

    pub(crate) fn position(&self) -> Offset {
        self.position
    }

    pub(crate) fn oldest_sealed(&self) -> Option<&Arc<Sealed<E>>> {
        self.sealed.front()
    }

    pub(crate) fn len(&self) -> usize {
        self.sealed.len() + 1
    }

    /// Memory of the open generation, and of the sealed ones.
    pub(crate) fn weights(&self) -> (u64, u64) {
        (self.open.head_bytes, self.sealed.iter().map(|s| s.head_bytes).sum())
    }

    /// Whether no generation holds a record.
    pub(crate) fn is_empty(&self) -> bool {
        self.sealed.is_empty() && self.open.span.records.is_none()
    }

    /// Age of the oldest record that no object holds.
    pub(crate) fn age(&self, now: Time) -> Duration {
        self.sealed.front().map_or(self.open.span, |s| s.span).age(now)
    }

    /// The oldest record that no object holds.
    pub(crate) fn oldest_record(&self) -> Option<Offset> {
        self.sealed.front().map_or(self.open.span, |s| s.span).records.map(|(first, _)| first)
    }

    /// Looks at all generations, oldest first.
    pub(crate) fn views(&self, engine: &E) -> Vec<E::View> {
        let sealed = self.sealed.iter().map(|s| s.view.clone());
        let open = self.open.span.records.is_some().then(|| engine.view(&self.open.head));
        sealed.chain(open).collect()
    }

    /// Gives the record at `at` to the open generation, after ending it where the log says so.
    pub(crate) fn apply(
        &mut self,
        engine: &E,
        live: &[Arc<E::Object>],
        at: Offset,
        r: Record<'_>,
    ) -> Result<()> {
        let payload_bytes = u64::try_from(r.payload.len()).unwrap_or(u64::MAX);
        let span = &self.open.span;
        if span.records.is_some()
            && (span.payload_bytes.saturating_add(payload_bytes) > self.limits.generation_bytes
                || span.age(r.time) >= self.limits.generation_age)
        {
            self.seal(engine, live, at)?;
        }
        let mut applied = engine.apply(&mut self.open.head, at, r)?;
        if applied == Applied::Full && self.seal(engine, live, at)? {
            applied = engine.apply(&mut self.open.head, at, r)?;
        }
        let Applied::Taken { head_bytes } = applied else {
            return Err(too_large(at, payload_bytes));
        };
        self.open.head_bytes = head_bytes;
        self.open.span.take(at, r.time, payload_bytes);
        Ok(())
    }

    /// Everything below `to` was given.
    pub(crate) fn advance(&mut self, to: Offset) {
        self.position = self.position.max(to);
    }

    /// Ends the open generation at `at`, if it holds a record. Says whether it did.
    pub(crate) fn seal(&mut self, engine: &E, live: &[Arc<E::Object>], at: Offset) -> Result<bool> {
        if self.open.span.records.is_none() {
            return Ok(false);
        }
        let next = Open::new(engine, live, Some(&self.open.head), at, self.limits)?;
        let view = engine.view(&self.open.head);
        let Open { head, span, head_bytes } = std::mem::replace(&mut self.open, next);
        let sealed = Sealed { head: Mutex::new(head), view, span, end: at, head_bytes };
        self.sealed.push_back(Arc::new(sealed));
        Ok(true)
    }

    /// The root's offset is `to` now: drops the generations that are wholly below it. False when it lies inside one, or
    /// beyond the position: the heads must be built again from there.
    pub(crate) fn pass(&mut self, to: Offset, part_too: bool) -> bool {
        if to > self.position {
            return false;
        }
        let below =
            |s: &Span| s.records.is_none_or(|(first, last)| if part_too { first < to } else { last < to });
        let dropped = self.sealed.iter().take_while(|s| below(&s.span)).count();
        let kept = self.sealed.get(dropped).map_or(self.open.span, |s| s.span);
        if kept.records.is_some_and(|(first, _)| first < to) && !part_too {
            return false;
        }
        self.sealed.drain(..dropped);
        if self.sealed.is_empty() {
            self.open.span.first = to;
        }
        true
    }

    /// Throws everything away and begins again at `at`.
    pub(crate) fn reset(&mut self, engine: &E, live: &[Arc<E::Object>], at: Offset) -> Result<()> {
        *self = Self::new(engine, live, at, self.limits)?;
        Ok(())
    }
}

/// Runs `f` on a sealed head. A panic of an earlier flush leaves the head as it was: flushes do not change it.
pub(crate) fn with_head<E: Engine, T>(s: &Sealed<E>, f: impl FnOnce(&E::Head) -> T) -> T {
    f(&s.head.lock().unwrap_or_else(PoisonError::into_inner))
}

fn too_large(at: Offset, payload_bytes: u64) -> Error {
    Error::corrupt(format!("log record {at}"), format!("{payload_bytes} bytes do not fit into an empty head"))
}

#[cfg(test)]
mod tests;
