//! What our code asks of a file system, and no more.
//!
//! Knows: names and signatures. Must not know: who implements them. Start at [`Files`].

use std::any::Any;
use std::io;
use std::path::Path;

/// One file of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Name inside the directory. Names that are not UTF-8 are not ours and are not listed.
    pub name: String,
    /// Length.
    pub len_bytes: u64,
}

/// A file system. Nothing is durable before [`File::sync`] for contents and [`Files::sync_dir`] for names, with one
/// exception: directories made by [`Files::create_dir_all`].
///
/// Every error names the operation and the path, and keeps the [`io::ErrorKind`] of its cause.
pub trait Files: Send + Sync + 'static {
    /// Makes the directory and the missing ones above it, and makes their names durable.
    ///
    /// # Errors
    /// The medium's.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Makes a new, empty file for reading and appending.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken; the medium's.
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// `NotFound`; the medium's.
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens an existing file for reading and appending.
    ///
    /// # Errors
    /// `NotFound`; the medium's.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Gives a file another name, replacing what had that name, atomically.
    ///
    /// # Errors
    /// `NotFound`; the medium's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound`; the medium's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The regular files of a directory, sorted by name.
    ///
    /// # Errors
    /// `NotFound`; the medium's.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;

    /// Makes the names in a directory durable: creations, renames and removals.
    ///
    /// # Errors
    /// The medium's; then none of them is certain.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Bytes that may still be written below `dir`.
    ///
    /// # Errors
    /// The medium's.
    fn available_bytes(&self, dir: &Path) -> io::Result<u64>;

    /// Takes the exclusive lock `path` (a file that stays), held until the answer is dropped or the process dies.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds it; the text names the path and what to do.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>>;
}

/// An open file.
pub trait File: Send + Sync {
    /// Fills `buf` from `at`.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends before; the medium's.
    fn read_exact_at(&self, buf: &mut [u8], at: u64) -> io::Result<()>;

    /// Writes all of `bytes` at the end. After an error any prefix may have been written.
    ///
    /// # Errors
    /// `StorageFull`; the medium's.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Makes contents and length durable. **After an error the unsynced contents are lost and another `sync` of this
    /// handle proves nothing** (fsyncgate): give the file up.
    ///
    /// # Errors
    /// The medium's.
    fn sync(&self) -> io::Result<()>;

    /// Length.
    ///
    /// # Errors
    /// The medium's.
    fn len_bytes(&self) -> io::Result<u64>;

    /// Cuts the file to `len_bytes`, or extends it with zeros. Later appends go to the new end.
    ///
    /// # Errors
    /// The medium's.
    fn truncate(&self, len_bytes: u64) -> io::Result<()>;
}
