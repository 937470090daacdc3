//! Objects in memory.
//!
//! Knows: finished and unfinished bytes, pending ids, injected faults. Must not know: roots.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Write};
use std::mem;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use runtime_engine::{ObjectId, ReadAt};

use crate::ids::{Dice, Ids};
use crate::layout::{check_ext, check_store};
use crate::{ObjectWrite, Objects, ObjectsError, StorePartition, StoredObject};

/// How often calls of [`MemoryObjects`] fail, in a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub struct ObjectFaults {
    /// The call fails and does nothing.
    pub before_per_mille: u32,
    /// The call does its work and then fails.
    pub after_per_mille: u32,
}

/// Objects in memory; clones share them. An object whose writer is dropped stays behind unfinished and pending, as a
/// remote medium would leave it.
#[derive(Clone)]
pub struct MemoryObjects(Arc<Shared>);

struct Shared {
    ids: Ids,
    state: Mutex<State>,
}

struct State {
    objects: BTreeMap<(StorePartition, ObjectId), Stored>,
    pending: BTreeMap<(StorePartition, ObjectId), u64>,
    dice: Dice,
    faults: ObjectFaults,
}

struct Stored {
    bytes: Bytes,
    /// `None` while unfinished.
    crc: Option<u32>,
}

impl MemoryObjects {
    /// An empty medium whose ids and faults follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let state = State {
            objects: BTreeMap::new(),
            pending: BTreeMap::new(),
            dice: Dice::new(!seed),
            faults: ObjectFaults::default(),
        };
        Self(Arc::new(Shared { ids: Ids::seeded(seed), state: Mutex::new(state) }))
    }

    /// Changes how often calls fail from now on.
    pub fn set_faults(&self, faults: ObjectFaults) {
        self.0.lock().faults = faults;
    }

    /// Flips one bit of a stored object, at `bit` modulo its length; says whether there was one to flip.
    pub fn flip_bit(&self, of: &StorePartition, id: ObjectId, bit: u64) -> bool {
        let mut state = self.0.lock();
        let Some(stored) = state.objects.get_mut(&(of.clone(), id)) else { return false };
        let mut bytes = stored.bytes.to_vec();
        let bits = u64::try_from(bytes.len()).unwrap_or(0).saturating_mul(8);
        let Some(bit) = bit.checked_rem(bits) else { return false };
        let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| bytes.get_mut(at)) else { return false };
        *byte ^= 1 << (bit % 8);
        stored.bytes = Bytes::from(bytes);
        true
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one call under the injected faults.
    fn call<T>(
        &self,
        action: &'static str,
        of: &StorePartition,
        work: impl FnOnce(&mut State) -> Result<T, ObjectsError>,
    ) -> Result<T, ObjectsError> {
        check_store(&of.store)?;
        let injected = || ObjectsError::Io {
            action,
            path: format!("object of {of} in memory"),
            source: io::Error::other("injected fault"),
        };
        let mut state = self.lock();
        let faults = state.faults;
        if state.dice.chance(faults.before_per_mille) {
            return Err(injected());
        }
        let done = work(&mut state)?;
        if state.dice.chance(faults.after_per_mille) {
            return Err(injected());
        }
        Ok(done)
    }
}

fn name_of(of: &StorePartition, id: ObjectId) -> String {
    format!("object {id} of {of} in memory")
}

impl Objects for MemoryObjects {
    fn create(
        &self,
        of: &StorePartition,
        epoch: u64,
        ext: &str,
    ) -> Result<Box<dyn ObjectWrite>, ObjectsError> {
        check_ext(ext)?;
        let id = self.0.call("create", of, |state| {
            loop {
                let key = (of.clone(), self.0.ids.fresh());
                if state.objects.contains_key(&key) {
                    continue;
                }
                if let Entry::Vacant(free) = state.pending.entry(key) {
                    let id = free.key().1;
                    free.insert(epoch);
                    return Ok(id);
                }
            }
        })?;
        Ok(Box::new(MemoryWrite { shared: Arc::clone(&self.0), of: of.clone(), id, bytes: Vec::new() }))
    }

