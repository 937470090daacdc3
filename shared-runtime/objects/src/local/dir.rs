//! The data directory itself: its format marker, its directories, and small files that change as a whole.
//!
//! Knows: `FORMAT`. Must not know: objects and roots. Start at [`Dir::open`].

use std::io;
use std::path::Path;
use std::sync::Arc;

use runtime_files::Files;

use crate::layout::{DataDir, PartitionDir, shown};
use crate::{ObjectsError, StorePartition};

/// The format of everything below a data directory.
pub(crate) const FORMAT: u32 = 1;
/// No small file of ours is longer: a `.sum` of this length belongs to an object of 256 GiB.
const SMALL_BYTES_MAX: u64 = 16 << 20;
const MARKER: &str = "yc-objects format ";

/// An opened data directory.
pub(crate) struct Dir {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) at: DataDir,
}

impl Dir {
    /// Makes the directory if it is missing and checks its format marker.
    pub(crate) fn open(files: Arc<dyn Files>, at: &Path) -> Result<Self, ObjectsError> {
        files.create_dir_all(at).map_err(failed("create the data directory", at))?;
        let dir = Self { files, at: DataDir(at.to_path_buf()) };
        dir.check_format()?;
        Ok(dir)
    }

    fn check_format(&self) -> Result<(), ObjectsError> {
        let path = self.at.format();
        match self.read_small(&path).map_err(failed("read", &path))? {
            Some(bytes) => decode_marker(&bytes, &path),
            None => self
                .replace(&self.at.format_new(), &path, &self.at.0, encode_marker(FORMAT).as_bytes())
                .map_err(|(action, source)| ObjectsError::Io { action, path: shown(&path), source }),
        }
    }

    /// The directories of a partition, made durable. They are synced even when they are there: the process that made
    /// them may have died before it did.
    pub(crate) fn prepare(&self, of: &StorePartition) -> Result<PartitionDir, ObjectsError> {
        let dirs = self.at.partition(of)?;
        for dir in [&dirs.objects, &dirs.pending] {
            self.files.create_dir_all(dir).map_err(failed("create the directory", dir))?;
        }
        let above = dirs.objects.ancestors().skip(1).take_while(|d| *d != self.at.0);
        for dir in above.chain([&*self.at.0]) {
            self.files.sync_dir(dir).map_err(failed("sync the directory", dir))?;
        }
        Ok(dirs)
    }

    /// The contents of a small file, `None` when it is not there.
    pub(crate) fn read_small(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let file = match self.files.open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let len = file.len_bytes()?.min(SMALL_BYTES_MAX);
        let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(Some(bytes))
    }

    /// Makes `bytes` the whole content of `path`, durably: after a failure it is the old or the new content. `staged`
    /// is a name beside it, and `dir` the directory of both.
    pub(crate) fn replace(
        &self,
        staged: &Path,
        path: &Path,
        dir: &Path,
        bytes: &[u8],
    ) -> Result<(), (&'static str, io::Error)> {
        let step = |action| move |source| (action, source);
        match self.files.remove(staged) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(("remove what an earlier attempt left", e));
            }
            _ => {}
        }
        let file = self.files.create(staged).map_err(step("create its new file"))?;
        file.append(bytes).map_err(step("write its new file"))?;
        file.sync().map_err(step("sync its new file"))?;
        self.files.rename(staged, path).map_err(step("put its new file in place"))?;
        self.files.sync_dir(dir).map_err(step("sync its directory"))
    }
}

/// Puts what was tried, and where, into an error of the medium.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ObjectsError {
    move |source| ObjectsError::Io { action, path: shown(path), source }
}

fn encode_marker(format: u32) -> String {
    let text = format!("{MARKER}{format} crc32c ");
    let crc = crc32c::crc32c(text.as_bytes());
    format!("{text}{crc:08x}\n")
}

fn decode_marker(bytes: &[u8], path: &Path) -> Result<(), ObjectsError> {
    let parse = |text: &str| text.strip_prefix(MARKER)?.split(' ').next()?.parse().ok();
    let found: Option<u32> = std::str::from_utf8(bytes).ok().and_then(parse);
    match found.filter(|f| encode_marker(*f).as_bytes() == bytes) {
        Some(FORMAT) => Ok(()),
        Some(found) => Err(ObjectsError::Format { path: shown(path), found, supported: FORMAT }),
        None => Err(ObjectsError::Corrupt {
            path: shown(path),
            detail: format!("{:?}, expected {:?}", String::from_utf8_lossy(bytes), encode_marker(FORMAT)),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_refused_by_name_and_each_bit_flip_is_noticed() {
        let path = Path::new("d/FORMAT");
        assert!(decode_marker(encode_marker(FORMAT).as_bytes(), path).is_ok());
        let newer = decode_marker(encode_marker(2).as_bytes(), path).unwrap_err();
        assert_eq!(
            newer.to_string(),
            "d/FORMAT has format 2, this version reads format 1: run the version that wrote it, or choose another \
             data directory"
        );
        let marker = encode_marker(FORMAT).into_bytes();
        for bit in 0..marker.len() * 8 {
            let mut flipped = marker.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode_marker(&flipped, path).is_err(), "bit {bit}");
        }
        for len in 0..marker.len() {
            assert!(decode_marker(&marker[..len], path).is_err(), "length {len}");
        }
    }
}
