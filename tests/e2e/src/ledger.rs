//! The acked-set checker: what was sent, what was acknowledged, and what is there in the end.
//!
//! Knows: ids. Must not know: how spans travel. Start at [`Ledger`].

use std::collections::{HashMap, HashSet};

/// Trace id and span id.
pub type SpanKey = ([u8; 16], [u8; 8]);

/// Remembers every span that was sent and whether its request was acknowledged.
#[derive(Debug, Default)]
pub struct Ledger {
    sent: HashSet<SpanKey>,
    acked: HashSet<SpanKey>,
}

/// What a comparison of the ledger with the store found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Acknowledged, but not there.
    pub lost: usize,
    /// There, but never sent.
    pub phantom: usize,
    /// There more than once.
    pub doubled: usize,
}

impl Ledger {
    /// Notes a request before it is sent.
    pub fn sent(&mut self, spans: &[SpanKey]) {
        self.sent.extend(spans);
    }

    /// Notes that a request was acknowledged.
    pub fn acked(&mut self, spans: &[SpanKey]) {
        self.acked.extend(spans);
    }

    /// Spans acknowledged so far.
    #[must_use]
    pub fn acked_spans(&self) -> usize {
        self.acked.len()
    }

    /// Every trace that was sent, acknowledged or not.
    #[must_use]
    pub fn traces(&self) -> Vec<[u8; 16]> {
        let ids: HashSet<[u8; 16]> = self.sent.iter().map(|(trace, _)| *trace).collect();
        ids.into_iter().collect()
    }

    /// The part of the ledger that is about these traces: where reading everything back would take too long.
    #[must_use]
    pub fn only(&self, traces: &[[u8; 16]]) -> Self {
        let traces: HashSet<&[u8; 16]> = traces.iter().collect();
        let part = |of: &HashSet<SpanKey>| of.iter().filter(|k| traces.contains(&k.0)).copied().collect();
        Self { sent: part(&self.sent), acked: part(&self.acked) }
    }

    /// Compares with what is there; sent, not acknowledged and present is allowed.
    #[must_use]
    pub fn check(&self, present: &HashMap<SpanKey, usize>) -> Verdict {
        Verdict {
            lost: self.acked.iter().filter(|k| !present.contains_key(*k)).count(),
            phantom: present.keys().filter(|k| !self.sent.contains(*k)).count(),
            doubled: present.values().filter(|n| **n > 1).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_phantom_and_doubled_spans_are_told_apart() {
        let key = |n: u8| ([n; 16], [n; 8]);
        let mut ledger = Ledger::default();
        ledger.sent(&[key(1), key(2), key(3)]);
        ledger.acked(&[key(1), key(2)]);
        let present = HashMap::from([(key(2), 2), (key(3), 1), (key(9), 1)]);
        assert_eq!(ledger.check(&present), Verdict { lost: 1, phantom: 1, doubled: 1 });
    }
}
