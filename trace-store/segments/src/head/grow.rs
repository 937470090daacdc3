//! A vector that one writer appends to while readers hold earlier lengths of it.
//!
//! Slots lie in buckets that double in size and never move, so a reader that knows a length sees exactly the items
//! below it, without locks and without copies. Must not know: what is in it.

use std::sync::OnceLock;

const FIRST_BUCKET: usize = 64;
const BUCKETS: usize = 26;

type Bucket<T> = Box<[OnceLock<T>]>;

/// The slots. The length is the business of the writer and of every reader.
#[derive(Debug)]
pub(crate) struct Grow<T> {
    buckets: [OnceLock<Bucket<T>>; BUCKETS],
}

impl<T> Default for Grow<T> {
    fn default() -> Self {
        Self { buckets: [const { OnceLock::new() }; BUCKETS] }
    }
}

/// Bucket and slot of an index: bucket `b` holds `64 << b` slots.
fn place(index: usize) -> (usize, usize) {
    let n = index / FIRST_BUCKET + 1;
    let bucket = n.ilog2() as usize;
    let before = FIRST_BUCKET * ((1 << bucket) - 1);
    (bucket, index - before)
}

impl<T> Grow<T> {
    /// Fills the slot `index`; false when it is taken or there are 4 billion items.
    pub(crate) fn set(&self, index: usize, value: T) -> bool {
        let (bucket, slot) = place(index);
        let Some(cell) = self.buckets.get(bucket) else { return false };
        let slots =
            cell.get_or_init(|| std::iter::repeat_with(OnceLock::new).take(FIRST_BUCKET << bucket).collect());
        slots.get(slot).is_some_and(|slot| slot.set(value).is_ok())
    }

    /// The item at `index`, if it was set.
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let (bucket, slot) = place(index);
        self.buckets.get(bucket)?.get()?.get(slot)?.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_has_its_own_place() {
        let grow = Grow::default();
        for i in 0..10_000_usize {
            assert!(grow.set(i, i));
        }
        assert!((0..10_000).all(|i| grow.get(i) == Some(&i)));
        assert!(!grow.set(77, 0));
        assert_eq!(grow.get(10_000), None);
    }
}
