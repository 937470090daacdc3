//! The traits over the simulated disk, and the levers that tests pull.
//!
//! Knows: [`Files`] and [`File`]. Must not know: how a power loss chooses. Start at [`SimFiles`].

use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{Disk, not_found};
use super::hold::{Barrier, Hold};
use super::inode::Inode;
use super::operation::{Operation, Outcome, Step};
use crate::context::at;
use crate::os::held;
use crate::{Entry, File, Files};

/// A file system in memory; clones share it. A handle belongs to one *life* of the process: after
/// [`SimFiles::reboot`] or [`SimFiles::power_loss`] go on with the handle that they return, the old ones are dead.
#[derive(Debug, Clone)]
pub struct SimFiles {
    disk: Arc<Mutex<Disk>>,
    barrier: Arc<Barrier>,
    life: u64,
}

impl SimFiles {
    /// An empty file system; `seed` decides what faults do.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { disk: Arc::new(Mutex::new(Disk::new(seed))), barrier: Arc::default(), life: 0 }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Operations counted so far; the next one has this number.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.disk().operations
    }

    /// The process dies at operation `number`: that one is done, not done, or done in part, and every later one
    /// fails until a reboot.
    pub fn crash_at(&self, number: u64) {
        self.disk().plan.crash_at = Some(number);
    }

    /// Kills the process now.
    pub fn crash(&self) {
        self.disk().crashed = true;
    }

    /// Whether the process is dead.
    #[must_use]
    pub fn is_crashed(&self) -> bool {
        self.disk().alive(self.life).is_err()
    }

    /// A new process on the same running machine (after `kill -9`): unsynced changes are still seen.
    #[must_use]
    pub fn reboot(&self) -> Self {
        self.disk().reboot();
        self.next_life()
    }

    /// A new process after the machine lost power: of unsynced contents a prefix for each file is kept, of unsynced
    /// names any state that they had, all by `seed`.
    #[must_use]
    pub fn power_loss(&self, seed: u64) -> Self {
        self.disk().power_loss(seed);
        self.next_life()
    }

    fn next_life(&self) -> Self {
        let life = self.disk().life;
        Self { disk: Arc::clone(&self.disk), barrier: Arc::clone(&self.barrier), life }
    }

    /// Operation `number` fails, once; the process lives on.
    pub fn fail_at(&self, number: u64) {
        self.disk().plan.fail_at = Some(number);
    }

    /// The next `times` operations of a kind fail; 0 ends it. A failed sync loses what was unsynced.
    pub fn fail_next(&self, operation: Operation, times: u32) {
        self.disk().plan.fail_next.insert(operation, times);
    }

    /// About one of `n` operations fails, until it is switched off with `None`.
    pub fn fail_one_in(&self, n: Option<usize>) {
        self.disk().plan.fail_one_in = n;
    }

    /// Bytes that all files together may have; appends beyond fail with `StorageFull` after what still fits.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.disk().plan.capacity = bytes;
    }

    /// Makes every sync of a file block until the answer is dropped.
    #[must_use]
    pub fn hold_syncs(&self) -> Hold {
        Hold::new(&self.barrier)
    }

    /// Everything that was asked, in order.
    #[must_use]
    pub fn trace(&self) -> Vec<Step> {
        self.disk().trace.clone()
    }

    /// All paths in sight, sorted.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        let disk = self.disk();
        disk.directories.iter().flat_map(|(dir, d)| d.seen().map(|(name, _)| dir.join(name))).collect()
    }

    /// What a file holds, as processes see it.
    #[must_use]
    pub fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        let disk = self.disk();
        let number = disk.find(path).ok()?;
        Some(disk.inodes.get(&number)?.cached().to_vec())
    }

    /// Puts a file there, durably and uncounted: a fault of the medium, or a fixture.
    ///
    /// # Errors
    /// `NotFound` when its directory is missing.
    pub fn put(&self, path: &Path, contents: Vec<u8>) -> io::Result<()> {
        let mut disk = self.disk();
        let number = match disk.find(path) {
            Ok(number) => number,
            Err(_) => {
                let number = disk.serial();
                let (directory, name) = disk.parent(path)?;
                directory.set(name, Some(number));
                number
            }
        };
        disk.inodes.entry(number).or_default().set(contents);
        disk.parent(path)?.0.sync();
        Ok(())
    }

    /// Flips one bit of a file, durably; false when there is no such bit.
    #[must_use]
    pub fn flip_bit(&self, path: &Path, bit: usize) -> bool {
        let Some(mut contents) = self.contents(path) else { return false };
        let Some(byte) = contents.get_mut(bit / 8) else { return false };
        *byte ^= 1 << (bit % 8);
        self.put(path, contents).is_ok()
    }

    fn open_as(&self, path: &Path, operation: &'static str, writes: bool) -> io::Result<Box<dyn File>> {
        let mut disk = self.disk();
        disk.alive(self.life).and_then(|()| disk.find(path)).map_err(at(operation, path)).map(|inode| {
            let handle = disk.serial();
            Box::new(SimFile { files: self.clone(), inode, handle, path: path.into(), writes }) as _
        })
    }

    /// Counts an operation on names and carries it out.
    fn change(
        &self,
        operation: Operation,
        path: &Path,
        apply: impl FnOnce(&mut Disk) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut disk = self.disk();
        let outcome = disk.begin(self.life, operation, path, 0, 0)?;
        if disk.carried_out(outcome)
            && let Err(e) = apply(&mut disk)
        {
            disk.last_failed();
            return Err(e);
        }
        Disk::result(outcome)
    }
}

