//! The manifest: one immutable object that lists everything a root stands for.
//!
//! Knows: the live objects, the edits, what was removed and not yet deleted, what was lost, and the byte format of all
//! that (`docs/manifest-format.md`). Must not know: roots, when to commit, files. Start at [`Manifest`]; bytes are in
//! `manifest/wire.rs`, the field numbers in `manifest/format.rs`.

mod format;
mod wire;

use std::collections::BTreeSet;

use runtime_engine::{Edit, ObjectId, ObjectMeta, Time};

pub use format::{FORMAT, MAGIC};

/// Fields of a later version, carried along unread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unknown(Vec<(u64, Vec<u8>)>);

/// A live object and what is said of it beside the engine's metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The object as the engine sees it.
    pub meta: ObjectMeta,
    /// Whose data it is.
    pub tenant: String,
    /// Fields of a later version.
    pub unknown: Unknown,
}

impl Entry {
    /// The entry of an object of the default tenant.
    #[must_use]
    pub fn new(meta: ObjectMeta) -> Self {
        Self { meta, tenant: "default".to_owned(), unknown: Unknown::default() }
    }
}

/// Stored parts that no snapshot will need again and that are not deleted yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Every stored part.
    pub ids: Vec<ObjectId>,
    /// When the commit removed them, by the writer's clock.
    pub since: Time,
    /// Fields of a later version.
    pub unknown: Unknown,
}

/// Everything a root stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Live objects, oldest commit first.
    pub live: Vec<Entry>,
    /// Deletes that hide rows.
    pub edits: Vec<Edit>,
    /// Removed and not yet deleted, predecessors of this manifest among them.
    pub removed: Vec<Removed>,
    /// Predecessors that could not be read: they and all that only they name are kept for repair.
    pub lost: Vec<ObjectId>,
    /// Fields of a later version.
    pub unknown: Unknown,
}

impl Manifest {
    /// Whether `id` is a stored part that this manifest accounts for: live, removed or lost.
    #[must_use]
    pub fn names(&self, id: ObjectId) -> bool {
        self.live.iter().any(|e| e.meta.parts.iter().any(|p| p.id == id))
            || self.removed.iter().any(|r| r.ids.contains(&id))
            || self.lost.contains(&id)
    }

    /// The live object `id`.
    #[must_use]
    pub fn live(&self, id: ObjectId) -> Option<&Entry> {
        self.live.iter().find(|e| e.meta.id == id)
    }

    /// Metadata of the live objects, in manifest order.
    #[must_use]
    pub fn metas(&self) -> Vec<ObjectMeta> {
        self.live.iter().map(|e| e.meta.clone()).collect()
    }

    /// The next manifest: `remove` leave the live set and wait for deletion from `now` on, `add` join it at the end.
    #[must_use]
    pub fn with(&self, add: Vec<Entry>, remove: &[ObjectId], now: Time) -> Self {
        let gone: BTreeSet<ObjectId> = remove.iter().copied().collect();
        let mut next = self.clone();
        let mut ids = Vec::new();
        next.live.retain(|e| {
            let leaves = gone.contains(&e.meta.id);
            if leaves {
                ids.extend(e.meta.parts.iter().map(|p| p.id));
            }
            !leaves
        });
        next.live.extend(add);
        next.remove_parts(ids, now);
        next
    }

    /// Notes that `ids` wait for deletion from `now` on.
    pub fn remove_parts(&mut self, ids: Vec<ObjectId>, now: Time) {
        if !ids.is_empty() {
            self.removed.push(Removed { ids, since: now, unknown: Unknown::default() });
        }
    }

    /// Forgets removed parts that are deleted.
    pub fn forget(&mut self, deleted: &BTreeSet<ObjectId>) {
        for r in &mut self.removed {
            r.ids.retain(|id| !deleted.contains(id));
        }
        self.removed.retain(|r| !r.ids.is_empty());
    }
}

/// Why bytes are not a manifest that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not what was written.
    #[error("corrupt at byte {at_byte}: {detail}")]
    Corrupt {
        /// Where it was noticed.
        at_byte: usize,
        /// Expected and got.
        detail: String,
    },
    /// Written by a version of this software that this one cannot read.
    #[error(
        "manifest has format {found}, this version reads format {supported}: run the version that wrote it, or choose \
         another data directory"
    )]
    Format {
        /// The format it says.
        found: u16,
        /// The only one that is read here.
        supported: u16,
    },
}

#[cfg(test)]
mod tests;
