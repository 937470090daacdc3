//! What readers see, and how they wait for it.
//!
//! Knows: the current snapshot, swapped in one step, and the position that it reaches. Must not know: how it came
//! about. Start at [`Publication`].

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use runtime_engine::{Engine, Offset, Partition, Position, Snapshot};
use tokio::sync::watch;

use crate::NotReached;
use crate::live::LiveSet;

/// Everything of one partition that is visible together.
pub(crate) struct Published<E: Engine> {
    pub(crate) live: Arc<LiveSet<E>>,
    pub(crate) heads: Vec<E::View>,
    pub(crate) position: Offset,
    /// Log records that are lost to damage.
    pub(crate) damaged: usize,
}

/// The place where a partition's snapshot stands.
pub(crate) struct Publication<E: Engine> {
    partition: Partition,
    current: ArcSwap<Published<E>>,
    position: watch::Sender<Offset>,
    lock: Mutex<()>,
    moved: Condvar,
}

impl<E: Engine> Publication<E> {
    pub(crate) fn new(partition: Partition, first: Published<E>) -> Self {
        Self {
            partition,
            position: watch::Sender::new(first.position),
            current: ArcSwap::from_pointee(first),
            lock: Mutex::new(()),
            moved: Condvar::new(),
        }
    }

    /// Makes `next` visible. A snapshot never goes back: while heads are built again, the old one stays.
    pub(crate) fn publish(&self, next: Published<E>) {
        let position = next.position;
        if position < *self.position.borrow() {
            return;
        }
        self.current.store(Arc::new(next));
        let moved = self.position.send_if_modified(|p| {
            let moved = *p != position;
            *p = position;
            moved
        });
        if moved {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.moved.notify_all();
        }
    }

    pub(crate) fn current(&self) -> Arc<Published<E>> {
        self.current.load_full()
    }

    pub(crate) fn snapshot(&self) -> Snapshot<E> {
        let p = self.current.load();
        Snapshot {
            objects: p.live.objects().to_vec(),
            heads: p.heads.clone(),
            edits: p.live.edits(),
            position: self.at(p.position),
            quarantined: p.live.quarantined() + p.damaged,
        }
    }

    pub(crate) fn position(&self) -> Position {
        self.at(*self.position.borrow())
    }

    /// Follows the position, for asynchronous waiters.
    pub(crate) fn watch(&self) -> watch::Receiver<Offset> {
        self.position.subscribe()
    }

    fn at(&self, offset: Offset) -> Position {
        Position { partition: self.partition, offset }
    }

    /// Blocks until the snapshot includes everything below `asked`.
    pub(crate) fn wait_for(&self, asked: Position, timeout: Duration) -> Result<(), NotReached> {
        let deadline = Instant::now() + timeout;
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let reached = self.position();
            if reached.offset >= asked.offset {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NotReached { asked, reached });
            }
            guard = self.moved.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
