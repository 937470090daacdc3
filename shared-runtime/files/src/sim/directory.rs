//! Names: which of them a power loss keeps.
//!
//! Knows: that every name shows, after a power loss, any state that it had since the last sync of its directory, each
//! on its own, so that creations, renames and removals are dropped or seem reordered. Must not know: contents. Start
//! at [`Directory`].

use std::collections::BTreeMap;

use super::chance::Chance;

/// Number of an inode.
pub(crate) type InodeNumber = u64;

/// States of one name, oldest first; the first is durable, the last is what processes see.
#[derive(Debug, Clone)]
struct States {
    durable: Option<InodeNumber>,
    since: Vec<Option<InodeNumber>>,
}

impl States {
    fn seen(&self) -> Option<InodeNumber> {
        self.since.last().copied().unwrap_or(self.durable)
    }
}

/// The names of one directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    names: BTreeMap<String, States>,
}

impl Directory {
    pub(crate) fn get(&self, name: &str) -> Option<InodeNumber> {
        self.names.get(name).and_then(States::seen)
    }

    pub(crate) fn set(&mut self, name: &str, to: Option<InodeNumber>) {
        let states =
            self.names.entry(name.to_owned()).or_insert_with(|| States { durable: None, since: Vec::new() });
        states.since.push(to);
    }

    /// What processes see, sorted.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (&str, InodeNumber)> {
        self.names.iter().filter_map(|(name, states)| Some((name.as_str(), states.seen()?)))
    }

    pub(crate) fn sync(&mut self) {
        for states in self.names.values_mut() {
            states.durable = states.seen();
            states.since.clear();
        }
        self.names.retain(|_, states| states.durable.is_some());
    }

    /// Each name keeps any of the states that it went through.
    pub(crate) fn power_loss(&mut self, chance: &mut Chance) {
        for states in self.names.values_mut() {
            let kept = chance.up_to(states.since.len());
            states.since.truncate(kept);
        }
        self.sync();
    }
}
