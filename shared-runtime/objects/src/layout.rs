//! Where things lie in a local data directory, and which names may become paths.
//!
//! Knows: file names (drawn in `docs/objects-format.md`). Must not know: what is in the files. An id becomes a path only
//! as 32 hexadecimal digits, a store name and an extension only after [`check_store`] and [`check_ext`].

use std::path::{Path, PathBuf};

use runtime_engine::ObjectId;

use crate::{ObjectsError, StorePartition};

const STORE_NAME: &str = "1 to 64 of a-z, 0-9, '-' and '_', beginning with a letter";
const EXT_NAME: &str = "1 to 16 of a-z and 0-9, and not \"sum\"";
/// Whose objects they are: the only tenant there is.
const TENANT: &str = "default";
/// Extension of the file of checksums beside each object.
const SUMS: &str = "sum";

pub(crate) fn check_store(name: &str) -> Result<(), ObjectsError> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    if name.len() <= 64
        && name.bytes().all(good)
        && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
    {
        return Ok(());
    }
    Err(ObjectsError::Name { what: "store name", name: name.to_owned(), expected: STORE_NAME })
}

pub(crate) fn check_ext(ext: &str) -> Result<(), ObjectsError> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if (1..=16).contains(&ext.len()) && ext.bytes().all(good) && ext != SUMS {
        return Ok(());
    }
    Err(ObjectsError::Name { what: "extension", name: ext.to_owned(), expected: EXT_NAME })
}

/// The files of a whole data directory.
pub(crate) struct DataDir(pub(crate) PathBuf);

impl DataDir {
    pub(crate) fn format(&self) -> PathBuf {
        self.0.join("FORMAT")
    }

    pub(crate) fn format_new(&self) -> PathBuf {
        self.0.join("FORMAT.tmp")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("LOCK")
    }

    pub(crate) fn partition(&self, of: &StorePartition) -> Result<PartitionDir, ObjectsError> {
        check_store(&of.store)?;
        let dir = self.0.join(&*of.store).join(of.partition.to_string());
        Ok(PartitionDir { pending: dir.join("pending"), objects: dir.join("objects").join(TENANT), dir })
    }
}

/// The files of one partition.
#[derive(Clone)]
pub(crate) struct PartitionDir {
    pub(crate) dir: PathBuf,
    pub(crate) pending: PathBuf,
    pub(crate) objects: PathBuf,
}

impl PartitionDir {
    pub(crate) fn current(&self) -> PathBuf {
        self.dir.join("CURRENT")
    }

    pub(crate) fn current_new(&self) -> PathBuf {
        self.dir.join("CURRENT.tmp")
    }

    pub(crate) fn data(&self, id: ObjectId, ext: &str) -> PathBuf {
        self.objects.join(format!("{id}.{ext}"))
    }

    pub(crate) fn sums(&self, id: ObjectId) -> PathBuf {
        self.data(id, SUMS)
    }

    pub(crate) fn pending(&self, epoch: u64, id: ObjectId) -> PathBuf {
        self.pending.join(format!("{epoch:016x}-{id}"))
    }
}

/// A file name of the objects directory.
pub(crate) struct ObjectName {
    pub(crate) id: ObjectId,
    pub(crate) is_sums: bool,
}

impl ObjectName {
    /// `None` for a file that is not ours.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (id, ext) = name.split_once('.')?;
        let is_sums = ext == SUMS;
        (is_sums || check_ext(ext).is_ok()).then_some(())?;
        Some(Self { id: ObjectId(hex(id, 32)?), is_sums })
    }
}

/// Epoch and id of a file name of the pending directory; `None` for a file that is not ours.
pub(crate) fn parse_pending(name: &str) -> Option<(u64, ObjectId)> {
    let (epoch, id) = name.split_once('-')?;
    Some((u64::try_from(hex(epoch, 16)?).ok()?, ObjectId(hex(id, 32)?)))
}

fn hex(digits: &str, len: usize) -> Option<u128> {
    let good = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    (digits.len() == len && digits.bytes().all(good)).then_some(())?;
    u128::from_str_radix(digits, 16).ok()
}

pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_paths() {
        for good in ["traces", "a", "metrics-2_x", &"a".repeat(64)] {
            assert!(check_store(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "../x", "a/b", "A", "a.b", "a\0", "-a", "0a", "é", "a\\b", &"a".repeat(65)]
        {
            assert!(check_store(bad).is_err(), "{bad}");
        }
        for bad in ["", "sum", "a.b", "/", "..", "PARQUET", &"a".repeat(17)] {
            assert!(check_ext(bad).is_err(), "{bad}");
        }
        assert!(check_ext("parquet").is_ok());
    }

    #[test]
    fn file_names_are_read_back_and_foreign_ones_are_not() {
        let dir = DataDir("d".into()).partition(&StorePartition::new("traces", 3)).unwrap();
        let name = |p: PathBuf| p.file_name().unwrap().to_str().unwrap().to_owned();
        let id = ObjectId(0xabc);
        assert_eq!(parse_pending(&name(dir.pending(7, id))), Some((7, id)));
        let read = |p| ObjectName::parse(&name(p)).map(|n| (n.id, n.is_sums));
        assert_eq!(read(dir.data(id, "parquet")), Some((id, false)));
        assert_eq!(read(dir.sums(id)), Some((id, true)));
        for foreign in ["", "x", ".", "a.sum", "+0000000000000000000000000000000.sum", "lost+found"] {
            assert!(ObjectName::parse(foreign).is_none(), "{foreign}");
            assert!(parse_pending(foreign).is_none(), "{foreign}");
        }
        assert!(ObjectName::parse(&format!("{id}.SUM")).is_none());
        assert!(ObjectName::parse(&format!("{id}.sum.tmp")).is_none());
    }
}
