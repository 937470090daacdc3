//! What a directory holds when the log is opened.
//!
//! Knows: which bytes of which file count: sealed files by their seal, others by a scan, the last one without its torn
//! tail; and that everything that is shown afterwards is durable. Must not know: readers, the writer. Start at
//! [`recover`].

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use runtime_engine::Offset;
use runtime_files::{Entry, File};

use super::format::{
    FILE_HEADER_BYTES, FLAG_SEAL, FileHeader, RECORD_HEADER_BYTES, RecordHeader, VERSION, base_of,
    decode_seal, seal_len,
};
use super::mutation::Mutation;
use super::ranges::Ranges;
use super::scan::scan;
use super::spans::Spans;
use super::view::LogFile;
use super::writer::{Outside, cut};
use crate::OpenError;

/// The log as it was found.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) files: VecDeque<LogFile>,
    /// Right after the last durable record.
    pub(crate) end: Offset,
    /// Higher than any offset that was ever given out, as far as can be seen.
    pub(crate) next: Offset,
    /// Acknowledged offsets that no file has.
    pub(crate) missing: Ranges,
    /// Those, and the records with damaged bodies that were met.
    pub(crate) quarantined: Ranges,
    pub(crate) cut_tail_bytes: u64,
}

/// A file before its contents were judged.
struct Candidate {
    entry: Entry,
    base: Offset,
    header: Option<FileHeader>,
    file: Box<dyn File>,
}

/// Looks at every file of the directory.
pub(crate) fn recover(outside: &Outside) -> Result<Recovered, OpenError> {
    let dir = &outside.config.dir;
    let mut candidates = Vec::new();
    for entry in outside.files.list(dir)? {
        if let Some(base) = base_of(&entry.name) {
            candidates.push(candidate(outside, entry, base)?);
        }
    }
    // names that an earlier life made may not be durable yet
    outside.files.sync_dir(dir)?;
    let mut recovered = Recovered::default();
    let bounds: Vec<Option<Offset>> = candidates.iter().skip(1).map(|c| Some(c.previous_end())).collect();
    for (candidate, bound) in candidates.into_iter().zip(bounds.into_iter().chain([None])) {
        recovered.add(outside, &candidate, bound)?;
    }
    Ok(recovered)
}

fn candidate(outside: &Outside, entry: Entry, base: Offset) -> Result<Candidate, OpenError> {
    let path = outside.config.dir.join(&entry.name);
    let file = outside.files.open(&path)?;
    let mut bytes = [0; FILE_HEADER_BYTES];
    let header = match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => FileHeader::decode(&bytes),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(e) => return Err(e.into()),
    };
    if let Some(FileHeader { version: found, .. }) = header.filter(|h| h.version != VERSION) {
        return Err(OpenError::Version { path, found, supported: VERSION });
    }
    // a header of another file is as good as none
    let header = header.filter(|h| h.base == base);
    Ok(Candidate { entry, base, header, file })
}

impl Candidate {
    /// Where the log ended, durably, when this file was made. A file without a header does not say.
    fn previous_end(&self) -> Offset {
        self.header.map_or(self.base, |header| header.previous_end)
    }
}

impl Recovered {
    /// Judges the next file; `bound` is where the following one says that the log ended, `None` for the last.
    fn add(
        &mut self,
        outside: &Outside,
        candidate: &Candidate,
        bound: Option<Offset>,
    ) -> Result<(), OpenError> {
        let path = outside.config.dir.join(&candidate.entry.name);
        let len_bytes = candidate.entry.len_bytes;
        if self.files.is_empty() && candidate.header.is_none() && len_bytes <= FILE_HEADER_BYTES as u64 {
            // the torn start of a file: it has no record and does not say what was before it
            self.next = self.next.max(candidate.base.next());
            return outside.files.remove(&path).map_err(OpenError::Io);
        }
        let previous_end = if self.files.is_empty() {
            candidate.previous_end()
        } else {
            let previous_end = candidate.header.map_or(self.end, |header| header.previous_end.max(self.end));
            if self.end < previous_end {
                tracing::warn!(file = %path.display(), from = %self.end, to = %previous_end, "log records are missing");
            }
            self.missing.insert(self.end..previous_end);
            self.quarantined.insert(self.end..previous_end);
            previous_end
        };
        if candidate.header.is_none() && candidate.entry.len_bytes >= FILE_HEADER_BYTES as u64 {
            tracing::warn!(file = %path.display(), "the header of a log file is damaged; its records are still read");
        }
        let mut file = LogFile {
            path,
            base: candidate.base,
            previous_end,
            end: previous_end,
            len_bytes: candidate.entry.len_bytes,
            size_bytes: candidate.entry.len_bytes,
            spans: Spans::default(),
            damaged: false,
        };
        match sealed(&*candidate.file, candidate.base, candidate.entry.len_bytes)? {
            Some((end, spans)) if bound.is_none_or(|bound| end <= bound) => {
                // an empty file ends where the one before it did
                file.end = if spans.as_slice().is_empty() { previous_end } else { end };
                file.spans = spans;
                self.next = self.next.max(end);
            }
            _ => self.scan(outside, candidate, bound, &mut file)?,
        }
        // a name is never used twice, so that no file is ever appended to by a second process
        self.next = self.next.max(candidate.base.next()).max(file.end);
        self.end = self.end.max(file.end);
        self.files.push_back(file);
        Ok(())
    }

