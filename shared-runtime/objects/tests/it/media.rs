//! Opened media and their bytes, as all tests here need them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runtime_engine::{ObjectId, Offset};
use runtime_files::sim::SimFiles;
use runtime_objects::{Ids, LocalObjects, LocalRoots, Objects, ObjectsError, Root, StorePartition};

pub(crate) const DATA: &str = "/data/objects";

pub(crate) fn partition() -> StorePartition {
    StorePartition::new("traces", 3)
}

pub(crate) fn roots(files: &SimFiles) -> LocalRoots {
    LocalRoots::open(Arc::new(files.clone()), Path::new(DATA)).unwrap()
}

/// `life` makes the ids of each restart other ones.
pub(crate) fn objects(files: &SimFiles, life: u64) -> LocalObjects {
    LocalObjects::open(Arc::new(files.clone()), Path::new(DATA), Ids::seeded(life)).unwrap()
}

/// Bytes that differ from place to place and from `seed` to `seed`.
pub(crate) fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut dice = Dice(seed);
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        out.extend(dice.roll().to_le_bytes());
    }
    out.truncate(len);
    out
}

pub(crate) fn write(
    objects: &dyn Objects,
    of: &StorePartition,
    epoch: u64,
    bytes: &[u8],
) -> Result<ObjectId, ObjectsError> {
    let mut object = objects.create(of, epoch, "parquet")?;
    let id = object.id();
    object.write_all(bytes).map_err(|source| ObjectsError::Io {
        action: "write",
        path: id.to_string(),
        source,
    })?;
    assert_eq!(object.finish()?, bytes.len() as u64);
    Ok(id)
}

pub(crate) fn read(objects: &dyn Objects, of: &StorePartition, id: ObjectId) -> Result<Vec<u8>, String> {
    let object = objects.open(of, id).map_err(|e| e.to_string())?;
    let all = object.read_ranges(&[0..object.len_bytes()]).map_err(|e| e.to_string())?;
    Ok(all.concat())
}

pub(crate) fn file(of: &StorePartition, name: &str) -> PathBuf {
    Path::new(DATA).join(of.to_string()).join(name)
}

pub(crate) fn data_file(of: &StorePartition, id: ObjectId) -> PathBuf {
    file(of, &format!("objects/default/{id}.parquet"))
}

pub(crate) fn sums_file(of: &StorePartition, id: ObjectId) -> PathBuf {
    file(of, &format!("objects/default/{id}.sum"))
}

pub(crate) fn root(version: u64, writer: u128, manifest: Option<ObjectId>) -> Root {
    Root { version, epoch: 1, writer, offset: Offset(version * 10), manifest }
}

/// splitmix64, so that a seed in a failure's text repeats it.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % n as u64).unwrap()
    }
}
