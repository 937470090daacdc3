//! Orders of search results.
//!
//! Knows: what goes before what. Must not know: how anything is found.

use std::cmp::Reverse;

/// The order of an answer; ties go by id, ascending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// By the start of the newest matching span, descending.
    #[default]
    Newest,
    /// By the start of the oldest matching span, ascending.
    Oldest,
    /// By first start to last end of the trace, descending.
    Longest,
    /// By the number of spans of the trace, descending.
    Spans,
    /// By the number of spans of the trace that failed, descending.
    Errors,
}

/// A trace and what it is ordered by: a start, a duration or a count.
pub type Ranked = (u64, [u8; 16]);

/// A place in an answer: what is before is less.
pub(crate) type Place = (Reverse<u64>, [u8; 16]);

/// The two orders that go by the starts of matching spans.
///
/// Both become "greatest score first": for the oldest the score is the start upside down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByStart {
    Newest,
    Oldest,
}

impl ByStart {
    /// Score of a start, and start of a score.
    pub(crate) fn score(self, start: u64) -> u64 {
        match self {
            Self::Newest => start,
            Self::Oldest => !start,
        }
    }
}

/// The place of a trace with a score.
pub(crate) fn place((score, id): Ranked) -> Place {
    (Reverse(score), id)
}
