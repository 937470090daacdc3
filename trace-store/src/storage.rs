//! Opening what is on disk: roots, objects, log, then the store over them.
//!
//! Knows: the folders of the data directory, the order of opening. Must not know: formats. Start at [`open`].
//!
//! ```text
//! <data>/trace-store/objects/   objects, roots, lock and format marker (runtime-objects)
//! <data>/trace-store/log/       the log (runtime-log)
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runtime_engine::{Offset, Partition};
use runtime_files::{Clock, Files};
use runtime_log::LocalLog;
use runtime_objects::{Ids, LocalObjects, LocalRoots, ObjectsError, RootError, Roots, StorePartition};
use runtime_store::{Media, Store};
use trace_segments::Traces;

use crate::Config;
use crate::config::{PARTITIONS_MAX, SERVICE, STORE};

/// Why the data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its roots: locked by another process, of another version, damaged.
    #[error(transparent)]
    Roots(#[from] RootError),
    /// Its objects.
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    /// Its log: locked by another process, of another version.
    #[error(transparent)]
    Log(#[from] runtime_log::OpenError),
    /// The store over them.
    #[error(transparent)]
    Store(Box<runtime_store::OpenError>),
    /// It holds a partition that the configuration does not have.
    #[error(
        "{path} holds data in partition {found}, but `partitions` is {configured}: set it to {} or more", found + 1
    )]
    Partitions {
        /// The data directory.
        path: PathBuf,
        /// A partition with data.
        found: u32,
        /// The configured number.
        configured: u32,
    },
    /// The log's thread could not be started.
    #[error("cannot start the log")]
    Start(#[source] io::Error),
}

/// Opens everything below `data_dir`; blocks.
pub(crate) fn open(
    config: &Config,
    data_dir: &Path,
    files: Arc<dyn Files>,
    clock: Arc<dyn Clock>,
) -> Result<Store<Traces>, OpenError> {
    let dir = data_dir.join(SERVICE);
    let objects_dir = dir.join("objects");
    let roots = LocalRoots::open(Arc::clone(&files), &objects_dir)?;
    let objects = LocalObjects::open(Arc::clone(&files), &objects_dir, Ids::random())?;
    let floor = highest_root(&roots, config.partitions, &objects_dir)?;
    let log = LocalLog::open(files, Arc::clone(&clock), config.log(&dir.join("log")), floor)?;
    let media = Media::local(log, Arc::new(objects), Arc::new(roots), clock).map_err(OpenError::Start)?;
    Store::open(Traces, config.store(), media).map_err(|e| OpenError::Store(Box::new(e)))
}

/// The highest offset that any root has passed: the log must never number below it.
fn highest_root(roots: &dyn Roots, partitions: u32, dir: &Path) -> Result<Offset, OpenError> {
    let mut highest = Offset(0);
    for number in 0..PARTITIONS_MAX {
        let of = StorePartition { store: STORE.into(), partition: Partition(number) };
        let Some(root) = roots.load(&of)? else { continue };
        if number >= partitions {
            let path = dir.to_path_buf();
            return Err(OpenError::Partitions { path, found: number, configured: partitions });
        }
        highest = highest.max(root.offset);
    }
    Ok(highest)
}
