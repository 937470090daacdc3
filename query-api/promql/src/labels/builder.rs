//! Changing a label set.
//!
//! Knows: a base and what differs from it. Must not know: why.

use std::collections::BTreeMap;

use super::Labels;

/// A label set in the making: a base, and labels that are set or deleted.
#[derive(Debug, Clone)]
pub struct Builder {
    base: Labels,
    /// What differs from the base; an empty value deletes.
    changes: BTreeMap<String, String>,
}

impl Builder {
    /// Starts from `base`.
    #[must_use]
    pub fn new(base: &Labels) -> Self {
        Self { base: base.clone(), changes: BTreeMap::new() }
    }

    /// Sets a label; an empty value deletes it.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.changes.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Deletes a label.
    pub fn delete(&mut self, name: &str) -> &mut Self {
        self.set(name, "")
    }

    /// Deletes every label whose name is not among these.
    pub fn keep<N: AsRef<str>>(&mut self, names: &[N]) -> &mut Self {
        let kept = |name: &str| names.iter().any(|n| n.as_ref() == name);
        self.base = self.base.filtered(kept);
        self.changes.retain(|name, _| kept(name));
        self
    }

    /// The value that the label has now, empty if it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.changes.get(name).map_or_else(|| self.base.get(name), String::as_str)
    }

    /// The label set.
    #[must_use]
    pub fn finish(&self) -> Labels {
        if self.changes.is_empty() {
            return self.base.clone();
        }
        let mut pairs: Vec<(&str, &str)> =
            self.base.iter().filter(|(name, _)| !self.changes.contains_key(*name)).collect();
        pairs.extend(
            self.changes.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| (n.as_str(), v.as_str())),
        );
        pairs.sort_unstable_by_key(|(name, _)| *name);
        Labels::from_sorted(&pairs)
    }
}
