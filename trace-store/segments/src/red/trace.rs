//! The trace that spans are being added to: which of them calls which.
//!
//! Knows: ids of spans and their parents. Must not know: sums. Start at [`Links::callers`].

/// `Span.SpanKind` of a span that calls somebody.
pub(crate) const CLIENT: i32 = 3;
/// `Span.SpanKind` of a span that sends somebody a message.
pub(crate) const PRODUCER: i32 = 4;

/// Up to so many spans are searched one by one.
const FEW: usize = 32;

/// Ids and kinds of the spans of a trace, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Links {
    ids: Vec<u64>,
    calls: Vec<bool>,
    /// Ids in order, when there are many.
    sorted: Vec<(u64, u32)>,
}

impl Links {
    pub(crate) fn push(&mut self, id: u64, kind: i32) {
        self.ids.push(id);
        self.calls.push(matches!(kind, CLIENT | PRODUCER));
    }

    pub(crate) fn clear(&mut self) {
        self.ids.clear();
        self.calls.clear();
    }

    /// Makes ready for [`Links::find`].
    pub(crate) fn sort(&mut self) {
        self.sorted.clear();
        if self.ids.len() > FEW {
            self.sorted.extend(self.ids.iter().copied().zip(0..));
            self.sorted.sort_unstable();
        }
    }

    /// The number of the span with an id. Where spans share it, the first that calls somebody, else the first.
    pub(crate) fn find(&self, id: u64) -> Option<usize> {
        if self.ids.len() <= FEW {
            let mut same = self.ids.iter().enumerate().filter(|(_, known)| **known == id).map(|(at, _)| at);
            let first = same.next()?;
            return Some(self.best(first, same));
        }
        let from = self.sorted.partition_point(|(known, _)| *known < id);
        let same = self.sorted.get(from..).unwrap_or_default().iter();
        let mut same = same.take_while(|(known, _)| *known == id).map(|(_, at)| *at as usize);
        let first = same.next()?;
        Some(self.best(first, same))
    }

    fn best(&self, first: usize, mut others: impl Iterator<Item = usize>) -> usize {
        let calls = |at: usize| self.calls.get(at).copied().unwrap_or(false);
        if calls(first) { first } else { others.find(|at| calls(*at)).unwrap_or(first) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_found_among_few_and_among_many() {
        for count in [3_u64, 100] {
            let mut links = Links::default();
            (1..=count).for_each(|id| links.push(id, 2));
            links.push(2, CLIENT);
            links.sort();
            assert_eq!(links.find(1), Some(0));
            assert_eq!(links.find(2), Some(usize::try_from(count).unwrap()), "the one that calls");
            assert_eq!(links.find(count + 1), None);
        }
    }
}