impl Files for SimFiles {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        if self.disk().directories.contains_key(dir) {
            return self.disk().alive(self.life);
        }
        let apply = |disk: &mut Disk| {
            for dir in dir.ancestors() {
                disk.directories.entry(dir.to_path_buf()).or_default();
            }
            Ok(())
        };
        self.change(Operation::CreateDir, dir, apply).map_err(at("create the directory", dir))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let apply = |disk: &mut Disk| {
            if disk.find(path).is_ok() {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the name is taken"));
            }
            let number = disk.serial();
            let (directory, name) = disk.parent(path)?;
            directory.set(name, Some(number));
            disk.inodes.insert(number, Inode::default());
            Ok(())
        };
        self.change(Operation::Create, path, apply).map_err(at("create", path))?;
        self.open_as(path, "create", true)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.open_as(path, "open", false)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.open_as(path, "open for writing", true)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let apply = |disk: &mut Disk| {
            let number = disk.find(from)?;
            let (directory, name) = disk.parent(to)?;
            directory.set(name, Some(number));
            let (directory, name) = disk.parent(from)?;
            if from != to {
                directory.set(name, None);
            }
            Ok(())
        };
        self.change(Operation::Rename, from, apply).map_err(at("rename", from))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let apply = |disk: &mut Disk| {
            disk.find(path)?;
            let (directory, name) = disk.parent(path)?;
            directory.set(name, None);
            Ok(())
        };
        self.change(Operation::Remove, path, apply).map_err(at("remove", path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let disk = self.disk();
        disk.alive(self.life).map_err(at("list", dir))?;
        let directory = disk.directories.get(dir).ok_or_else(not_found).map_err(at("list", dir))?;
        let entries = directory.seen().map(|(name, number)| {
            let len = disk.inodes.get(&number).map_or(0, |inode| inode.cached().len());
            Entry { name: name.to_owned(), len_bytes: u64::try_from(len).unwrap_or(u64::MAX) }
        });
        Ok(entries.collect())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let apply = |disk: &mut Disk| {
            disk.directories.get_mut(dir).ok_or_else(not_found)?.sync();
            Ok(())
        };
        self.change(Operation::SyncDir, dir, apply).map_err(at("sync the directory", dir))
    }

    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        let disk = self.disk();
        disk.alive(self.life).map_err(at("ask for the free space of", dir))?;
        Ok(disk.plan.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(disk.used_bytes())))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        let mut disk = self.disk();
        disk.alive(self.life).map_err(at("lock", path))?;
        if !disk.locks.insert(path.to_path_buf()) {
            return Err(at("lock", path)(held()));
        }
        Ok(Box::new(Lock { files: self.clone(), path: path.to_path_buf() }))
    }
}

