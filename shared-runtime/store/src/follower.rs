//! Followers: holders that build heads and leave the commits to another.
//!
//! Knows: looking at the root, taking over its live set. Must not know: when to claim (`claim.rs`). Start at
//! [`Holder::follow`].

use std::sync::Arc;

use runtime_engine::Engine;
use runtime_objects::Root;

use crate::commit::Commits;
use crate::env::{Env, lock};
use crate::holder::Holder;
use crate::live::LiveSet;
use crate::{OpenError, StepError};

/// How often a root that moves while its manifest is read is read again.
const TRIES_MAX: usize = 5;

impl<E: Engine> Holder<E> {
    /// Looks at the root and takes over what another writer committed. Says whether there was something new. A writer
    /// that was fenced without noticing, because it had nothing to commit, learns of it here.
    ///
    /// # Errors
    /// The media's; the old snapshot stays.
    pub fn follow(&self) -> Result<bool, StepError> {
        let mut c = lock(&self.commits);
        self.settle(&mut c)?;
        if let Some(ours) = c.writer {
            let found = self.env.roots.load(&self.env.of)?;
            if found.is_some_and(|r| r.writer == ours) {
                return Ok(false);
            }
            self.fenced(&mut c, found);
        }
        self.refresh(&mut c)
    }

    /// Another writer has the partition: nothing more is committed, the heads stay.
    pub(crate) fn fenced(&self, c: &mut Commits<E>, found: Option<Root>) {
        if c.writer.take().is_some() {
            tracing::warn!(of = %self.env.of, ?found, "another writer has the partition: following it");
            self.env.count(|c| c.fenced += 1);
        }
        self.note(c);
    }

    pub(crate) fn refresh(&self, c: &mut Commits<E>) -> Result<bool, StepError> {
        let found = self.env.roots.load(&self.env.of)?;
        if found == c.root {
            return Ok(false);
        }
        let (root, live) = Self::load(&self.env, &c.live)?;
        let Some(root) = root else { return Ok(false) };
        self.adopt(c, root, Arc::new(live));
        Ok(true)
    }

    /// The root and its live set, read so that they belong together.
    pub(crate) fn load(env: &Env<E>, before: &LiveSet<E>) -> Result<(Option<Root>, LiveSet<E>), OpenError> {
        let load =
            || env.roots.load(&env.of).map_err(|source| OpenError::Root { of: env.of.clone(), source });
        let mut root = load()?;
        for _ in 0..TRIES_MAX {
            let live = LiveSet::load(env, root.and_then(|r| r.manifest), before);
            if live.as_ref().is_ok_and(|l| l.quarantined() == 0) {
                return Ok((root, live?));
            }
            // gone under a root that has moved is normal, under an unchanged one it is damage
            let again = load()?;
            if again == root {
                return Ok((root, live?));
            }
            root = again;
        }
        let live = LiveSet::load(env, root.and_then(|r| r.manifest), before)?;
        Ok((root, live))
    }
}
