//! Roots as `CURRENT` files.
//!
//! Knows: which root is visible, and whether it is certain to be durable. Must not know: objects, except that a
//! partition that has some cannot have lost its root. Start at [`LocalRoots::swap`].

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use runtime_files::Files;

use super::current;
use super::dir::{Dir, failed};
use crate::layout::{DataDir, ObjectName, PartitionDir, parse_pending, shown};
use crate::root::check_growth;
use crate::{Root, RootError, Roots, StorePartition, SwapOutcome};

/// Roots in a local directory that no other process writes while this value lives.
pub struct LocalRoots {
    dir: Dir,
    partitions: Mutex<BTreeMap<StorePartition, Arc<Mutex<Partition>>>>,
    _lock: Box<dyn Any + Send + Sync>,
}

/// What this process knows of a partition's `CURRENT`.
#[derive(Default)]
struct Partition {
    /// The directories are durable.
    prepared: bool,
    /// The visible root was made durable by this process and no swap has failed since. Otherwise it is written anew
    /// before anyone is told of it: the process that wrote it may have died before its last fsync, and a failed fsync
    /// proves nothing when it is repeated.
    settled: bool,
}

impl LocalRoots {
    /// Opens the data directory `dir`, or makes it, and locks it until this value is dropped.
    ///
    /// # Errors
    /// [`RootError::Locked`] when another process has it, [`RootError::Format`] for a directory of another version,
    /// [`RootError::Corrupt`] for a damaged format marker, [`RootError::Io`].
    pub fn open(files: Arc<dyn Files>, dir: &Path) -> Result<Self, RootError> {
        files.create_dir_all(dir).map_err(failed("create the data directory", dir))?;
        let path = DataDir(dir.to_path_buf()).lock();
        let lock = files.lock(&path).map_err(|source| match source.kind() {
            io::ErrorKind::WouldBlock => RootError::Locked { dir: shown(dir), source },
            _ => RootError::Io { action: "lock", path: shown(&path), source },
        })?;
        Ok(Self { dir: Dir::open(files, dir)?, partitions: Mutex::default(), _lock: lock })
    }

    fn partition(&self, of: &StorePartition) -> Arc<Mutex<Partition>> {
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(partitions.entry(of.clone()).or_default())
    }

    /// The root that stands in the file, durable or not.
    fn visible(&self, of: &StorePartition, dirs: &PartitionDir) -> Result<Option<Root>, RootError> {
        let path = dirs.current();
        match self.dir.read_small(&path).map_err(failed("read", &path))? {
            Some(bytes) => current::decode(&bytes, of, &shown(&path)).map(Some),
            None => self.absent(of, dirs).map(|()| None),
        }
    }

    /// An id stops being pending only after a root has named it: objects that are not pending prove that there was one.
    fn absent(&self, of: &StorePartition, dirs: &PartitionDir) -> Result<(), RootError> {
        let list = |dir: &Path| match self.dir.files.list(dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => entries.map_err(failed("list", dir)),
        };
        let objects = list(&dirs.objects)?;
        let pending: Vec<_> = list(&dirs.pending)?.iter().filter_map(|e| parse_pending(&e.name)).collect();
        let committed = (objects.iter().filter_map(|e| ObjectName::parse(&e.name)))
            .find(|name| !name.is_sums && pending.iter().all(|(_, id)| *id != name.id));
        match committed {
            None => Ok(()),
            Some(name) => Err(RootError::Corrupt {
                path: shown(&dirs.current()),
                detail: format!("it is missing, although object {} of {of} was committed", name.id),
            }),
        }
    }

    /// Makes `root` the content of `CURRENT`, durably.
    fn write(
        &self,
        of: &StorePartition,
        dirs: &PartitionDir,
        state: &mut Partition,
        root: &Root,
    ) -> Result<(), (&'static str, io::Error)> {
        state.settled = false;
        let bytes = current::encode(root, of);
        self.dir.replace(&dirs.current_new(), &dirs.current(), &dirs.dir, &bytes)?;
        state.settled = true;
        Ok(())
    }
}

impl Roots for LocalRoots {
    fn load(&self, of: &StorePartition) -> Result<Option<Root>, RootError> {
        let dirs = self.dir.at.partition(of)?;
        let partition = self.partition(of);
        let mut state = partition.lock().unwrap_or_else(PoisonError::into_inner);
        let root = self.visible(of, &dirs)?;
        if let (Some(root), false) = (&root, state.settled) {
            self.write(of, &dirs, &mut state, root).map_err(|(action, source)| RootError::Io {
                action,
                path: shown(&dirs.current()),
                source,
            })?;
        }
        Ok(root)
    }

    fn swap(
        &self,
        of: &StorePartition,
        expect: Option<(u64, u128)>,
        new: &Root,
    ) -> Result<SwapOutcome, RootError> {
        check_growth(of, expect, new)?;
        let unknown =
            |action, source| RootError::Unknown { of: of.clone(), version: new.version, action, source };
        let dirs = self.dir.at.partition(of)?;
        let partition = self.partition(of);
        let mut state = partition.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.prepared {
            self.dir.prepare(of)?;
            state.prepared = true;
        }
        let visible = self.visible(of, &dirs).map_err(|e| match e {
            RootError::Io { action, source, .. } => unknown(action, source),
            e => e,
        })?;
        let (next, outcome) = match visible {
            Some(root) if root == *new => (root, SwapOutcome::Applied),
            seen if seen.map(|root| root.expectation()) == expect => (*new, SwapOutcome::Applied),
            Some(root) => (root, SwapOutcome::Refused(visible)),
            None => return Ok(SwapOutcome::Refused(None)),
        };
        if visible != Some(next) || !state.settled {
            self.write(of, &dirs, &mut state, &next).map_err(|(action, source)| unknown(action, source))?;
        }
        Ok(outcome)
    }
}
