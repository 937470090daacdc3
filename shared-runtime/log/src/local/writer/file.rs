//! The file being written.
//!
//! Knows: its handle, its good length. Must not know: groups, offsets' owners. Start at [`Active`].

use std::io;
use std::path::{Path, PathBuf};

use runtime_engine::{Offset, Partition, Time};
use runtime_files::File;

use super::super::format::{
    FILE_HEADER_BYTES, FLAG_SEAL, FileHeader, PartitionSpan, RecordHeader, VERSION, encode_seal, file_name,
};
use super::super::mutation::{Bug, Mutation};
use super::super::spans::Spans;
use super::super::view::LogFile;
use super::Outside;

/// An open file, synced up to `len_bytes`.
pub(crate) struct Active {
    file: Box<dyn File>,
    path: PathBuf,
    base: Offset,
    end: Offset,
    len_bytes: u64,
}

impl Active {
    /// Makes a file and makes it durable with its name. What is left of a failed attempt with the same name is
    /// removed: no record was ever acknowledged in it.
    pub(crate) fn create(
        outside: &Outside,
        base: Offset,
        previous_end: Offset,
    ) -> io::Result<(Self, LogFile)> {
        let path = outside.config.dir.join(file_name(base));
        let created = match outside.files.create(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                outside.files.remove(&path)?;
                outside.files.create(&path)
            }
            created => created,
        };
        let file = created?;
        let header = FileHeader { version: VERSION, base, previous_end, created: Time(outside.clock.now()) };
        let prepared = file.append(&header.encode()).and_then(|()| file.sync()).and_then(|()| {
            if outside.bug.is(Mutation::SkipDirSync) {
                Ok(())
            } else {
                outside.files.sync_dir(&outside.config.dir)
            }
        });
        if let Err(e) = prepared {
            drop(file);
            drop(outside.files.remove(&path));
            return Err(e);
        }
        let len_bytes = FILE_HEADER_BYTES as u64;
        let log_file = LogFile {
            path: path.clone(),
            base,
            previous_end,
            end: previous_end,
            len_bytes,
            size_bytes: len_bytes,
            spans: Spans::default(),
            damaged: false,
        };
        Ok((Self { file, path, base, end: base, len_bytes }, log_file))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn base(&self) -> Offset {
        self.base
    }

    pub(crate) fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    pub(crate) fn set_end(&mut self, end: Offset) {
        self.end = end;
    }

    /// Whether it has no durable record.
    pub(crate) fn is_empty(&self) -> bool {
        self.end == self.base
    }

    /// One write and one fsync. After an error the file must be given up.
    pub(crate) fn append(&mut self, bytes: &[u8], bug: Bug) -> io::Result<()> {
        let written = self.file.append(bytes).and_then(|()| {
            if bug.is(Mutation::SkipSync) || bug.is(Mutation::AckBeforeWrite) {
                Ok(())
            } else {
                self.file.sync()
            }
        });
        if bug.is(Mutation::RetrySync) && written.is_err() {
            self.file.sync()?;
        } else {
            written?;
        }
        self.len_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Ends the file; answers its length. Not synced: the records are durable, and a seal that a power loss takes
    /// away costs a scan.
    pub(crate) fn seal(self, spans: &[PartitionSpan]) -> io::Result<u64> {
        let stored = encode_seal(spans);
        let len = u32::try_from(stored.len()).map_err(io::Error::other)?;
        let header = RecordHeader {
            offset: self.end,
            time: Time(0),
            partition: Partition(0),
            payload_len: len,
            stored_len: len,
            body_crc: crc32c::crc32c(&stored),
            tenant_len: 0,
            encoding: 0,
            flags: FLAG_SEAL,
        };
        let mut bytes = Vec::with_capacity(header.frame_len());
        header.encode(self.base, &mut bytes);
        bytes.extend_from_slice(&stored);
        self.file.append(&bytes)?;
        Ok(self.len_bytes + bytes.len() as u64)
    }
}

/// Cuts a file durably, through a handle of its own.
pub(crate) fn cut(outside: &Outside, path: &Path, len_bytes: u64) -> io::Result<()> {
    let file = outside.files.open_append(path)?;
    if file.len_bytes()? > len_bytes {
        file.truncate(len_bytes)?;
    }
    file.sync()
}
