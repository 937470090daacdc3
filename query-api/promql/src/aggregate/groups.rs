//! Which group a series belongs to.

use std::collections::HashMap;

use crate::labels::{Labels, METRIC_NAME};
use crate::plan::Aggregate;

/// What groups are made by.
#[derive(Clone, Debug)]
pub(super) struct Key<'a> {
    labels: &'a [String],
    without: bool,
}

impl<'a> Key<'a> {
    pub(super) fn of(aggregate: &'a Aggregate) -> Self {
        Self { labels: &aggregate.labels, without: aggregate.without }
    }

    fn keeps(&self, name: &str) -> bool {
        let listed = self.labels.iter().any(|label| label == name);
        if self.without { !listed && name != METRIC_NAME } else { listed }
    }

    /// The labels of a series' group.
    pub(super) fn group_of(&self, labels: &Labels) -> Labels {
        labels.filtered(|name| self.keeps(name))
    }

    /// Bytes that are equal for series of one group.
    fn write(&self, labels: &Labels, out: &mut Vec<u8>) {
        out.clear();
        if !self.without && self.labels.is_empty() {
            return;
        }
        for (name, value) in labels.iter().filter(|(name, _)| self.keeps(name)) {
            for part in [name, value] {
                out.extend_from_slice(&part.len().to_le_bytes());
                out.extend_from_slice(part.as_bytes());
            }
        }
    }
}

/// Groups in the order in which they were found, each with what is aggregated for it.
pub(super) struct Groups<'a, G> {
    key: Key<'a>,
    places: HashMap<Box<[u8]>, usize>,
    groups: Vec<(Labels, G)>,
    scratch: Vec<u8>,
}

impl<'a, G> Groups<'a, G> {
    pub(super) fn new(key: Key<'a>) -> Self {
        Self { key, places: HashMap::new(), groups: Vec::new(), scratch: Vec::new() }
    }

    /// The number of the group that a series belongs to, and whether it was made just now.
    pub(super) fn place(&mut self, labels: &Labels, make: impl FnOnce() -> G) -> (usize, bool) {
        self.key.write(labels, &mut self.scratch);
        if let Some(&place) = self.places.get(self.scratch.as_slice()) {
            return (place, false);
        }
        let place = self.groups.len();
        self.places.insert(self.scratch.as_slice().into(), place);
        self.groups.push((self.key.group_of(labels), make()));
        (place, true)
    }

    /// The group that a series belongs to, and whether it was made just now.
    pub(super) fn of(&mut self, labels: &Labels, make: impl FnOnce() -> G) -> (&mut G, bool) {
        let (place, new) = self.place(labels, make);
        #[expect(clippy::indexing_slicing, reason = "places are positions in groups")]
        (&mut self.groups[place].1, new)
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = (Labels, G)> {
        self.groups.into_iter()
    }
}
