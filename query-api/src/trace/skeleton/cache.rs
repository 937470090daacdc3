//! The skeletons that were answered last, bounded in bytes.
//!
//! A reader asks for rows by the numbers of the skeleton that it holds; without this, each question would build it anew.
//! Must not know: HTTP. Start at [`Cache::get`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::Skeleton;
use crate::trace_id::TraceId;

/// A skeleton with its version.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) version: String,
    pub(crate) skeleton: Arc<Skeleton>,
}

/// Skeletons by trace; the longest unused goes first.
#[derive(Debug)]
pub(crate) struct Cache {
    bytes_max: usize,
    kept: Mutex<VecDeque<Kept>>,
}

impl Cache {
    /// Keeps at most `bytes_max`.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, kept: Mutex::default() }
    }

    /// The skeleton of a trace; of this version, unless that is empty.
    pub(crate) fn get(&self, id: TraceId, raw: bool, version: &str) -> Option<Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |k: &Kept| {
            k.skeleton.id == id && k.skeleton.raw == raw && (version.is_empty() || k.version == version)
        };
        let found = kept.iter().rposition(is_it).and_then(|at| kept.remove(at))?;
        kept.push_back(found.clone());
        Some(found)
    }

    /// Keeps a skeleton in place of another one of the same version.
    pub(crate) fn put(&self, skeleton: Skeleton) -> Kept {
        let new = Kept { version: skeleton.version(), skeleton: Arc::new(skeleton) };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, raw) = (new.skeleton.id, new.skeleton.raw);
        kept.retain(|k| (k.skeleton.id, k.skeleton.raw, &k.version) != (id, raw, &new.version));
        kept.push_back(new.clone());
        let mut bytes: usize = kept.iter().map(|k| k.skeleton.bytes()).sum();
        while bytes > self.bytes_max
            && let Some(oldest) = kept.pop_front()
        {
            bytes -= oldest.skeleton.bytes();
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_skeleton_goes_first_and_a_huge_one_at_once() {
        let of = |n: u128| Skeleton { id: n.to_be_bytes(), ..Skeleton::default() };
        let cache = Cache::new(of(1).bytes() * 2);
        cache.put(of(1));
        cache.put(of(2));
        assert!(cache.get(1_u128.to_be_bytes(), false, "").is_some());
        cache.put(of(3));
        let has = |n: u128| cache.get(n.to_be_bytes(), false, "").is_some();
        assert_eq!([has(1), has(2), has(3)], [true, false, true]);
        assert!(cache.get(1_u128.to_be_bytes(), true, "").is_none());
        let huge = Skeleton { warnings: Vec::new(), services: vec!["x".repeat(4096)], ..of(4) };
        assert_eq!(cache.put(huge).skeleton.id, 4_u128.to_be_bytes());
        assert_eq!([has(1), has(3), has(4)], [false, false, false]);
    }
}
