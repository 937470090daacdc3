//! The state behind all handles of one simulated file system.
//!
//! Knows: inodes, directories, the fault plan and the trace. Must not know: the [`crate::Files`] trait. Start at
//! [`Disk::begin`], which every operation passes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::chance::Chance;
use super::directory::{Directory, InodeNumber};
use super::inode::Inode;
use super::operation::{Operation, Outcome, Step};

/// What is planned to go wrong.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The process dies at this operation (counted from the start of the file system).
    pub(crate) crash_at: Option<u64>,
    /// This operation fails.
    pub(crate) fail_at: Option<u64>,
    /// The next so many operations of a kind fail.
    pub(crate) fail_next: HashMap<Operation, u32>,
    /// Of so many operations one fails, at random.
    pub(crate) fail_one_in: Option<usize>,
    /// Bytes that fit.
    pub(crate) capacity: Option<u64>,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) inodes: HashMap<InodeNumber, Inode>,
    pub(crate) directories: BTreeMap<PathBuf, Directory>,
    pub(crate) locks: HashSet<PathBuf>,
    pub(crate) plan: Plan,
    pub(crate) trace: Vec<Step>,
    pub(crate) chance: Chance,
    /// Operations so far.
    pub(crate) operations: u64,
    /// Which process life the file system is in; handles of earlier lives are dead.
    pub(crate) life: u64,
    pub(crate) crashed: bool,
    serial: u64,
}

impl Disk {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            inodes: HashMap::new(),
            directories: BTreeMap::new(),
            locks: HashSet::new(),
            plan: Plan::default(),
            trace: Vec::new(),
            chance: Chance::new(seed),
            operations: 0,
            life: 0,
            crashed: false,
            serial: 0,
        }
    }

    /// A number never used before, for inodes and handles.
    pub(crate) fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Refuses a process that is dead.
    pub(crate) fn alive(&self, life: u64) -> io::Result<()> {
        if self.crashed || life != self.life {
            return Err(io::Error::other("simulated crash: this process is dead"));
        }
        Ok(())
    }

    /// Counts an operation, writes it to the trace and says how it is to end.
    pub(crate) fn begin(
        &mut self,
        life: u64,
        operation: Operation,
        path: &Path,
        handle: u64,
        bytes: usize,
    ) -> io::Result<Outcome> {
        self.alive(life)?;
        let number = self.operations;
        self.operations += 1;
        let outcome = if self.plan.crash_at == Some(number) {
            self.crashed = true;
            Outcome::Crashed
        } else if self.fails(number, operation) {
            Outcome::Failed
        } else {
            Outcome::Done
        };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.trace.push(Step { operation, path: path.to_path_buf(), handle, bytes, outcome });
        Ok(outcome)
    }

    /// The outcome that was planned later turned out worse: a full disk.
    pub(crate) fn last_failed(&mut self) {
        if let Some(step) = self.trace.last_mut() {
            step.outcome = Outcome::Failed;
        }
    }

    fn fails(&mut self, number: u64, operation: Operation) -> bool {
        if self.plan.fail_at == Some(number) {
            return true;
        }
        if let Some(left) = self.plan.fail_next.get_mut(&operation).filter(|left| **left > 0) {
            *left -= 1;
            return true;
        }
        self.plan.fail_one_in.is_some_and(|n| self.chance.one_in(n))
    }

    /// Whether an operation that ends in `outcome` is carried out; a crash decides it by chance.
    pub(crate) fn carried_out(&mut self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Done => true,
            Outcome::Failed => false,
            Outcome::Crashed => self.chance.one_in(2),
        }
    }

    /// The error that goes with an outcome.
    pub(crate) fn result(outcome: Outcome) -> io::Result<()> {
        match outcome {
            Outcome::Done => Ok(()),
            Outcome::Failed => Err(io::Error::other("simulated failure")),
            Outcome::Crashed => Err(io::Error::other("simulated crash: this process is dead")),
        }
    }

    /// The inode that a path names.
    pub(crate) fn find(&self, path: &Path) -> io::Result<InodeNumber> {
        let (dir, name) = split(path)?;
        self.directories.get(dir).and_then(|d| d.get(name)).ok_or_else(not_found)
    }

    /// The directory of a path, and its last name.
    pub(crate) fn parent<'a>(&mut self, path: &'a Path) -> io::Result<(&mut Directory, &'a str)> {
        let (dir, name) = split(path)?;
        Ok((self.directories.get_mut(dir).ok_or_else(not_found)?, name))
    }

    /// Bytes that the files in sight take.
    pub(crate) fn used_bytes(&self) -> u64 {
        let seen = self.directories.values().flat_map(Directory::seen);
        let bytes: usize = seen.filter_map(|(_, n)| self.inodes.get(&n)).map(|i| i.cached().len()).sum();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// A new life after a crash of the process alone: the page cache is still there.
    pub(crate) fn reboot(&mut self) {
        self.life += 1;
        self.crashed = false;
        self.locks.clear();
        self.plan.crash_at = None;
        self.plan.fail_at = None;
        self.plan.fail_next.clear();
        self.plan.fail_one_in = None;
    }

    /// A new life after the machine lost power.
    pub(crate) fn power_loss(&mut self, seed: u64) {
        let mut chance = Chance::new(seed);
        for directory in self.directories.values_mut() {
            directory.power_loss(&mut chance);
        }
        let mut numbers: Vec<InodeNumber> = self.inodes.keys().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            if let Some(inode) = self.inodes.get_mut(&number) {
                inode.power_loss(&mut chance);
            }
        }
        self.reboot();
    }
}

pub(crate) fn not_found() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no such file or directory")
}

fn split(path: &Path) -> io::Result<(&Path, &str)> {
    match (path.parent(), path.file_name().and_then(|n| n.to_str())) {
        (Some(dir), Some(name)) => Ok((dir, name)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not the path of a file")),
    }
}
