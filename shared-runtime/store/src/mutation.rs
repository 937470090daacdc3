//! Seeded faults: each one weakens one rule of the store, and the simulation must notice.
//!
//! Knows: names. Must not know: the rules themselves; they look here with [`crate::StoreConfig::mutated`]. Without the
//! feature `simulation` nothing is ever mutated.

/// A rule that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// The root is swapped before the objects that it names are finished.
    CommitBeforeFinish,
    /// A swap is conditional on whatever writer stands in the root now.
    SkipWriterCheck,
    /// A flushed object is committed on top of whatever root there is.
    RebaseFlush,
    /// The sweeper removes pending ids of its own and later epochs too.
    SweepAnyEpoch,
    /// The log is released before the swap that moves the root is known to have been applied.
    ReleaseBeforeApplied,
    /// The generation leaves the snapshot before its object is published.
    DropHeadEarly,
    /// The object is published while its generation is still there.
    PublishBoth,
    /// A merge is committed although an input left since its plan.
    MergeStaleInputs,
    /// A root's offset inside a generation drops the whole generation instead of building it again.
    DropPartOfGeneration,
    /// Replaced objects are deleted at once, before the swap that replaces them is applied.
    DeleteBeforeApplied,
}

impl crate::StoreConfig {
    /// Whether a rule is switched off in this run.
    #[cfg(feature = "simulation")]
    pub(crate) fn mutated(&self, m: Mutation) -> bool {
        self.mutations.contains(&m)
    }

    /// Rules hold.
    #[cfg(not(feature = "simulation"))]
    pub(crate) const fn mutated(&self, _: Mutation) -> bool {
        false
    }
}
