//! Objects in a local directory.
//!
//! Knows: pending ids as empty files, objects as data beside checksums. Must not know: roots. Start at
//! [`LocalObjects::create`].

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use runtime_engine::{ObjectId, ReadAt};
use runtime_files::{Entry, Files};

use super::dir::{Dir, failed};
use super::sums::Sums;
use super::write::{LocalWrite, WrittenFiles};
use crate::layout::{ObjectName, PartitionDir, check_ext, parse_pending, shown};
use crate::read::CheckedFile;
use crate::{Ids, ObjectWrite, Objects, ObjectsError, StorePartition, StoredObject};

/// Objects in a local directory. Several may be open on one directory; a [`super::LocalRoots`] on it keeps other
/// processes away.
pub struct LocalObjects {
    dir: Arc<Dir>,
    ids: Ids,
    /// Partitions whose directories this process has made durable.
    prepared: Mutex<BTreeSet<StorePartition>>,
}

impl LocalObjects {
    /// Opens the data directory `dir`, or makes it.
    ///
    /// # Errors
    /// [`ObjectsError::Format`] for a directory of another version, [`ObjectsError::Corrupt`] for a damaged format
    /// marker, [`ObjectsError::Io`].
    pub fn open(files: Arc<dyn Files>, dir: &Path, ids: Ids) -> Result<Self, ObjectsError> {
        let dir = Arc::new(Dir::open(files, dir)?);
        Ok(Self { dir, ids, prepared: Mutex::default() })
    }

    fn prepare(&self, of: &StorePartition) -> Result<PartitionDir, ObjectsError> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.contains(of) {
            return self.dir.at.partition(of);
        }
        let dirs = self.dir.prepare(of)?;
        prepared.insert(of.clone());
        Ok(dirs)
    }

    /// The files of a directory that may not be there yet.
    fn entries(&self, dir: &Path) -> Result<Vec<Entry>, ObjectsError> {
        match self.dir.files.list(dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => entries.map_err(failed("list", dir)),
        }
    }

    /// Why an object without checksums cannot be opened.
    fn without_sums(&self, of: &StorePartition, id: ObjectId, dirs: &PartitionDir) -> ObjectsError {
        let path = shown(&dirs.sums(id));
        let entries = match self.entries(&dirs.objects) {
            Ok(entries) => entries,
            Err(e) => return e,
        };
        let is_data = |e: &&Entry| ObjectName::parse(&e.name).is_some_and(|n| n.id == id && !n.is_sums);
        match entries.iter().find(is_data) {
            Some(data) => ObjectsError::Corrupt {
                path: shown(&dirs.objects.join(&data.name)),
                detail: format!("its checksums {path} are missing"),
            },
            None => ObjectsError::NotFound { of: of.clone(), id, path },
        }
    }
}

impl Objects for LocalObjects {
    fn create(
        &self,
        of: &StorePartition,
        epoch: u64,
        ext: &str,
    ) -> Result<Box<dyn ObjectWrite>, ObjectsError> {
        check_ext(ext)?;
        let dirs = self.prepare(of)?;
        loop {
            let id = self.ids.fresh();
            match self.dir.files.open(&dirs.sums(id)) {
                Ok(_) => continue,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(failed("look for", &dirs.sums(id))(e)),
            }
            let pending = dirs.pending(epoch, id);
            match self.dir.files.create(&pending) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                created => created.map_err(failed("create", &pending))?,
            };
            let written = WrittenFiles::new(&self.dir, &dirs, id, ext, pending);
            self.dir.files.sync_dir(&dirs.pending).map_err(failed("sync the directory", &dirs.pending))?;
            return Ok(Box::new(LocalWrite::create(written)?));
        }
    }

    fn open(&self, of: &StorePartition, id: ObjectId) -> Result<Arc<dyn ReadAt>, ObjectsError> {
        let dirs = self.dir.at.partition(of)?;
        let path = dirs.sums(id);
        let Some(bytes) = self.dir.read_small(&path).map_err(failed("read", &path))? else {
            return Err(self.without_sums(of, id, &dirs));
        };
        let sums = Sums::decode(&bytes, id, &shown(&path))?;
        let path = dirs.data(id, &sums.ext);
        let file = match self.dir.files.open(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(ObjectsError::NotFound { of: of.clone(), id, path: shown(&path) });
            }
            file => file.map_err(failed("open", &path))?,
        };
        let len_bytes = file.len_bytes().map_err(failed("look at", &path))?;
        if len_bytes != sums.len_bytes {
            let detail = format!("it is {len_bytes} bytes long, expected {}", sums.len_bytes);
            return Err(ObjectsError::Corrupt { path: shown(&path), detail });
        }
        Ok(Arc::new(CheckedFile { file, sums, path: shown(&path) }))
    }

    /// Removes data before checksums, so that what a crash leaves of an object is never taken for corruption.
    fn delete_all(&self, of: &StorePartition, ids: &[ObjectId]) -> Result<(), ObjectsError> {
        let dir = &self.dir.at.partition(of)?.objects;
        let mut names: Vec<(bool, String)> = (self.entries(dir)?.into_iter())
            .filter_map(|e| ObjectName::parse(&e.name).map(|n| (n, e.name)))
            .filter(|(n, _)| ids.contains(&n.id))
            .map(|(n, name)| (n.is_sums, name))
            .collect();
        names.sort_unstable();
        for (_, name) in names {
            let path = dir.join(name);
            match self.dir.files.remove(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed("remove", &path)(e)),
                _ => {}
            }
        }
        // also when nothing was found: an earlier attempt may have failed here
        match self.dir.files.sync_dir(dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            synced => synced.map_err(failed("sync the directory", dir)),
        }
    }

    fn pending(&self, of: &StorePartition) -> Result<Vec<(u64, ObjectId)>, ObjectsError> {
        let entries = self.entries(&self.dir.at.partition(of)?.pending)?;
        Ok(entries.iter().filter_map(|e| parse_pending(&e.name)).collect())
    }

    fn clear_pending(&self, of: &StorePartition, ids: &[ObjectId]) -> Result<(), ObjectsError> {
        let dir = &self.dir.at.partition(of)?.pending;
        for entry in self.entries(dir)? {
            if parse_pending(&entry.name).is_some_and(|(_, id)| ids.contains(&id)) {
                let path = dir.join(&entry.name);
                match self.dir.files.remove(&path) {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed("remove", &path)(e)),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn list(&self, of: &StorePartition) -> Result<Vec<StoredObject>, ObjectsError> {
        let mut found = BTreeMap::new();
        for entry in self.entries(&self.dir.at.partition(of)?.objects)? {
            let Some(name) = ObjectName::parse(&entry.name) else { continue };
            let object =
                found.entry(name.id).or_insert(StoredObject { id: name.id, len_bytes: 0, finished: false });
            if name.is_sums {
                object.finished = true;
            } else {
                object.len_bytes = entry.len_bytes;
            }
        }
        Ok(found.into_values().collect())
    }
}