/// A lock held.
struct Lock {
    files: SimFiles,
    path: PathBuf,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut disk = self.files.disk();
        if disk.life == self.files.life {
            disk.locks.remove(&self.path);
        }
    }
}

/// An open file.
struct SimFile {
    files: SimFiles,
    inode: u64,
    handle: u64,
    path: PathBuf,
    writes: bool,
}

impl SimFile {
    fn begin(&self, disk: &mut Disk, operation: Operation, bytes: usize) -> io::Result<Outcome> {
        if !self.writes && operation != Operation::Sync {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "opened for reading"));
        }
        disk.begin(self.files.life, operation, &self.path, self.handle, bytes)
    }

    fn append_to(&self, disk: &mut Disk, bytes: &[u8]) -> io::Result<()> {
        let outcome = self.begin(disk, Operation::Append, bytes.len())?;
        let room = disk.plan.capacity.map(|c| c.saturating_sub(disk.used_bytes()));
        let fits =
            room.map_or(bytes.len(), |room| usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len()));
        let whole = match outcome {
            Outcome::Done => fits,
            Outcome::Failed | Outcome::Crashed => disk.chance.up_to(fits),
        };
        if let Some(inode) = disk.inodes.get_mut(&self.inode) {
            inode.append(bytes.get(..whole).unwrap_or_default());
        }
        if outcome == Outcome::Done && fits < bytes.len() {
            disk.last_failed();
            return Err(io::Error::new(io::ErrorKind::StorageFull, "simulated full disk"));
        }
        Disk::result(outcome)
    }

    fn sync_on(&self, disk: &mut Disk) -> io::Result<()> {
        let outcome = self.begin(disk, Operation::Sync, 0)?;
        let carried_out = disk.carried_out(outcome);
        if let Some(inode) = disk.inodes.get_mut(&self.inode) {
            match (outcome, carried_out) {
                (_, true) => inode.sync(),
                (Outcome::Failed, _) => inode.sync_failed(),
                _ => {}
            }
        }
        Disk::result(outcome)
    }

    fn truncate_on(&self, disk: &mut Disk, len_bytes: u64) -> io::Result<()> {
        let len = usize::try_from(len_bytes).unwrap_or(usize::MAX);
        let outcome = self.begin(disk, Operation::Truncate, len)?;
        if disk.carried_out(outcome)
            && let Some(inode) = disk.inodes.get_mut(&self.inode)
        {
            inode.truncate(len);
        }
        Disk::result(outcome)
    }
}

impl File for SimFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let disk = self.files.disk();
        let read = |buf: &mut [u8]| {
            disk.alive(self.files.life)?;
            let inode = disk.inodes.get(&self.inode).ok_or_else(not_found)?;
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let bytes = inode.cached().get(start..).and_then(|rest| rest.get(..buf.len()));
            buf.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        };
        read(buf).map_err(at("read", &self.path))
    }

    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.append_to(&mut self.files.disk(), bytes).map_err(at("write", &self.path))
    }

    fn sync(&self) -> io::Result<()> {
        self.files.barrier.pass();
        self.sync_on(&mut self.files.disk()).map_err(at("sync", &self.path))
    }

    fn len_bytes(&self) -> io::Result<u64> {
        let disk = self.files.disk();
        disk.alive(self.files.life).map_err(at("look at", &self.path))?;
        let len = disk.inodes.get(&self.inode).map_or(0, |inode| inode.cached().len());
        Ok(u64::try_from(len).unwrap_or(u64::MAX))
    }

    fn truncate(&self, len_bytes: u64) -> io::Result<()> {
        self.truncate_on(&mut self.files.disk(), len_bytes).map_err(at("truncate", &self.path))
    }
}