    /// Finds the end of a file without a seal, and makes sure that it is durable up to there.
    fn scan(
        &mut self,
        outside: &Outside,
        candidate: &Candidate,
        bound: Option<Offset>,
        file: &mut LogFile,
    ) -> Result<(), OpenError> {
        let mut bytes = vec![0; usize::try_from(candidate.entry.len_bytes).map_err(io::Error::other)?];
        candidate.file.read_exact_at(&mut bytes, 0)?;
        let found = scan(&bytes, candidate.base, true);
        for record in &found.records {
            // a refused tail that could not be cut is above the bound
            if bound.is_none_or(|bound| record.offset < bound) {
                file.spans.add(record.partition, record.offset);
                file.end = file.end.max(record.offset.next());
            }
        }
        file.damaged = !found.damaged.is_empty();
        for gap in found.damaged {
            self.quarantined.insert(gap.start..bound.map_or(gap.end, |bound| bound.min(gap.end)));
        }
        self.next = self.next.max(found.end);
        if bound.is_none() && !outside.bug.is(Mutation::SkipSyncAtOpen) {
            self.settle_last(outside, &bytes, found.end_at, file)?;
        }
        if bound.is_some() && found.end_at < bytes.len() {
            file.len_bytes = found.end_at as u64;
        }
        Ok(())
    }

    /// Cuts the torn tail of the last file and makes the rest durable: a killed process may have left it in the page
    /// cache alone. Offsets that the tail may have used up are not used again.
    fn settle_last(
        &mut self,
        outside: &Outside,
        bytes: &[u8],
        end_at: usize,
        file: &mut LogFile,
    ) -> Result<(), OpenError> {
        let good = bytes.get(..end_at).unwrap_or(bytes);
        let torn_bytes = (bytes.len() - good.len()) as u64;
        if torn_bytes > 0 {
            tracing::info!(file = %file.path.display(), torn_bytes, "the torn tail of the log is cut");
            file.len_bytes = good.len() as u64;
            file.size_bytes = file.len_bytes;
            self.cut_tail_bytes += torn_bytes;
            let most = torn_bytes / RECORD_HEADER_BYTES as u64 + 1;
            self.next = Offset(self.next.0.saturating_add(most));
        }
        let fresh = file.path.with_extension("new");
        match write_anew(outside, &fresh, good).and_then(|()| outside.files.rename(&fresh, &file.path)) {
            Ok(()) => outside.files.sync_dir(&outside.config.dir)?,
            Err(error) if error.kind() != io::ErrorKind::StorageFull => return Err(error.into()),
            Err(error) => {
                // reads must go on; what a failed sync has lost here was refused, never acknowledged
                tracing::warn!(%error, "cannot write the newest log file anew; it is synced where it is");
                cut(outside, &file.path, file.len_bytes)?;
            }
        }
        Ok(())
    }
}

/// Writes the bytes of a file to a new one. To sync the old one would not do: when the process that wrote it was told
/// that a sync had failed, the kernel has marked the pages clean, and a sync through another handle succeeds without
/// writing them.
fn write_anew(outside: &Outside, fresh: &Path, bytes: &[u8]) -> io::Result<()> {
    match outside.files.remove(fresh) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let file = outside.files.create(fresh)?;
    let written = file.append(bytes).and_then(|()| file.sync());
    drop(file);
    if written.is_err() {
        drop(outside.files.remove(fresh));
    }
    written
}

/// End and spans of a sealed file, from its last bytes.
fn sealed(file: &dyn File, base: Offset, len_bytes: u64) -> Result<Option<(Offset, Spans)>, OpenError> {
    let mut last = [0; 8];
    let Some(last_at) = len_bytes.checked_sub(8).filter(|at| *at >= FILE_HEADER_BYTES as u64) else {
        return Ok(None);
    };
    file.read_exact_at(&mut last, last_at)?;
    let Some(len) = seal_len(last) else { return Ok(None) };
    let Some(at) = len_bytes.checked_sub(len as u64) else { return Ok(None) };
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, at)?;
    let Some(header) = RecordHeader::decode(base, &bytes) else { return Ok(None) };
    let stored = bytes.get(RECORD_HEADER_BYTES..).unwrap_or_default();
    let whole = header.flags & FLAG_SEAL != 0
        && header.frame_len() == len
        && header.body_crc == crc32c::crc32c(stored);
    Ok(decode_seal(stored).filter(|_| whole).map(|spans| (header.offset, Spans::from(spans))))
}
