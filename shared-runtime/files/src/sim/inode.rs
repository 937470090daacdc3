//! One file: what a process reads, what the medium holds, and what lies between.
//!
//! Knows: contents. Must not know: names. Start at [`Inode`].

use super::chance::Chance;

/// A change that the medium does not have yet.
#[derive(Debug, Clone)]
enum Change {
    /// Bytes at the end; `lost` once an fsync has failed over them (fsyncgate): never written out any more.
    Append { bytes: Vec<u8>, lost: bool },
    /// A new length.
    Truncate(usize),
}

/// Contents of one file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inode {
    /// What the page cache shows.
    cached: Vec<u8>,
    /// What a power loss leaves at least.
    durable: Vec<u8>,
    /// From `durable` to `cached`, in order.
    changes: Vec<Change>,
}

impl Inode {
    pub(crate) fn cached(&self) -> &[u8] {
        &self.cached
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.cached.extend_from_slice(bytes);
        self.changes.push(Change::Append { bytes: bytes.to_vec(), lost: false });
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.cached.resize(len, 0);
        self.changes.push(Change::Truncate(len));
    }

    /// Writes every change out, but leaves zeros where an earlier fsync has lost the bytes.
    pub(crate) fn sync(&mut self) {
        for change in std::mem::take(&mut self.changes) {
            write_out(&mut self.durable, &change);
        }
    }

    /// The kernel reports the error once, marks the pages clean and forgets to write them.
    pub(crate) fn sync_failed(&mut self) {
        for change in &mut self.changes {
            if let Change::Append { lost, .. } = change {
                *lost = true;
            }
        }
    }

    /// Keeps a prefix of the changes, the last of them perhaps in part or as zeros; forgets the cache.
    pub(crate) fn power_loss(&mut self, chance: &mut Chance) {
        let changes = std::mem::take(&mut self.changes);
        let kept = match chance.up_to(2) {
            0 => 0,
            1 => changes.len(),
            _ => chance.up_to(changes.len()),
        };
        for change in changes.iter().take(kept) {
            write_out(&mut self.durable, change);
        }
        if let Some(Change::Append { bytes, lost }) = changes.get(kept) {
            let whole = chance.up_to(bytes.len());
            let torn = bytes.get(..whole).unwrap_or_default().to_vec();
            write_out(&mut self.durable, &Change::Append { bytes: torn, lost: *lost });
            if chance.one_in(4) {
                // the length reached the medium, the bytes did not
                self.durable.resize(self.durable.len() + bytes.len() - whole, 0);
            }
        }
        self.cached.clone_from(&self.durable);
    }

    /// Sets contents, durably, behind everybody's back.
    pub(crate) fn set(&mut self, bytes: Vec<u8>) {
        self.changes.clear();
        self.durable.clone_from(&bytes);
        self.cached = bytes;
    }
}

fn write_out(durable: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Append { bytes, lost: false } => durable.extend_from_slice(bytes),
        Change::Append { bytes, lost: true } => durable.resize(durable.len() + bytes.len(), 0),
        Change::Truncate(len) => durable.resize(*len, 0),
    }
}
