//! Deliberate bugs. Each is a rule of this log broken in the real code, and the simulation must catch each of them;
//! without the feature `mutations` none of them can be switched on.
//!
//! Knows: names of bugs. Must not know: how they are caught. Start at [`Mutation`].

/// A rule to break.
#[cfg_attr(not(feature = "mutations"), expect(unreachable_pub, reason = "exported with the feature only"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Acknowledge what was written but not synced.
    SkipSync,
    /// Acknowledge what is in a new file whose name is not durable.
    SkipDirSync,
    /// Acknowledge before the write, whatever becomes of it.
    AckBeforeWrite,
    /// Ask a file again whose sync has failed, and believe the answer.
    RetrySync,
    /// Go on in a file whose write or sync has failed.
    KeepPoisonedFile,
    /// Believe at open that everything found is durable.
    SkipSyncAtOpen,
    /// Continue below the highest root offset.
    IgnoreFloor,
    /// Give the offsets of refused records to others.
    ReuseRefusedOffsets,
    /// Deliver bodies without summing them.
    SkipBodySum,
    /// Remove files that one partition is past, instead of all.
    ReleaseTooMuch,
}

/// The bug of this log, if any.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bug {
    #[cfg(feature = "mutations")]
    pub(crate) mutation: Option<Mutation>,
}

impl Bug {
    /// Whether the log has this bug; never without the feature.
    #[cfg(feature = "mutations")]
    pub(crate) fn is(self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Whether the log has this bug; never without the feature.
    #[cfg(not(feature = "mutations"))]
    #[expect(clippy::unused_self, reason = "same signature with and without the feature")]
    pub(crate) const fn is(self, _mutation: Mutation) -> bool {
        false
    }
}
