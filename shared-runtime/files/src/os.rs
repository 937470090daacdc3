//! The real file system.
//!
//! Knows: POSIX calls. Must not know: who calls. Start at [`OsFiles`].

use std::any::Any;
use std::fs::{self, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::context::at;
use crate::{Entry, File, Files};

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsFiles;

/// An open file and its name for error texts.
#[derive(Debug)]
struct OsFile {
    file: fs::File,
    path: PathBuf,
}

impl OsFile {
    fn open(options: &OpenOptions, operation: &'static str, path: &Path) -> io::Result<Box<dyn File>> {
        let file = options.open(path).map_err(at(operation, path))?;
        Ok(Box::new(Self { file, path: path.to_path_buf() }))
    }
}

impl Files for OsFiles {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
            self.create_dir_all(parent)?;
        }
        match fs::create_dir(dir) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists || !dir.is_dir() => {
                Err(at("create the directory", dir)(e))
            }
            _ => match dir.parent() {
                Some(parent) if parent.as_os_str().is_empty() => self.sync_dir(Path::new(".")),
                Some(parent) => self.sync_dir(parent),
                None => Ok(()),
            },
        }
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        OsFile::open(OpenOptions::new().read(true).append(true).create_new(true), "create", path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        OsFile::open(OpenOptions::new().read(true), "open", path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        OsFile::open(OpenOptions::new().read(true).append(true), "open for writing", path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to).map_err(at("rename", from))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path).map_err(at("remove", path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir).map_err(at("list", dir))? {
            let entry = entry.map_err(at("list", dir))?;
            let meta = match entry.metadata() {
                // removed since the directory was read
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                meta => meta.map_err(at("list", dir))?,
            };
            if let (true, Ok(name)) = (meta.is_file(), entry.file_name().into_string()) {
                entries.push(Entry { name, len_bytes: meta.len() });
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir).and_then(|d| d.sync_all()).map_err(at("sync the directory", dir))
    }

    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat =
            rustix::fs::statvfs(dir).map_err(|e| at("ask for the free space of", dir)(io::Error::from(e)))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(at("open the lock file", path))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(at("lock", path)(held())),
            Err(TryLockError::Error(e)) => Err(at("lock", path)(e)),
        }
    }
}

/// The answer to a second process.
pub(crate) fn held() -> io::Error {
    io::Error::new(
        io::ErrorKind::WouldBlock,
        "another process holds it; stop that process or choose another data directory",
    )
}

impl File for OsFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset).map_err(at("read", &self.path))
    }

    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut &self.file, bytes).map_err(at("write", &self.path))
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data().map_err(at("sync", &self.path))
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata().map_err(at("look at", &self.path))?.len())
    }

    fn truncate(&self, len_bytes: u64) -> io::Result<()> {
        self.file.set_len(len_bytes).map_err(at("truncate", &self.path))
    }
}
