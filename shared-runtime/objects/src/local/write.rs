//! Writing one local object.
//!
//! Knows: data first, then its checksums, then the directory. Must not know: when the object becomes live. Start at
//! [`LocalWrite`].

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runtime_engine::ObjectId;
use runtime_files::File;

use super::dir::{Dir, failed};
use super::sums::{BLOCK_BYTES, Sums};
use crate::layout::PartitionDir;
use crate::{ObjectWrite, ObjectsError};

/// Bytes that are collected before the file is asked to write: whole blocks.
const BUFFER_BYTES: usize = 4 * BLOCK_BYTES;

/// The files of an object that is not finished: removed when dropped, unless they are kept.
pub(super) struct WrittenFiles {
    dir: Arc<Dir>,
    objects: PathBuf,
    data: PathBuf,
    sums: PathBuf,
    /// The registration that is taken back when nothing of the object is left.
    pending: PathBuf,
    content: Sums,
    keep: bool,
}

impl WrittenFiles {
    pub(super) fn new(
        dir: &Arc<Dir>,
        dirs: &PartitionDir,
        id: ObjectId,
        ext: &str,
        pending: PathBuf,
    ) -> Self {
        Self {
            dir: Arc::clone(dir),
            objects: dirs.objects.clone(),
            data: dirs.data(id, ext),
            sums: dirs.sums(id),
            pending,
            content: Sums::new(id, ext),
            keep: false,
        }
    }

    /// Makes everything durable, after the data itself.
    fn finish(&mut self) -> Result<u64, ObjectsError> {
        let file = self.dir.files.create(&self.sums).map_err(failed("create", &self.sums))?;
        file.append(&self.content.encode()).map_err(failed("write", &self.sums))?;
        file.sync().map_err(failed("sync", &self.sums))?;
        self.dir.files.sync_dir(&self.objects).map_err(failed("sync the directory", &self.objects))?;
        self.keep = true;
        Ok(self.content.len_bytes)
    }

    /// Removes what was written and, once that is durable, the registration. Whatever fails is left to the sweeper.
    fn abort(&self) -> io::Result<()> {
        let files = &self.dir.files;
        let remove = |path: &Path| match files.remove(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        };
        remove(&self.data)?;
        remove(&self.sums)?;
        files.sync_dir(&self.objects)?;
        remove(&self.pending)
    }
}

impl Drop for WrittenFiles {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        if let Err(error) = self.abort() {
            tracing::debug!(object = %self.data.display(), %error, "an unfinished object is left to the sweeper");
        }
    }
}

/// An object whose id is pending and whose data file is open.
pub(super) struct LocalWrite {
    file: Box<dyn File>,
    buffer: Vec<u8>,
    /// An append failed: what it has written is not known, so nothing more is taken.
    failed: bool,
    written: WrittenFiles,
}

impl LocalWrite {
    pub(super) fn create(written: WrittenFiles) -> Result<Self, ObjectsError> {
        let file = written.dir.files.create(&written.data).map_err(failed("create", &written.data))?;
        Ok(Self { file, buffer: Vec::with_capacity(BUFFER_BYTES), failed: false, written })
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write of this object failed"));
        }
        self.failed = true;
        self.written.content.add(&self.buffer);
        self.file.append(&self.buffer)?;
        self.buffer.clear();
        self.failed = false;
        Ok(())
    }
}

impl Write for LocalWrite {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() >= BUFFER_BYTES {
            self.write_buffer()?;
        }
        let (taken, _) = bytes.split_at_checked(BUFFER_BYTES - self.buffer.len()).unwrap_or((bytes, &[]));
        self.buffer.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// Does nothing: only [`ObjectWrite::finish`] makes bytes durable, and only whole blocks are written before.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ObjectWrite for LocalWrite {
    fn id(&self) -> ObjectId {
        self.written.content.id
    }

    fn finish(mut self: Box<Self>) -> Result<u64, ObjectsError> {
        self.write_buffer().map_err(failed("write", &self.written.data))?;
        self.file.sync().map_err(failed("sync", &self.written.data))?;
        self.written.finish()
    }
}
