//! What every room of a holder is given: the engine, the limits, the media, the counters.
//!
//! Knows: handles. Must not know: state.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use runtime_engine::{Engine, Partition, Time};
use runtime_files::Clock;
use runtime_log::LogReader;
use runtime_objects::{Objects, Roots, StorePartition};

use crate::generations::Limits;
use crate::{Budget, Counters, Media, StoreConfig};

/// The handles of one holder.
pub(crate) struct Env<E: Engine> {
    pub(crate) engine: Arc<E>,
    pub(crate) config: Arc<StoreConfig>,
    pub(crate) of: StorePartition,
    pub(crate) reader: Arc<dyn LogReader>,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) roots: Arc<dyn Roots>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) budget: Arc<Budget>,
    counters: Mutex<Counters>,
}

impl<E: Engine> Env<E> {
    pub(crate) fn new(
        engine: Arc<E>,
        config: Arc<StoreConfig>,
        partition: Partition,
        media: &Media,
        budget: Arc<Budget>,
    ) -> Self {
        Self {
            engine,
            of: StorePartition { store: Arc::clone(&config.name), partition },
            config,
            reader: Arc::clone(&media.reader),
            objects: Arc::clone(&media.objects),
            roots: Arc::clone(&media.roots),
            clock: Arc::clone(&media.clock),
            budget,
            counters: Mutex::new(Counters::default()),
        }
    }

    pub(crate) fn now(&self) -> Time {
        Time(self.clock.now())
    }

    /// When retention may remove what ends at `time_max` and was written at `write_time`: never later than its age
    /// since it was written, whatever the events say.
    pub(crate) fn expires_at(&self, time_max: Time, write_time: Time) -> Time {
        self.config.policy.retention.map_or(Time(u64::MAX), |d| time_max.min(write_time).plus(d))
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            generation_bytes: self.config.generation_bytes,
            generation_age: self.config.generation_age,
            head_bytes: self.config.head_bytes_max / 2,
        }
    }

    pub(crate) fn count(&self, f: impl FnOnce(&mut Counters)) {
        f(&mut lock(&self.counters));
    }

    pub(crate) fn counters(&self) -> Counters {
        *lock(&self.counters)
    }
}

/// Locks; a thread that panicked while it held the lock leaves values that the next step checks anyway.
pub(crate) fn lock<T: ?Sized>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}
