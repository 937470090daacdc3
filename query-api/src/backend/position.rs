//! Log positions as they travel in headers: `traces/0@17,traces/3@42`.
//!
//! Knows: the text form, written down in `shared-proto/docs/wire.md`. Must not know: logs. Start at [`Positions::parse`].

use std::collections::BTreeMap;
use std::fmt;

/// The store whose partitions these are.
pub(crate) const STORE: &str = "traces";

/// At most one position per partition of the trace store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Positions(BTreeMap<u32, u64>);

/// A text that is no list of positions.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a position: expected `<store>/<partition>@<offset>`, as a write's `x-yc-position` gave it"
)]
pub(crate) struct PositionError(String);

impl Positions {
    /// Adds the positions listed in `text`; of one partition the furthest counts, other stores' are skipped.
    ///
    /// # Errors
    /// When an element is not a position.
    pub(crate) fn parse(&mut self, text: &str) -> Result<(), PositionError> {
        for element in text.split(',').map(str::trim).filter(|e| !e.is_empty()) {
            let wrong = || PositionError(element.to_owned());
            let (store, rest) = element.split_once('/').ok_or_else(wrong)?;
            let (partition, offset) = rest.split_once('@').ok_or_else(wrong)?;
            let partition = partition.parse().map_err(|_no_number| wrong())?;
            let offset = offset.parse().map_err(|_no_number| wrong())?;
            if store == STORE {
                self.raise(partition, offset);
            }
        }
        Ok(())
    }

    /// Notes a position, unless a further one is noted.
    pub(crate) fn raise(&mut self, partition: u32, offset: u64) {
        let at = self.0.entry(partition).or_default();
        *at = offset.max(*at);
    }

    /// Notes the further of two positions in every partition.
    pub(crate) fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(partition, offset)| self.raise(*partition, *offset));
    }

    /// The lowest `position_min` with which a read of `partition` includes the record noted for it.
    pub(crate) fn min_of(&self, partition: u32) -> Option<u64> {
        self.0.get(&partition).map(|offset| offset.saturating_add(1))
    }

    /// The largest partition named.
    pub(crate) fn last_partition(&self) -> Option<u32> {
        self.0.last_key_value().map(|(partition, _)| *partition)
    }
}

impl fmt::Display for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (partition, offset)) in self.0.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            write!(f, "{comma}{STORE}/{partition}@{offset}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_or_named() {
        let check = |text: &str, expect: &str| {
            let mut positions = Positions::default();
            match positions.parse(text) {
                Ok(()) => assert_eq!(positions.to_string(), expect, "{text}"),
                Err(e) => assert!(e.to_string().starts_with(expect), "{text}: {e}"),
            }
        };
        check("traces/0@17", "traces/0@17");
        check(" traces/3@42, traces/0@17,traces/3@5 ", "traces/0@17,traces/3@42");
        check("metrics/0@5", "");
        check("", "");
        for wrong in ["traces/0", "traces@1", "traces/x@1", "traces/0@-1", "17"] {
            check(wrong, &format!("`{wrong}` is not a position"));
        }
    }
}
