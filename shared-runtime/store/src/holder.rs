//! One holder of one partition: the deterministic core that threads (or a simulator) drive step by step.
//!
//! Knows: how the rooms fit together: `replay` feeds the head, `flush` and `compaction` write objects, `commit` moves
//! the root, `claim` and `follower` decide who may, `sweeper` deletes, `publication` shows it. Must not know: threads.
//! Start at [`Holder::open`] and the `*_step` methods.
//!
//! Two locks, always taken in this order: `commits` (the root's side; commits are serialised by it), then `front` (the
//! head's side; held for moments). Objects are written under neither.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime_engine::{Engine, Offset, Partition, Position, Snapshot};
use runtime_objects::{Root, RootError};
use tokio::sync::watch;

use crate::commit::Commits;
use crate::env::{Env, lock};
use crate::live::LiveSet;
use crate::publication::{Publication, Published};
use crate::replay::Front;
use crate::{Budget, Media, NotReached, OpenError, PartitionStats, StoreConfig};

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to do.
    Nothing,
    /// The root moved.
    Committed,
    /// The work was thrown away: another writer has the partition, or its premises changed.
    Discarded,
}

/// One holder of one partition.
pub struct Holder<E: Engine> {
    pub(crate) env: Env<E>,
    pub(crate) commits: Mutex<Commits<E>>,
    pub(crate) front: Mutex<Front<E>>,
    pub(crate) publication: Publication<E>,
    /// Root offset of the last swap that is known to be durable: the log below may go.
    pub(crate) confirmed: AtomicU64,
    /// A look at the root's side that needs no waiting for a commit under way.
    pub(crate) seen: Mutex<Seen>,
    /// Held while all objects are read again.
    pub(crate) verifying: Mutex<()>,
    /// How often that was done.
    pub(crate) verified: AtomicU64,
}

/// What numbers show of the root's side.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) root: Root,
    pub(crate) writing: bool,
    pub(crate) removed_objects: usize,
}

impl<E: Engine> Holder<E> {
    /// Reads the root and its manifest, and starts an empty head there. It follows until it claims. Under a damaged root
    /// it serves what the log holds, says that something is missing, and commits nothing.
    ///
    /// # Errors
    /// When the root or the manifest cannot be read, or is of another version.
    pub fn open(
        engine: Arc<E>,
        config: Arc<StoreConfig>,
        partition: Partition,
        media: &Media,
        budget: Arc<Budget>,
    ) -> Result<Self, OpenError> {
        let env = Env::new(engine, config, partition, media, budget);
        let (root, live) = match Self::load(&env, &LiveSet::empty()) {
            Err(OpenError::Root { of, source: error @ RootError::Corrupt { .. } }) => {
                tracing::error!(%of, %error, "the root is damaged: only what the log holds is served, nothing is committed");
                (None, LiveSet::unreadable())
            }
            loaded => loaded?,
        };
        let live = Arc::new(live);
        let offset = root.map_or(Offset(0), |r| r.offset);
        let target = env.reader.durable_end();
        let front = Front::new(&env, Arc::clone(&live), offset, target)
            .map_err(|source| OpenError::Engine { of: env.of.clone(), source })?;
        let first = Published { live: Arc::clone(&live), heads: Vec::new(), position: offset, damaged: 0 };
        let holder = Self {
            publication: Publication::new(partition, first),
            commits: Mutex::new(Commits::new(root, live)),
            front: Mutex::new(front),
            confirmed: AtomicU64::new(offset.0),
            seen: Mutex::new(Seen::default()),
            verifying: Mutex::new(()),
            verified: AtomicU64::new(0),
            env,
        };
        holder.note(&lock(&holder.commits));
        Ok(holder)
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.env.of.partition
    }

    /// What is visible now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<E> {
        self.publication.snapshot()
    }

    /// How far the snapshot reaches.
    #[must_use]
    pub fn position(&self) -> Position {
        self.publication.position()
    }

    /// Follows the position.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Offset> {
        self.publication.watch()
    }

    /// Blocks until the snapshot includes everything below `asked`.
    ///
    /// # Errors
    /// [`NotReached`] when the time is over.
    pub fn wait_for(&self, asked: Position, timeout: Duration) -> Result<(), NotReached> {
        self.publication.wait_for(asked, timeout)
    }

    /// The root's offset as last known to be durable: this partition needs nothing of the log below it.
    #[must_use]
    pub fn confirmed(&self) -> Offset {
        Offset(self.confirmed.load(Ordering::Acquire))
    }

    /// Whether this holder may commit.
    #[must_use]
    pub fn is_writer(&self) -> bool {
        lock(&self.seen).writing
    }

    /// The root as last seen.
    #[must_use]
    pub fn root(&self) -> Root {
        lock(&self.seen).root
    }

    /// Whether records that were in the log at start (or at the last rebuild) are not visible yet.
    #[must_use]
    pub fn is_replaying(&self) -> bool {
        lock(&self.front).is_replaying()
    }

    /// Damaged objects, manifests and log records.
    #[must_use]
    pub fn quarantined(&self) -> usize {
        let p = self.publication.current();
        p.live.quarantined() + p.damaged
    }

    /// Numbers.
    #[must_use]
    pub fn stats(&self) -> PartitionStats {
        let now = self.env.now();
        let seen = *lock(&self.seen);
        let published = self.publication.current();
        let front = lock(&self.front);
        let (open, sealed) = front.generations.weights();
        let live = &published.live.manifest().live;
        PartitionStats {
            partition: self.partition(),
            writing: seen.writing,
            root_version: seen.root.version,
            root_epoch: seen.root.epoch,
            root_offset: seen.root.offset,
            position: published.position,
            head_bytes: open.saturating_add(sealed),
            generations: front.generations.len(),
            flush_age: front.generations.age(now),
            objects: live.len(),
            object_bytes: live.iter().map(|e| e.meta.len_bytes()).sum(),
            removed_objects: seen.removed_objects,
            quarantined: published.live.quarantined() + published.damaged,
            counters: self.env.counters(),
        }
    }

    /// Live objects that no merge has touched yet.
    #[must_use]
    pub fn fresh_objects(&self) -> usize {
        self.publication.current().live.fresh()
    }

    pub(crate) fn note(&self, c: &Commits<E>) {
        *lock(&self.seen) = Seen {
            root: c.root.unwrap_or_default(),
            writing: c.writer.is_some(),
            removed_objects: c.live.manifest().removed.iter().map(|r| r.ids.len()).sum(),
        };
    }
}
