//! Label sets: what a series is called.
//!
//! Knows: names, values, their order, and matchers over them. Must not know: where series live. Start at [`Labels`].
//!
//! A set is one shared, immutable block of text with its hash computed once: cloning is a reference count, comparing
//! two different sets is mostly one comparison of hashes, and a set can key a map without being hashed again.

mod builder;
mod matcher;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

pub use builder::Builder;
pub use matcher::{MatchOp, Matcher};

/// The label that holds the metric's name.
pub const METRIC_NAME: &str = "__name__";
/// The label that holds the metric's type.
pub const METRIC_TYPE: &str = "__type__";
/// The label that holds the metric's unit.
pub const METRIC_UNIT: &str = "__unit__";
/// The label that holds the upper bound of a classic histogram's bucket.
pub const BUCKET: &str = "le";

/// A label set, sorted by name; no value is empty, for an empty label equals an absent one.
#[derive(Clone)]
pub struct Labels(Arc<Block>);

struct Block {
    hash: u64,
    /// All names and values, one after the other.
    text: Box<str>,
    /// Where each name and each value ends in `text`.
    ends: Box<[u32]>,
}

static EMPTY: LazyLock<Labels> = LazyLock::new(|| Labels::from_sorted(&[]));

impl Labels {
    /// The set without labels.
    #[must_use]
    pub fn empty() -> Self {
        EMPTY.clone()
    }

    /// The set of these labels; of labels of the same name the last one counts, empty values are left out.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let pairs: Vec<_> = pairs.into_iter().collect();
        let mut sorted: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
        sorted.reverse();
        sorted.sort_by_key(|(name, _)| *name);
        sorted.dedup_by_key(|(name, _)| *name);
        sorted.retain(|(_, value)| !value.is_empty());
        Self::from_sorted(&sorted)
    }

    /// The set of labels that are sorted by name, each named once, with no empty value.
    fn from_sorted(pairs: &[(&str, &str)]) -> Self {
        let size = pairs.iter().map(|(n, v)| n.len() + v.len()).sum();
        let mut text = String::with_capacity(size);
        let mut ends = Vec::with_capacity(pairs.len() * 2);
        for part in pairs.iter().flat_map(|(n, v)| [n, v]) {
            text.push_str(part);
            // a label set of 4 GiB cannot come from anywhere: bodies and queries are bounded far below
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        hasher.update(text.as_bytes());
        for end in &ends {
            hasher.update(&end.to_le_bytes());
        }
        Self(Arc::new(Block { hash: hasher.digest(), text: text.into(), ends: ends.into() }))
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = &*self.0.text;
        let mut start = 0;
        self.0.ends.chunks_exact(2).map(move |pair| {
            let mut next = |end: Option<&u32>| {
                let end = end.map_or(start, |e| *e as usize);
                let part = text.get(start..end).unwrap_or_default();
                start = end;
                part
            };
            let name = next(pair.first());
            (name, next(pair.last()))
        })
    }

    /// The value of a label, empty if it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v)
    }

    /// Whether the label is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.iter().any(|(n, _)| n == name)
    }

    /// The metric's name, empty if there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.get(METRIC_NAME)
    }

    /// How many labels there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.ends.len() / 2
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.ends.is_empty()
    }

    /// The hash of the set, computed when it was made.
    #[must_use]
    pub fn hash64(&self) -> u64 {
        self.0.hash
    }

    /// The labels that `keep` says true of.
    #[must_use]
    pub fn filtered(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        let kept: Vec<_> = self.iter().filter(|(name, _)| keep(name)).collect();
        if kept.len() == self.len() { self.clone() } else { Self::from_sorted(&kept) }
    }

    /// The set without `__name__`.
    #[must_use]
    pub fn without_name(&self) -> Self {
        self.filtered(|name| name != METRIC_NAME)
    }

    /// The set without `__name__`, `__type__` and `__unit__`.
    #[must_use]
    pub fn without_metadata(&self) -> Self {
        self.filtered(|name| !matches!(name, METRIC_NAME | METRIC_TYPE | METRIC_UNIT))
    }

    /// Bytes that the set occupies.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        size_of::<Block>() + self.0.text.len() + size_of_val(&*self.0.ends)
    }
}

impl Default for Labels {
    fn default() -> Self {
        Self::empty()
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.hash == other.0.hash && self.0.ends == other.0.ends && self.0.text == other.0.text)
    }
}

impl Eq for Labels {}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    /// Label by label, name before value; a set sorts after its own beginning.
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            if is_plain_name(name) {
                write!(f, "{comma}{name}={}", crate::quote::quoted(value))?;
            } else {
                write!(f, "{comma}{}={}", crate::quote::quoted(name), crate::quote::quoted(value))?;
            }
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a label's name may stand without quotes: letters, digits and underscores, no digit first.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether a metric's name may stand without quotes: as a label's, and colons.
#[must_use]
pub fn is_plain_metric_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

#[cfg(test)]
mod tests {
    use super::Labels;

    #[test]
    fn an_empty_value_equals_an_absent_label() {
        assert_eq!(Labels::from_pairs([("a", ""), ("b", "1")]), Labels::from_pairs([("b", "1")]));
        assert_eq!(Labels::from_pairs([("b", "1")]).get("a"), "");
    }

    #[test]
    fn sets_are_sorted_compared_and_printed_by_label() {
        let one = Labels::from_pairs([("b", "2"), ("a", "1"), ("b", "3")]);
        assert_eq!(one.to_string(), r#"{a="1", b="3"}"#);
        assert!(one < Labels::from_pairs([("a", "2")]));
        assert!(Labels::from_pairs([("a", "1")]) < one);
        assert!(Labels::empty() < one && Labels::empty().is_empty());
    }

    #[test]
    fn where_names_end_is_part_of_the_identity() {
        let (one, two) = (Labels::from_pairs([("ab", "c")]), Labels::from_pairs([("a", "bc")]));
        assert_ne!(one, two);
        assert_ne!(one.hash64(), two.hash64());
    }
}
