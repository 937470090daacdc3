//! The live objects of a partition, opened, with what could not be.
//!
//! Knows: a manifest and the engine's objects of it; what is quarantined. Must not know: roots and commits. Start at
//! [`LiveSet`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use runtime_engine::{Edit, Engine, Error, ObjectId, ObjectMeta, ReadAt};
use runtime_objects::ObjectsError;

use crate::env::Env;
use crate::manifest::{Entry, Manifest};
use crate::{OpenError, StepError};

/// A manifest whose objects are open.
pub(crate) struct LiveSet<E: Engine> {
    manifest: Arc<Manifest>,
    /// Healthy objects by id.
    opened: BTreeMap<ObjectId, Arc<E::Object>>,
    /// The same in manifest order.
    objects: Vec<Arc<E::Object>>,
    edits: Arc<[Edit]>,
    /// Objects of level 0.
    fresh: usize,
}

impl<E: Engine> LiveSet<E> {
    pub(crate) fn empty() -> Self {
        Self::of(Manifest::default(), BTreeMap::new())
    }

    /// Stands for whatever an unreadable root names: nothing is served, and one thing is known to be missing.
    pub(crate) fn unreadable() -> Self {
        Self::of(Manifest { lost: vec![ObjectId(0)], ..Manifest::default() }, BTreeMap::new())
    }

    fn of(manifest: Manifest, opened: BTreeMap<ObjectId, Arc<E::Object>>) -> Self {
        let edits = manifest.edits.clone().into();
        let objects = manifest.live.iter().filter_map(|e| opened.get(&e.meta.id).map(Arc::clone)).collect();
        let fresh = manifest.live.iter().filter(|e| e.meta.level == 0).count();
        Self { manifest: Arc::new(manifest), opened, objects, edits, fresh }
    }

    pub(crate) fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    pub(crate) fn edits(&self) -> Arc<[Edit]> {
        Arc::clone(&self.edits)
    }

    /// Healthy objects in manifest order.
    pub(crate) fn objects(&self) -> &[Arc<E::Object>] {
        &self.objects
    }

    pub(crate) fn fresh(&self) -> usize {
        self.fresh
    }

    pub(crate) fn object(&self, id: ObjectId) -> Option<&Arc<E::Object>> {
        self.opened.get(&id)
    }

    /// Live objects that are not served, and manifests that were lost.
    pub(crate) fn quarantined(&self) -> usize {
        self.manifest.live.len().saturating_sub(self.opened.len()) + self.manifest.lost.len()
    }

    /// Ids of live objects that are not served.
    pub(crate) fn quarantined_ids(&self) -> BTreeSet<ObjectId> {
        self.manifest.live.iter().map(|e| e.meta.id).filter(|id| !self.opened.contains_key(id)).collect()
    }

    /// The set after a commit: `next` lists what stays and what `added` brings.
    pub(crate) fn with(&self, next: Manifest, added: Vec<(ObjectId, Arc<E::Object>)>) -> Self {
        let mut opened = self.opened.clone();
        opened.extend(added);
        opened.retain(|id, _| next.live(*id).is_some());
        Self::of(next, opened)
    }

    /// The set without `bad` ones among its served objects.
    pub(crate) fn without(&self, bad: &BTreeSet<ObjectId>) -> Self {
        let mut opened = self.opened.clone();
        opened.retain(|id, _| !bad.contains(id));
        Self::of(Manifest::clone(&self.manifest), opened)
    }

    /// Stored parts that `next` lists no more, each with whoever still reads its object.
    pub(crate) fn readers_not_in(&self, next: &Self) -> Vec<(ObjectId, Weak<E::Object>)> {
        let left = |e: &&Entry| next.manifest.live(e.meta.id).is_none();
        let mut readers = Vec::new();
        for e in self.manifest.live.iter().filter(left) {
            let Some(o) = self.opened.get(&e.meta.id) else { continue };
            readers.extend(e.meta.parts.iter().map(|p| (p.id, Arc::downgrade(o))));
        }
        readers
    }