    fn open(&self, of: &StorePartition, id: ObjectId) -> Result<Arc<dyn ReadAt>, ObjectsError> {
        self.0.call("open", of, |state| {
            let found = state.objects.get(&(of.clone(), id)).and_then(|s| Some((s.bytes.clone(), s.crc?)));
            let Some((bytes, expected)) = found else {
                return Err(ObjectsError::NotFound { of: of.clone(), id, path: name_of(of, id) });
            };
            let got = crc32c::crc32c(&bytes);
            if got != expected {
                let detail = format!("checksum {got:08x}, expected {expected:08x}");
                return Err(ObjectsError::Corrupt { path: name_of(of, id), detail });
            }
            Ok(Arc::new(MemoryRead(bytes)) as Arc<dyn ReadAt>)
        })
    }

    fn delete_all(&self, of: &StorePartition, ids: &[ObjectId]) -> Result<(), ObjectsError> {
        self.0.call("delete", of, |state| {
            for id in ids {
                state.objects.remove(&(of.clone(), *id));
            }
            Ok(())
        })
    }

    fn pending(&self, of: &StorePartition) -> Result<Vec<(u64, ObjectId)>, ObjectsError> {
        self.0.call("list pending ids", of, |state| {
            let mut found: Vec<_> = (state.pending.iter())
                .filter(|((p, _), _)| p == of)
                .map(|((_, id), epoch)| (*epoch, *id))
                .collect();
            found.sort_unstable();
            Ok(found)
        })
    }

    fn clear_pending(&self, of: &StorePartition, ids: &[ObjectId]) -> Result<(), ObjectsError> {
        self.0.call("clear pending ids", of, |state| {
            for id in ids {
                state.pending.remove(&(of.clone(), *id));
            }
            Ok(())
        })
    }

    fn list(&self, of: &StorePartition) -> Result<Vec<StoredObject>, ObjectsError> {
        self.0.call("list objects", of, |state| {
            let of_this = state.objects.iter().filter(|((p, _), _)| p == of);
            Ok(of_this
                .map(|((_, id), s)| StoredObject {
                    id: *id,
                    len_bytes: len_bytes(&s.bytes),
                    finished: s.crc.is_some(),
                })
                .collect())
        })
    }
}

struct MemoryWrite {
    shared: Arc<Shared>,
    of: StorePartition,
    id: ObjectId,
    bytes: Vec<u8>,
}

impl Write for MemoryWrite {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ObjectWrite for MemoryWrite {
    fn id(&self) -> ObjectId {
        self.id
    }

    fn finish(mut self: Box<Self>) -> Result<u64, ObjectsError> {
        let shared = Arc::clone(&self.shared);
        shared.call("finish", &self.of.clone(), |state| {
            let bytes = Bytes::from(mem::take(&mut self.bytes));
            let (len, crc) = (len_bytes(&bytes), Some(crc32c::crc32c(&bytes)));
            state.objects.insert((self.of.clone(), self.id), Stored { bytes, crc });
            Ok(len)
        })
    }
}

impl Drop for MemoryWrite {
    fn drop(&mut self) {
        let unfinished = Stored { bytes: Bytes::from(mem::take(&mut self.bytes)), crc: None };
        if !unfinished.bytes.is_empty() {
            self.shared.lock().objects.entry((self.of.clone(), self.id)).or_insert(unfinished);
        }
    }
}

struct MemoryRead(Bytes);

impl ReadAt for MemoryRead {
    fn len_bytes(&self) -> u64 {
        len_bytes(&self.0)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        let slice = |r: &Range<u64>| {
            let (start, end) = (usize::try_from(r.start).ok()?, usize::try_from(r.end).ok()?);
            (start <= end && end <= self.0.len()).then(|| self.0.slice(start..end))
        };
        ranges.iter().map(|r| slice(r).ok_or_else(|| crate::read::beyond_end(r, self.len_bytes()))).collect()
    }
}

fn len_bytes(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
