//! Completion: which attributes there are, and which values one of them has.
//!
//! Looks at the newest spans of a partition, up to [`SPANS_MAX`], and at tables and dictionaries that are resident.
//! Must not know: search. Start at [`attribute_keys`] and [`attribute_values`]; `source` reads.

mod source;

use std::collections::{BTreeMap, HashMap};

use runtime_engine::{Result, Snapshot, Stop};

use super::Cost;
use crate::Traces;

/// Spans that one answer looks at: some 50 ms.
const SPANS_MAX: u64 = 65_536;
/// Distinct texts that one answer holds; more make no list for people.
const TEXTS_MAX: usize = 20_000;
/// Longer texts are no help in completion.
const TEXT_BYTES_MAX: usize = 512;

/// What is to be completed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// Spans of this service; `None` means any.
    pub service: Option<String>,
    /// What was typed so far.
    pub prefix: String,
    /// At most this many.
    pub limit: usize,
}

/// Where an attribute was seen, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// On spans.
    Span = 1,
    /// On resources.
    Resource = 1 << 1,
    /// On instrumentation scopes.
    Scope = 1 << 2,
    /// On events.
    Event = 1 << 3,
    /// On links.
    Link = 1 << 4,
}

/// Keys with the bits of the levels at which they were seen.
pub type Keys = Vec<(String, u32)>;

/// Keys of attributes that begin with the prefix, sorted.
///
/// # Errors
/// A damaged segment, a failed read, or [`runtime_engine::Error::Stopped`].
pub fn attribute_keys(
    snap: &Snapshot<Traces>,
    wanted: &Completion,
    stop: &Stop,
    cost: &mut Cost,
) -> Result<Keys> {
    let mut found = Found { wanted, keys: BTreeMap::new(), left: SPANS_MAX };
    for head in snap.heads.iter().rev() {
        source::keys_of_head(head, &mut found, cost)?;
    }
    for segment in source::newest_first(snap) {
        source::keys_of_segment(segment, &mut found, stop, cost)?;
    }
    Ok(found.keys.into_iter().take(wanted.limit).collect())
}

/// Values under a key that begin with the prefix, as searches compare them, with the spans that have them among those
/// looked at, the most frequent first.
///
/// # Errors
/// Those of [`attribute_keys`].
pub fn attribute_values(
    snap: &Snapshot<Traces>,
    key: &str,
    wanted: &Completion,
    stop: &Stop,
    cost: &mut Cost,
) -> Result<Vec<(String, u64)>> {
    let mut counted = Counted { key, wanted, values: HashMap::new(), left: SPANS_MAX };
    for head in snap.heads.iter().rev() {
        source::values_of_head(head, &mut counted, cost)?;
    }
    for segment in source::newest_first(snap) {
        source::values_of_segment(segment, &mut counted, stop, cost)?;
    }
    let mut values: Vec<(String, u64)> = counted.values.into_iter().collect();
    values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    values.truncate(wanted.limit);
    Ok(values)
}

/// Keys found so far.
struct Found<'a> {
    wanted: &'a Completion,
    keys: BTreeMap<String, u32>,
    /// Spans that may still be looked at.
    left: u64,
}

impl Found<'_> {
    fn note(&mut self, key: &str, level: Level) {
        if let Some(levels) = self.keys.get_mut(key) {
            *levels |= level as u32;
        } else if is_wanted(key, self.wanted) && self.keys.len() < TEXTS_MAX {
            self.keys.insert(key.to_owned(), level as u32);
        }
    }
}

/// Values counted so far.
struct Counted<'a> {
    key: &'a str,
    wanted: &'a Completion,
    values: HashMap<String, u64>,
    left: u64,
}

impl Counted<'_> {
    /// Counts the values that one span has, each once.
    fn note(&mut self, values: &mut Vec<String>) {
        values.sort_unstable();
        values.dedup();
        for value in values.drain(..) {
            if let Some(count) = self.values.get_mut(&value) {
                *count += 1;
            } else if is_wanted(&value, self.wanted) && self.values.len() < TEXTS_MAX {
                self.values.insert(value, 1);
            }
        }
    }
}

fn is_wanted(text: &str, wanted: &Completion) -> bool {
    text.len() <= TEXT_BYTES_MAX && text.starts_with(&wanted.prefix)
}
