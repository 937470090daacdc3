//! Why an answer lacks something, partition by partition.
//!
//! Knows: reasons and their text on the wire. Must not know: where a text is put. Start at [`Partial`].

use std::collections::BTreeMap;
use std::fmt;

use super::position::STORE;

/// A store that lost an object says so with this word, and waiting does not bring it back.
const QUARANTINED: &str = "quarantined";
/// Nobody answered for the partition.
pub(crate) const SILENT: &str = "silent";
/// The answer does not cover what the partition's log held two seconds ago.
pub(crate) const LAGGING: &str = "lagging";
/// The partition had more to give than one answer may hold.
pub(crate) const CUT: &str = "cut";

/// Partitions whose part of the answer is not whole, each with the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Partial(BTreeMap<u32, String>);

impl Partial {
    /// Notes why `partition` lacks something, in one word; an empty one means that it does not.
    pub(crate) fn note(&mut self, partition: u32, reason: &str) {
        if reason.is_empty() {
            return;
        }
        let reasons = self.0.entry(partition).or_default();
        if !reasons.is_empty() {
            reasons.push('+');
        }
        reasons.extend(reason.chars().map(|c| match c {
            ',' | '=' => ' ',
            c if c == ' ' || c.is_ascii_graphic() => c,
            _ => '?',
        }));
    }

    /// Adds the reasons of another part of the same answer.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (partition, reason) in &other.0 {
            if self.0.get(partition) != Some(reason) {
                self.note(*partition, reason);
            }
        }
    }

    /// Partitions as `traces/2`, each with its reason.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = (String, &str)> {
        self.0.iter().map(|(partition, reason)| (format!("{STORE}/{partition}"), reason.as_str()))
    }

    /// Whether the answer is whole.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what is missing now may be there soon, so that an absence proves nothing.
    pub(crate) fn may_heal(&self) -> bool {
        self.0.values().flat_map(|reasons| reasons.split('+')).any(|reason| reason != QUARANTINED)
    }
}

/// `traces/0=silent,traces/3=replaying`.
impl fmt::Display for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (partition, reason)) in self.0.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            write!(f, "{comma}{STORE}/{partition}={reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_safe_in_a_header() {
        let mut partial = Partial::default();
        partial.note(3, "replaying");
        partial.note(0, "a,b=c\nä");
        partial.note(1, "");
        assert_eq!(partial.to_string(), "traces/0=a b c??,traces/3=replaying");
        assert!(partial.may_heal());
    }

    #[test]
    fn a_lost_object_does_not_heal_by_waiting() {
        let mut partial = Partial::default();
        partial.note(0, "quarantined");
        assert!(!partial.may_heal());
        partial.note(1, SILENT);
        assert!(partial.may_heal());
    }
}