    /// Reads manifest `id` and opens what it lists, taking from `before` what is open there already. Damaged objects are
    /// quarantined; a damaged manifest is set aside whole.
    pub(crate) fn load(env: &Env<E>, id: Option<ObjectId>, before: &Self) -> Result<Self, OpenError> {
        let Some(id) = id else { return Ok(Self::empty()) };
        let mut manifest = match read_manifest(env, id) {
            Ok(m) => m,
            Err(ReadManifest::Open(e)) => return Err(*e),
            Err(ReadManifest::Damaged(detail)) => {
                tracing::error!(of = %env.of, manifest = %id, detail, "manifest is damaged: its objects are not served and kept for repair");
                Manifest { lost: vec![id], ..Manifest::default() }
            }
        };
        let mut opened = BTreeMap::new();
        for e in &mut manifest.live {
            e.meta.expires_at = env.expires_at(e.meta.time_max, e.meta.write_time);
            if let Some(o) = before.opened.get(&e.meta.id) {
                opened.insert(e.meta.id, Arc::clone(o));
                continue;
            }
            match open_object(env, &e.meta) {
                Ok(o) => {
                    opened.insert(e.meta.id, o);
                }
                Err(error) => {
                    tracing::error!(of = %env.of, object = %e.meta.id, %error, "object is quarantined")
                }
            }
        }
        Ok(Self::of(manifest, opened))
    }

    /// Tries again to read and open what is quarantined. `None` when nothing changed.
    pub(crate) fn reopen(&self, env: &Env<E>) -> Option<Self> {
        let bad = self.quarantined_ids();
        let healed: Vec<_> = self
            .manifest
            .live
            .iter()
            .filter(|e| bad.contains(&e.meta.id) && !is_damaged(env, e))
            .filter_map(|e| Some((e.meta.id, open_object(env, &e.meta).ok()?)))
            .collect();
        if healed.is_empty() {
            return None;
        }
        Some(self.with(Manifest::clone(&self.manifest), healed))
    }
}

enum ReadManifest {
    Damaged(String),
    Open(Box<OpenError>),
}

fn read_manifest<E: Engine>(env: &Env<E>, id: ObjectId) -> Result<Manifest, ReadManifest> {
    let failed = |source: ObjectsError| match source {
        e @ (ObjectsError::Corrupt { .. } | ObjectsError::NotFound { .. }) => {
            ReadManifest::Damaged(e.to_string())
        }
        source => ReadManifest::Open(Box::new(OpenError::Manifest { of: env.of.clone(), id, source })),
    };
    let io = env.objects.open(&env.of, id).map_err(failed)?;
    let bytes = read_all(&*io).map_err(|e| match e.kind() {
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => {
            ReadManifest::Damaged(e.to_string())
        }
        _ => failed(ObjectsError::Io { action: "read manifest", path: id.to_string(), source: e }),
    })?;
    Manifest::decode(&bytes).map_err(|e| match e {
        e @ crate::manifest::ManifestError::Corrupt { .. } => ReadManifest::Damaged(e.to_string()),
        source => ReadManifest::Open(Box::new(OpenError::Format { of: env.of.clone(), id, source })),
    })
}

fn read_all(io: &dyn ReadAt) -> std::io::Result<Vec<u8>> {
    let whole = 0..io.len_bytes();
    Ok(io.read_ranges(&[whole])?.concat())
}

/// Opens one object for reading.
pub(crate) fn open_object<E: Engine>(env: &Env<E>, meta: &ObjectMeta) -> Result<Arc<E::Object>, StepError> {
    let mut parts = Vec::with_capacity(meta.parts.len());
    for p in &meta.parts {
        let io = env.objects.open(&env.of, p.id)?;
        if io.len_bytes() != p.len_bytes {
            let detail = format!("{} bytes long, expected {}", io.len_bytes(), p.len_bytes);
            return Err(Error::corrupt(format!("part {} {}", p.name, p.id), detail).into());
        }
        parts.push(io);
    }
    Ok(Arc::new(env.engine.open(meta, &parts)?))
}

/// Reads every byte of an object; says whether one of them is damaged or gone.
pub(crate) fn is_damaged<E: Engine>(env: &Env<E>, e: &Entry) -> bool {
    const STEP_BYTES: u64 = 1 << 20;
    e.meta.parts.iter().any(|p| {
        let io = match env.objects.open(&env.of, p.id) {
            Ok(io) => io,
            Err(e) => return e.is_corrupt() || matches!(e, ObjectsError::NotFound { .. }),
        };
        let len = io.len_bytes();
        let steps = (0..len).step_by(1 << 20).map(|at| at..len.min(at + STEP_BYTES));
        len != p.len_bytes
            || steps.into_iter().any(|r| {
                io.read_ranges(&[r]).is_err_and(|e| {
                    matches!(e.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof)
                })
            })
    })
}
