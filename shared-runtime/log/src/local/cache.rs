//! Files in memory while they are replayed, so that the partitions of a store read each of them once.
//!
//! Knows: whole files with the places of their records. Must not know: positions of readers. Start at [`Cache::get`].

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use runtime_engine::Offset;

use super::scan::{Scan, scan};
use super::view::LogFile;
use super::writer::Outside;

/// Files kept: the one being read and the one that quicker partitions are in already.
const FILES_KEPT: usize = 2;
/// A file that nobody asked for this long is dropped.
const KEPT_FOR: Duration = Duration::from_secs(2);

/// A file read and scanned.
pub(crate) struct Loaded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) scan: Scan,
}

/// One place in the cache.
struct Kept {
    base: Offset,
    len_bytes: u64,
    used: Duration,
    loaded: Arc<Loaded>,
}

/// The files read last.
#[derive(Default)]
pub(crate) struct Cache {
    kept: Mutex<Vec<Kept>>,
}

impl Cache {
    /// The file, from memory or from the disk; others wait meanwhile, because they want the same one.
    pub(crate) fn get(&self, outside: &Outside, file: &LogFile) -> io::Result<Arc<Loaded>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = outside.clock.monotonic();
        let found = kept.iter_mut().find(|k| k.base == file.base && k.len_bytes >= file.len_bytes);
        if let Some(found) = found {
            found.used = now;
            return Ok(Arc::clone(&found.loaded));
        }
        kept.retain(|k| k.base != file.base);
        while kept.len() >= FILES_KEPT {
            let oldest = kept.iter().enumerate().min_by_key(|(_, k)| k.used).map(|(at, _)| at);
            kept.remove(oldest.unwrap_or(0));
        }
        let loaded = Arc::new(load(outside, file)?);
        kept.push(Kept {
            base: file.base,
            len_bytes: file.len_bytes,
            used: now,
            loaded: Arc::clone(&loaded),
        });
        Ok(loaded)
    }

    /// Drops files that are not in use any more.
    pub(crate) fn age(&self, outside: &Outside) {
        if let Ok(mut kept) = self.kept.try_lock()
            && !kept.is_empty()
        {
            let now = outside.clock.monotonic();
            kept.retain(|k| now.saturating_sub(k.used) < KEPT_FOR);
        }
    }
}

/// Reads a file, or what is left of it: what is missing shows as damage.
fn load(outside: &Outside, file: &LogFile) -> io::Result<Loaded> {
    let handle = outside.files.open(&file.path)?;
    let len_bytes = handle.len_bytes()?.min(file.len_bytes);
    let mut bytes = vec![0; usize::try_from(len_bytes).map_err(io::Error::other)?];
    handle.read_exact_at(&mut bytes, 0)?;
    let scan = scan(&bytes, file.base, false);
    Ok(Loaded { bytes, scan })
}
