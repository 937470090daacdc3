//! When a file is put aside, under which name, and when old ones go.
//!
//! Knows: names and times of rotated files. Must not know: what is in them. Start at [`Rotation::put_aside`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::calendar::file_stamp;

const DAY: Duration = Duration::from_secs(86_400);

/// The bounds of rotated files.
#[derive(Debug, Clone)]
pub(super) struct Rotation {
    /// The current file is put aside before it grows beyond this.
    pub(super) bytes_max: u64,
    /// Older ones go; 0 = never.
    pub(super) days_max: u64,
    /// More go, oldest first; 0 = any number stays.
    pub(super) backups_max: usize,
}

/// Renames `path` to `name-<time>.ext` beside it.
pub(super) fn put_aside(path: &Path, now: SystemTime) -> io::Result<PathBuf> {
    let (stem, extension) = split(path);
    let folder = folder(path);
    let base = format!("{stem}-{}", file_stamp(now));
    // several files of one moment are numbered on from the newest, also when the older ones are gone already, so that
    // the order of names stays the order of time
    let number = |backup: &PathBuf| match split(backup).0.strip_prefix(&base)? {
        "" => Some(0),
        rest => rest.strip_prefix('_')?.parse::<u32>().ok(),
    };
    let target = match backups(path)?.iter().filter_map(number).max() {
        None => folder.join(format!("{base}{extension}")),
        Some(newest) => folder.join(format!("{base}_{:06}{extension}", newest + 1)),
    };
    fs::rename(path, &target)?;
    sync_folder(&folder)?;
    Ok(target)
}

impl Rotation {
    /// Removes rotated files beyond the bounds; a failure is logged, the next rotation tries again.
    pub(super) fn sweep(&self, path: &Path, now: SystemTime) {
        let mut backups = match backups(path) {
            Ok(backups) => backups,
            Err(error) => {
                return tracing::warn!(path = %path.display(), %error, "rotated files cannot be listed");
            }
        };
        backups.sort();
        let excess = if self.backups_max == 0 { 0 } else { backups.len().saturating_sub(self.backups_max) };
        for (at, backup) in backups.iter().enumerate() {
            let age = fs::metadata(backup).and_then(|meta| meta.modified()).ok();
            let age = age.and_then(|modified| now.duration_since(modified).ok()).unwrap_or_default();
            let old = self.days_max > 0 && age > DAY * u32::try_from(self.days_max).unwrap_or(u32::MAX);
            if (at < excess || old)
                && let Err(error) = fs::remove_file(backup)
            {
                tracing::warn!(path = %backup.display(), %error, "rotated file cannot be removed");
            }
        }
    }
}

fn backups(path: &Path) -> io::Result<Vec<PathBuf>> {
    let (stem, extension) = split(path);
    let start = format!("{stem}-");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let stamped =
            name.strip_prefix(&start).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if stamped && name.ends_with(&extension) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// `logs.json` → `logs`, `.json`
fn split(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let extension = text(path.extension()).map(|extension| format!(".{extension}")).unwrap_or_default();
    (text(path.file_stem()).unwrap_or_default(), extension)
}

pub(super) fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A new or renamed entry is durable once its folder is synced.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}
